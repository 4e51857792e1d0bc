// hits_nif.c: casts shots and tests zones, a batch at a time.
//
// A few shots are answered on the normal scheduler. If there are many, or they take too long, all of them are done on a
// dirty scheduler; between batches the lock is released for other callers. Each batch first updates the targets to the
// world's current state.
#include "hit_terms.h"
#include "nif_functions.h"
#include "world_resource.h"

#include <string.h>

#define BATCH 64                   // shots; few enough to stay in the first-level cache
#define NORMAL_SHOTS 2048          // more shots go to a dirty scheduler,
#define NORMAL_ENTITIES 2000       // so do those in a world with more entities,
#define NORMAL_US 250              // and those that take longer than this, as measured
#define NORMAL_BATCH 32            // after this many shots, or one that can take long;
#define NORMAL_HITS 4096           // and those with more hits
#define HITS_MAX ((size_t)1 << 20) // hits per batch
#define UNITS_PER_US 100           // of NIF_WORK

// Makes an empty scene. options: {history in ms, states}, or nil for the defaults.
static rf_status open_scene(ErlNifEnv *env, ERL_NIF_TERM options, rf_scene **out) {
    rf_space_def def = rf_space_def_default();
    const ERL_NIF_TERM *parts;
    rf_space *space;
    rf_status status;
    int arity;
    unsigned states;
    *out = NULL;
    def.allocator = nif_allocator();
    def.max_targets = UINT32_C(1) << 24; // the most: how many there are is limited by the world
    if (!enif_is_identical(options, nif_atom.nil)) {
        if (!enif_get_tuple(env, options, &arity, &parts) || arity != 2 ||
            !enif_get_double(env, parts[0], &def.history_ms) || !enif_get_uint(env, parts[1], &states))
            return RF_INVALID_ARGUMENT;
        def.history_states = states;
    }
    status = rf_space_new(&def, &space);
    if (status != RF_OK) return status;
    status = rf_scene_new(def.allocator, space, out);
    if (status != RF_OK) rf_space_free(space);
    return status;
}

// argv: world, version, options, level.
ERL_NIF_TERM nif_hits_open(ErlNifEnv *env, int argc, const ERL_NIF_TERM argv[]) {
    nif_world *world;
    uint64_t version;
    rf_scene *scene;
    rf_status status;
    if (!nif_world_args(env, argv, &world, &version)) return enif_make_badarg(env);
    if (nif_on_normal_scheduler()) return nif_go_dirty(env, "hits_open", nif_hits_open, argc, argv);
    status = open_scene(env, argv[2], &scene);
    if (status == RF_OK) status = nif_read_level(env, argv[3], rf_scene_space(scene));
    if (status == RF_OK) {
        nif_world_lock_fold(world, true);
        status = nif_world_is_newest(world, version) ? RF_OK : RF_FOLDED_ON;
        if (status == RF_OK) {
            rf_scene *old = world->scene;
            world->scene = scene;
            scene = old;
        }
        nif_world_unlock_fold(world);
    }
    rf_scene_free(scene);
    return status == RF_OK ? nif_atom.ok : nif_error(env, status);
}

// With the fold lock held: updates the scene to the world's current state.
static rf_status follow(ErlNifEnv *env, nif_world *world, uint64_t version) {
    rf_status status = nif_world_is_newest(world, version) ? RF_OK : RF_FOLDED_ON;
    if (status == RF_OK && !world->scene) status = open_scene(env, nif_atom.nil, &world->scene);
    return status == RF_OK ? rf_scene_follow(world->scene, world->world) : status;
}

// How long a shot takes does not show in how many there are: the time is charged.
static void charge_since(ErlNifEnv *env, ErlNifTime start) {
    nif_charge(env, (enif_monotonic_time(ERL_NIF_USEC) - start) * UNITS_PER_US);
}

static bool too_much(const nif_world *world, size_t count) {
    return nif_on_normal_scheduler() && (count > NORMAL_SHOTS || rf_world_count(world->world) > NORMAL_ENTITIES);
}

// The first shot indexes the level, of whatever size it is.
static bool must_index(const nif_world *world) {
    return world->scene && !rf_space_indexed(rf_scene_space(world->scene));
}

