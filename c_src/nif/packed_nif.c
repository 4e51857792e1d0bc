// packed_nif.c: loads packed snapshots and applies packed diffs. A frame is checked and applied in a single call; a
// long frame on a dirty scheduler.
#include "nif_functions.h"
#include "world_resource.h"

#define NORMAL_FRAME 1024 // bytes; longer frames go to a dirty scheduler
#define UNITS_PER_BYTE 4  // of work

typedef rf_status frame_function(rf_world *world, rf_str frame, rf_error *error);

static ERL_NIF_TERM run(ErlNifEnv *env, nif_world *world, rf_str frame, frame_function *function) {
    rf_error error = {.status = RF_OK, .offset = RF_NOWHERE};
    rf_status status = function(world->world, frame, &error);
    if (status == RF_OK || status == RF_NO_MEMORY) world->version++; // what ran out of memory may be half done
    if (nif_on_normal_scheduler()) nif_charge(env, (int64_t)frame.len * UNITS_PER_BYTE);
    if (status == RF_OK) return enif_make_tuple2(env, nif_atom.ok, enif_make_uint64(env, world->version));
    return nif_error_at(env, &error);
}

static ERL_NIF_TERM start(ErlNifEnv *env, const ERL_NIF_TERM argv[], const char *name, nif_function *nif,
                          frame_function *function) {
    nif_world *world;
    uint64_t version;
    rf_str frame;
    ERL_NIF_TERM answer;
    bool normal = nif_on_normal_scheduler();
    if (!nif_world_args(env, argv, &world, &version) || !nif_bytes(env, argv[2], &frame)) return enif_make_badarg(env);
    if ((normal && frame.len > NORMAL_FRAME) || !nif_world_lock_fold(world, !normal))
        return nif_go_dirty(env, name, nif, 3, argv);
    answer = nif_world_is_newest(world, version) ? run(env, world, frame, function) : nif_error(env, RF_FOLDED_ON);
    nif_world_unlock_fold(world);
    return answer;
}

ERL_NIF_TERM nif_world_load_packed(ErlNifEnv *env, int argc, const ERL_NIF_TERM argv[]) {
    (void)argc;
    return start(env, argv, "world_load_packed", nif_world_load_packed, rf_load_packed);
}

ERL_NIF_TERM nif_world_apply_packed(ErlNifEnv *env, int argc, const ERL_NIF_TERM argv[]) {
    (void)argc;
    return start(env, argv, "world_apply_packed", nif_world_apply_packed, rf_apply_packed);
}
