#include "tsan.h"
#include "world_resource.h"

#include <string.h>

#define BIG_ENTITIES 1000
#define BIG_MEMORY (UINT64_C(4) << 20)

static ErlNifResourceType *world_type;

// Runs on the scheduler that releases the last reference, so nothing else uses the world.
static void destroy(ErlNifEnv *env, void *object) {
    (void)env;
    nif_world *world = object;
    nif_locked(world);
    if (world->job.fold) {
        rf_fold_free(world->job.fold);
        rf_report_free(&world->job.report);
    }
    rf_scene_free(world->scene);
    if (world->world) {
        rf_world_free(world->world);
    }
    if (world->lock) {
        enif_rwlock_destroy(world->lock);
    }
}

bool nif_world_open_type(ErlNifEnv *env) {
    // A newer library takes over the worlds of an older one: change the name whenever the layout of nif_world changes.
    ErlNifResourceFlags flags = (ErlNifResourceFlags)(ERL_NIF_RT_CREATE | ERL_NIF_RT_TAKEOVER);
    ErlNifResourceType *type = enif_open_resource_type(env, NULL, "roomfold_world_3", destroy, flags, NULL);
    if (!type) {
        return false;
    }
    // When the module is loaded again it is the same one, and others are using it.
    if (type != world_type) {
        world_type = type;
    }
    return true;
}

nif_world *nif_world_wrap(rf_world *world) {
    char name[] = "roomfold_world"; // the VM copies it
    nif_world *resource = enif_alloc_resource(world_type, sizeof *resource);
    if (!resource) {
        rf_world_free(world);
        return NULL;
    }
    memset(resource, 0, sizeof *resource);
    resource->world = world;
    resource->version = 1;
    resource->lock = enif_rwlock_create(name);
    nif_unlocking(resource);
    if (!resource->lock) {
        enif_release_resource(resource);
        return NULL;
    }
    return resource;
}

ERL_NIF_TERM nif_world_answer(ErlNifEnv *env, rf_world *world) {
    nif_world *resource = nif_world_wrap(world);
    if (!resource) {
        return nif_error(env, RF_NO_MEMORY);
    }
    ERL_NIF_TERM ref = enif_make_resource(env, resource);
    ERL_NIF_TERM answer = enif_make_tuple3(env, nif_atom.ok, ref, enif_make_uint64(env, resource->version));
    enif_release_resource(resource);
    return answer;
}

bool nif_world_arg(ErlNifEnv *env, ERL_NIF_TERM term, nif_world **world) {
    void *object;
    if (!enif_get_resource(env, term, world_type, &object)) {
        return false;
    }
    *world = object;
    return true;
}

bool nif_world_args(ErlNifEnv *env, const ERL_NIF_TERM argv[], nif_world **world, uint64_t *version) {
    ErlNifUInt64 number;
    if (!nif_world_arg(env, argv[0], world) || !enif_get_uint64(env, argv[1], &number)) {
        return false;
    }
    *version = number;
    return true;
}

bool nif_world_lock_read(nif_world *world, bool may_wait) {
    if (may_wait) {
        enif_rwlock_rlock(world->lock);
    } else if (enif_rwlock_tryrlock(world->lock) != 0) {
        return false;
    }
    nif_locked(world);
    return true;
}

bool nif_world_lock_fold(nif_world *world, bool may_wait) {
    if (may_wait) {
        enif_rwlock_rwlock(world->lock);
    } else if (enif_rwlock_tryrwlock(world->lock) != 0) {
        return false;
    }
    nif_locked(world);
    return true;
}

void nif_world_unlock_read(nif_world *world) {
    nif_unlocking(world);
    enif_rwlock_runlock(world->lock);
}

void nif_world_unlock_fold(nif_world *world) {
    nif_unlocking(world);
    enif_rwlock_rwunlock(world->lock);
}

bool nif_world_is_newest(const nif_world *world, uint64_t version) {
    return world->version == version && !world->job.fold;
}

bool nif_world_is_big(const nif_world *world) {
    return rf_world_count(world->world) > BIG_ENTITIES || rf_world_memory(world->world) > BIG_MEMORY;
}

rf_status nif_job_begin(nif_world *world) {
    rf_report_init(&world->job.report, nif_allocator());
    rf_status status = rf_fold_new(world->world, &world->job.report, &world->job.fold);
    if (status != RF_OK) {
        world->job.fold = NULL;
        rf_report_free(&world->job.report);
        return status;
    }
    world->version++;
    world->job.text = (rf_json_batch){0};
    world->job.packed = (rf_packed_batch){0};
    world->job.entries_done = 0;
    return RF_OK;
}

static ERL_NIF_TERM rejections(ErlNifEnv *env, const rf_report *report) {
    ERL_NIF_TERM list = enif_make_list(env, 0);
    for (uint32_t i = report->rejected_len; i-- > 0;) {
        const rf_rejection *it = &report->rejected[i];
        ERL_NIF_TERM entry = enif_make_tuple4(env, enif_make_uint64(env, it->index), nif_atom.reasons[it->status],
                                              nif_about(env, it->about, it->about_len), nif_offset(env, it->offset));
        list = enif_make_list_cell(env, entry, list);
    }
    return list;
}

static ERL_NIF_TERM report_tuple(ErlNifEnv *env, const rf_report *report) {
    return enif_make_tuple6(env, enif_make_uint64(env, report->folded), enif_make_uint64(env, report->orphaned),
                            enif_make_uint64(env, report->stale), enif_make_uint64(env, report->gaps),
                            enif_make_uint64(env, report->rejected_count), rejections(env, report));
}

ERL_NIF_TERM nif_job_end(ErlNifEnv *env, nif_world *world) {
    ERL_NIF_TERM report = report_tuple(env, &world->job.report);
    rf_fold_free(world->job.fold);
    rf_report_free(&world->job.report);
    world->job.fold = NULL;
    return enif_make_tuple3(env, nif_atom.ok, enif_make_uint64(env, world->version), report);
}

ERL_NIF_TERM nif_job_fail(ErlNifEnv *env, nif_world *world, rf_status status) {
    (void)world; // job.fold stays set, so every later call is refused
    return nif_error(env, status);
}