// argv: world, version, time.
ERL_NIF_TERM nif_hits_mark(ErlNifEnv *env, int argc, const ERL_NIF_TERM argv[]) {
    nif_world *world;
    uint64_t version;
    double time;
    bool dirty;
    ErlNifTime start = enif_monotonic_time(ERL_NIF_USEC);
    rf_status status = RF_OK;
    if (!nif_world_args(env, argv, &world, &version) || !enif_get_double(env, argv[2], &time))
        return enif_make_badarg(env);
    if (!nif_world_lock_fold(world, !nif_on_normal_scheduler()))
        return nif_go_dirty(env, "hits_mark", nif_hits_mark, argc, argv);
    dirty = too_much(world, 0);
    if (!dirty) status = follow(env, world, version);
    if (!dirty && status == RF_OK) status = rf_scene_mark(world->scene, world->world, time);
    nif_world_unlock_fold(world);
    if (dirty) return nif_go_dirty(env, "hits_mark", nif_hits_mark, argc, argv);
    if (nif_on_normal_scheduler()) charge_since(env, start);
    return status == RF_OK ? nif_atom.ok : nif_error(env, status);
}

// ---- a batch ------------------------------------------------------------------------------------

// Shots or zones, and their results.
typedef struct nif_batch {
    ErlNifEnv *env;
    nif_world *world;
    uint64_t version;
    bool zones;
    bool locked;  // the caller has the fold lock, on a normal scheduler
    bool crowded; // there were too many hits for one
    ErlNifTime start;
    size_t count, size; // at most so many at a time
    rf_hits hits;
    rf_shot *shots; // or
    rf_zone *zone;
    rf_answer *answers;
    rf_status *unreadable; // RF_OK if it could be read
} nif_batch;

// A single allocation, smaller on a normal scheduler: touching fresh memory takes time.
static nif_batch *batch_new(ErlNifEnv *env, nif_world *world, uint64_t version, bool zones, bool locked) {
    size_t size = locked ? NORMAL_BATCH : BATCH, item = zones ? sizeof(rf_zone) : sizeof(rf_shot);
    nif_batch *batch = enif_alloc(sizeof *batch + size * (item + sizeof(rf_answer) + sizeof(rf_status)));
    char *behind;
    if (!batch) return NULL;
    behind = (char *)(batch + 1);
    *batch =
        (nif_batch){.env = env, .world = world, .version = version, .zones = zones, .locked = locked, .size = size};
    batch->start = locked ? enif_monotonic_time(ERL_NIF_USEC) : 0;
    batch->hits = rf_hits_new(nif_allocator(), locked ? NORMAL_HITS : HITS_MAX);
    if (zones)
        batch->zone = (rf_zone *)(void *)behind;
    else
        batch->shots = (rf_shot *)(void *)behind;
    batch->answers = (rf_answer *)(void *)(behind + size * item);
    batch->unreadable = (rf_status *)(void *)(batch->answers + size);
    return batch;
}

// Whether the call has run too long for a normal scheduler.
static bool batch_is_late(const nif_batch *batch) {
    return batch->locked && enif_monotonic_time(ERL_NIF_USEC) - batch->start > NORMAL_US;
}

// On a normal scheduler, what can take long is a batch of its own, since the time is looked at after each: what can
// have many hits, and what is cast at a past moment, which is indexed when it is first asked for.
static bool batch_is_full(const nif_batch *batch) {
    const rf_shot *last = batch->zones ? NULL : &batch->shots[batch->count - 1];
    if (batch->count == batch->size) return true;
    return batch->locked && (!last || last->kind != RF_SHOT_FIRST || last->moment.kind != RF_NOW);
}

static void batch_free(nif_batch *batch) {
    rf_hits_free(&batch->hits);
    enif_free(batch);
}

// A term that cannot be read is cast as a shot without direction; its answer is the reading error.
static void batch_add(nif_batch *batch, ERL_NIF_TERM term) {
    size_t i = batch->count++;
    batch->unreadable[i] = batch->zones ? nif_read_zone(batch->env, term, &batch->zone[i])
                                        : nif_read_shot(batch->env, term, &batch->shots[i]);
    if (batch->unreadable[i] == RF_OK) return;
    if (batch->zones)
        batch->zone[i] = (rf_zone){.mask = 0};
    else
        batch->shots[i] = (rf_shot){.kind = RF_SHOT_FIRST};
}

// With the fold lock held.
static rf_status batch_run(nif_batch *batch) {
    rf_space *space = rf_scene_space(batch->world->scene);
    rf_status status;
    batch->hits.len = 0;
    status = batch->zones ? rf_overlap(space, batch->zone, batch->count, batch->answers, &batch->hits)
                          : rf_cast(space, batch->shots, batch->count, batch->answers, &batch->hits);
    for (size_t i = 0; i < batch->count && batch->locked; i++)
        batch->crowded |= batch->answers[i].status == RF_TOO_LARGE;
    return status;
}

static rf_status answer_status(const nif_batch *batch, size_t i) {
    return batch->unreadable[i] != RF_OK ? batch->unreadable[i] : batch->answers[i].status;
}

