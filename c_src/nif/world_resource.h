// world_resource.h: a world as the VM sees it: a resource with a version and a lock.
//
// A version is what makes a world look like a value: each fold raises it, and a call that names an older one is
// refused. A fold that takes several slices raises it in its first, so between slices nobody can get in although
// the lock is free: a caller that dies there leaves a world that answers RF_FOLDED_ON to everybody, and no lock.
#ifndef ROOMFOLD_NIF_WORLD_RESOURCE_H
#define ROOMFOLD_NIF_WORLD_RESOURCE_H

#include "common.h"

// What a fold is given.
typedef enum nif_input { NIF_LIST, NIF_TEXT, NIF_PACKED } nif_input;

// A fold between its first slice and its last. Kept here and not in terms: it must outlive none of its callers.
typedef struct nif_job {
    rf_fold *fold; // NULL: no fold is under way
    rf_report report;
    nif_input input;
    rf_json_batch text;
    rf_packed_batch packed;
    uint64_t entries_done; // of a diff or a snapshot
} nif_job;

typedef struct nif_world {
    ErlNifRWLock *lock; // guards all that follows
    rf_world *world;
    uint64_t version;
    nif_job job;
    rf_scene *scene; // NULL until somebody asks who is hit
} nif_world;

bool nif_world_open_type(ErlNifEnv *env);

// A resource for this world, which it owns from now on (also if it fails: NULL is no memory). The caller holds a
// reference, to be given up by enif_release_resource.
nif_world *nif_world_wrap(rf_world *world);
// {:ok, ref, version} for a world just made; takes the world.
ERL_NIF_TERM nif_world_answer(ErlNifEnv *env, rf_world *world);

// The first two arguments of nearly every call: the resource and the version it is asked for.
bool nif_world_args(ErlNifEnv *env, const ERL_NIF_TERM argv[], nif_world **world, uint64_t *version);
bool nif_world_arg(ErlNifEnv *env, ERL_NIF_TERM term, nif_world **world);

// Lock for reading or for folding. On a normal scheduler these never wait: false means that the call has to go
// dirty and try again there.
bool nif_world_lock_read(nif_world *world, bool may_wait);
bool nif_world_lock_fold(nif_world *world, bool may_wait);
void nif_world_unlock_read(nif_world *world);
void nif_world_unlock_fold(nif_world *world);

// Under the lock: whether this version is the newest and no fold is under way.
bool nif_world_is_newest(const nif_world *world, uint64_t version);
// Under the lock: whether walking it all takes longer than a normal scheduler may be held up.
bool nif_world_is_big(const nif_world *world);

// Under the fold lock: begin makes the newest version unusable, end gives {:ok, version, report}. After a fold
// that failed (there was no memory) the world is left as if its caller had died.
rf_status nif_job_begin(nif_world *world);
ERL_NIF_TERM nif_job_end(ErlNifEnv *env, nif_world *world);
ERL_NIF_TERM nif_job_fail(ErlNifEnv *env, nif_world *world, rf_status status);

#endif
