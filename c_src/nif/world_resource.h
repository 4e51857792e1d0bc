// world_resource.h: a world as the VM sees it: a resource with a version and a lock.
//
// The version makes a world look like an immutable value: each fold increments it, and calls with an older version are
// refused. A fold of several slices increments it in the first, so that no other call can use the world between slices,
// although the lock is free then. If the caller dies between slices, every later call gets RF_FOLDED_ON, but no lock
// remains held.
#ifndef ROOMFOLD_NIF_WORLD_RESOURCE_H
#define ROOMFOLD_NIF_WORLD_RESOURCE_H

#include "common.h"

// The input of a fold.
typedef enum nif_input { NIF_LIST, NIF_TEXT, NIF_PACKED } nif_input;

// A fold that has begun and not ended. Part of the resource, so that it is freed with it if the caller dies.
typedef struct nif_job {
    rf_fold *fold; // NULL: no fold is under way
    rf_report report;
    nif_input input;
    rf_json_batch text;
    rf_packed_batch packed;
    uint64_t entries_done; // of a diff or a snapshot
} nif_job;

typedef struct nif_world {
    ErlNifRWLock *lock; // protects all other fields
    rf_world *world;
    uint64_t version;
    nif_job job;
    rf_scene *scene; // NULL until it is needed
} nif_world;

bool nif_world_open_type(ErlNifEnv *env);

// Makes a resource that owns the world. NULL: no memory; the world has been freed. The caller releases its reference
// with enif_release_resource.
nif_world *nif_world_wrap(rf_world *world);
// {:ok, ref, version} for a new world. Takes ownership of the world.
ERL_NIF_TERM nif_world_answer(ErlNifEnv *env, rf_world *world);

// Reads the first two arguments of nearly every call: the resource and the version.
bool nif_world_args(ErlNifEnv *env, const ERL_NIF_TERM argv[], nif_world **world, uint64_t *version);
bool nif_world_arg(ErlNifEnv *env, ERL_NIF_TERM term, nif_world **world);

// Lock for reading, or exclusively for folding. If may_wait is false and the lock is taken, they return false: run the
// call again on a dirty scheduler.
bool nif_world_lock_read(nif_world *world, bool may_wait);
bool nif_world_lock_fold(nif_world *world, bool may_wait);
void nif_world_unlock_read(nif_world *world);
void nif_world_unlock_fold(nif_world *world);

// With the lock held: whether this is the newest version and no fold is under way.
bool nif_world_is_newest(const nif_world *world, uint64_t version);
// With the lock held: whether going through all entities takes too long for a normal scheduler.
bool nif_world_is_big(const nif_world *world);

// With the fold lock held: begin invalidates the newest version; end returns {:ok, version, report}. fail (no memory)
// leaves the world as if the caller had died.
rf_status nif_job_begin(nif_world *world);
ERL_NIF_TERM nif_job_end(ErlNifEnv *env, nif_world *world);
ERL_NIF_TERM nif_job_fail(ErlNifEnv *env, nif_world *world, rf_status status);

#endif