// {hits, seq, blend}, with seq nil for RF_NOW; or a reason.
static ERL_NIF_TERM answer_term(const nif_batch *batch, size_t i) {
    ErlNifEnv *env = batch->env;
    const rf_answer *answer = &batch->answers[i];
    rf_status status = answer_status(batch, i);
    bool now = (batch->zones ? batch->zone[i].moment.kind : batch->shots[i].moment.kind) == RF_NOW;
    ERL_NIF_TERM list = enif_make_list(env, 0);
    if (status != RF_OK) return nif_atom.reasons[status];
    if (answer->count == 0) return list;
    for (size_t k = answer->count; k-- > 0;)
        list = enif_make_list_cell(env, nif_make_hit(env, &batch->hits.items[answer->first + k]), list);
    return enif_make_tuple3(env, list, now ? nif_atom.nil : enif_make_uint64(env, answer->seq),
                            enif_make_double(env, answer->blend));
}

// Tests the batch. The ids in the hits belong to the world, so the terms are made under its lock.
static rf_status batch_answer(nif_batch *batch, ERL_NIF_TERM *answers) {
    rf_status status;
    if (!batch->locked) nif_world_lock_fold(batch->world, true);
    status = follow(batch->env, batch->world, batch->version);
    if (status == RF_OK) status = batch_run(batch);
    for (size_t i = 0; i < batch->count && status == RF_OK && !batch->crowded; i++)
        *answers = enif_make_list_cell(batch->env, answer_term(batch, i), *answers);
    if (!batch->locked) nif_world_unlock_fold(batch->world);
    batch->count = 0;
    return status;
}

// ---- lists --------------------------------------------------------------------------------------

// {:ok, answers}, the last one first; 0: takes too long for this scheduler.
static ERL_NIF_TERM answer_list(nif_batch *batch, ERL_NIF_TERM list) {
    ERL_NIF_TERM answers = enif_make_list(batch->env, 0), item;
    rf_status status = RF_OK;
    while (status == RF_OK && enif_get_list_cell(batch->env, list, &item, &list)) {
        batch_add(batch, item);
        if (!batch_is_full(batch)) continue;
        status = batch_answer(batch, &answers);
        if (batch->crowded || (batch_is_late(batch) && !enif_is_empty_list(batch->env, list))) return 0;
    }
    if (status == RF_OK) status = batch_answer(batch, &answers);
    if (batch->crowded) return 0;
    return status == RF_OK ? enif_make_tuple2(batch->env, nif_atom.ok, answers) : nif_error(batch->env, status);
}

// ---- packed rays --------------------------------------------------------------------------------

// The owners that shots refer to, and the ids of targets that were hit: both by number, counted from 1.
typedef struct nif_packed {
    const uint8_t *shots;
    size_t count;
    const ERL_NIF_TERM *owner_terms;
    rf_str *owners;
    size_t owner_count;
    rf_packed_ids ids;
    ERL_NIF_TERM id_list; // last first
} nif_packed;

// Tests the batch and adds new ids to the list. They belong to the world, so the terms are made under its lock.
static rf_status answer_packed_batch(nif_batch *batch, nif_packed *packed, uint8_t *answers) {
    uint32_t known = packed->ids.len;
    rf_status status;
    if (!batch->locked) nif_world_lock_fold(batch->world, true);
    status = follow(batch->env, batch->world, batch->version);
    if (status == RF_OK) status = batch_run(batch);
    if (status == RF_OK)
        status = rf_packed_answers_write(batch->answers, batch->unreadable, batch->count, &batch->hits, &packed->ids,
                                         answers);
    for (uint32_t i = known; i < packed->ids.len; i++)
        packed->id_list =
            enif_make_list_cell(batch->env, nif_binary(batch->env, packed->ids.items[i]), packed->id_list);
    if (!batch->locked) nif_world_unlock_fold(batch->world);
    batch->count = 0;
    return status;
}

// {:ok, {answers, ids}}, the last id first; 0: takes too long for this scheduler.
static ERL_NIF_TERM answer_packed(nif_batch *batch, nif_packed *packed) {
    ERL_NIF_TERM binary;
    rf_status status = RF_OK;
    bool late = false;
    uint8_t *answers = enif_make_new_binary(batch->env, packed->count * RF_PACKED_ANSWER_SIZE, &binary);
    packed->id_list = enif_make_list(batch->env, 0);
    for (size_t done = 0; done < packed->count && status == RF_OK && !late;) {
        size_t left = packed->count - done, first = done;
        batch->count = left < batch->size ? left : batch->size;
        done += batch->count;
        rf_packed_rays_read(packed->shots + first * RF_PACKED_RAY_SIZE, batch->count, packed->owners,
                            packed->owner_count, batch->shots, batch->unreadable);
        status = answer_packed_batch(batch, packed, answers + first * RF_PACKED_ANSWER_SIZE);
        late = done < packed->count && batch_is_late(batch);
    }
    if (late) return 0;
    if (status != RF_OK) return nif_error(batch->env, status);
    return enif_make_tuple2(batch->env, nif_atom.ok, enif_make_tuple2(batch->env, binary, packed->id_list));
}

// {:packed, shots, owners}: a binary and a tuple of ids.
static bool read_packed(ErlNifEnv *env, ERL_NIF_TERM term, nif_packed *out) {
    const ERL_NIF_TERM *parts;
    int arity, owners;
    rf_str shots;
    if (!enif_get_tuple(env, term, &arity, &parts) || arity != 3 || !enif_is_identical(parts[0], nif_atom.packed) ||
        !nif_bytes(env, parts[1], &shots) || shots.len % RF_PACKED_RAY_SIZE != 0 ||
        !enif_get_tuple(env, parts[2], &owners, &out->owner_terms))
        return false;
    out->shots = (const uint8_t *)shots.data;
    out->count = shots.len / RF_PACKED_RAY_SIZE;
    out->owner_count = (size_t)owners;
    return true;
}

// Allocates what it needs. An owner that is not a binary gets no data.
static ERL_NIF_TERM run_packed(nif_batch *batch, nif_packed *packed) {
    ERL_NIF_TERM out;
    packed->owners = enif_alloc((packed->owner_count + 1) * sizeof *packed->owners);
    if (!packed->owners) return nif_error(batch->env, RF_NO_MEMORY);
    for (size_t i = 0; i < packed->owner_count; i++)
        if (!nif_bytes(batch->env, packed->owner_terms[i], &packed->owners[i])) packed->owners[i] = (rf_str){0};
    packed->ids = rf_packed_ids_new(nif_allocator());
    out = answer_packed(batch, packed);
    rf_packed_ids_free(&packed->ids);
    enif_free(packed->owners);
    return out;
}

// ---- both ---------------------------------------------------------------------------------------

static bool read_count(ErlNifEnv *env, ERL_NIF_TERM term, nif_packed *packed, bool *is_list, size_t *count) {
    unsigned length;
    *is_list = enif_get_list_length(env, term, &length);
    if (!*is_list && !read_packed(env, term, packed)) return false;
    *count = *is_list ? length : packed->count + packed->owner_count;
    return true;
}

// 0: takes too long for this scheduler.
static ERL_NIF_TERM run(ErlNifEnv *env, nif_world *world, uint64_t version, const ERL_NIF_TERM input,
                        nif_packed *packed, bool zones, bool locked) {
    nif_batch *batch = batch_new(env, world, version, zones, locked);
    ERL_NIF_TERM out;
    if (!batch) return nif_error(env, RF_NO_MEMORY);
    out = packed ? run_packed(batch, packed) : answer_list(batch, input);
    batch_free(batch);
    return out;
}

static ERL_NIF_TERM answer(ErlNifEnv *env, int argc, const ERL_NIF_TERM argv[], const char *name,
                           nif_function *function, bool zones) {
    nif_packed packed;
    nif_world *world;
    uint64_t version;
    size_t count;
    bool is_list, dirty;
    ErlNifTime start = enif_monotonic_time(ERL_NIF_USEC);
    ERL_NIF_TERM out = nif_atom.nil;
    if (!nif_world_args(env, argv, &world, &version) || !read_count(env, argv[2], &packed, &is_list, &count) ||
        (zones && !is_list))
        return enif_make_badarg(env);
    if (!nif_on_normal_scheduler()) return run(env, world, version, argv[2], is_list ? NULL : &packed, zones, false);
    if (!nif_world_lock_fold(world, false)) return nif_go_dirty(env, name, function, argc, argv);
    dirty = too_much(world, count) || (!zones && must_index(world));
    if (!dirty) out = run(env, world, version, argv[2], is_list ? NULL : &packed, zones, true);
    nif_world_unlock_fold(world);
    if (dirty || out == 0) return nif_go_dirty(env, name, function, argc, argv);
    charge_since(env, start);
    return out;
}

ERL_NIF_TERM nif_hits_cast(ErlNifEnv *env, int argc, const ERL_NIF_TERM argv[]) {
    return answer(env, argc, argv, "hits_cast", nif_hits_cast, false);
}

ERL_NIF_TERM nif_hits_overlap(ErlNifEnv *env, int argc, const ERL_NIF_TERM argv[]) {
    return answer(env, argc, argv, "hits_overlap", nif_hits_overlap, true);
}
