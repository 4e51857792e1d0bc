// Who is hit: shots and zones, a batch at a time.
//
// Some are answered where the caller runs, as long as that does not take long: then, and if there are many, all are
// done on a dirty scheduler, in batches between which others get the world. Each batch first brings the targets to
// where the world is.
#include "hit_terms.h"
#include "nif_functions.h"
#include "world_resource.h"

#include <string.h>

#define BATCH 256                  // shots
#define NORMAL_SHOTS 2048          // more than that go to a dirty scheduler,
#define NORMAL_ENTITIES 2000       // and those in a world with more than that,
#define NORMAL_US 250              // and those that take longer, which is looked at
#define NORMAL_BATCH 32            // after so many
#define HITS_MAX ((size_t)1 << 20) // of one batch
#define SHOT_BYTES 64
#define ANSWER_BYTES 16

// A scene with nothing in it. options: {history in ms, states}, or the defaults for nil.
static rf_status open_scene(ErlNifEnv *env, ERL_NIF_TERM options, rf_scene **out) {
    rf_space_def def = rf_space_def_default();
    const ERL_NIF_TERM *parts;
    rf_space *space;
    rf_status status;
    int arity;
    unsigned states;
    *out = NULL;
    def.allocator = nif_allocator();
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

// Under the fold lock: the scene, brought to where the world is.
static rf_status follow(ErlNifEnv *env, nif_world *world, uint64_t version) {
    rf_status status = nif_world_is_newest(world, version) ? RF_OK : RF_FOLDED_ON;
    if (status == RF_OK && !world->scene) status = open_scene(env, nif_atom.nil, &world->scene);
    return status == RF_OK ? rf_scene_follow(world->scene, world->world) : status;
}

static bool too_much(const nif_world *world, size_t count) {
    return nif_on_normal_scheduler() && (count > NORMAL_SHOTS || rf_world_count(world->world) > NORMAL_ENTITIES);
}

// argv: world, version, time.
ERL_NIF_TERM nif_hits_mark(ErlNifEnv *env, int argc, const ERL_NIF_TERM argv[]) {
    nif_world *world;
    uint64_t version;
    double time;
    bool dirty;
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
    return status == RF_OK ? nif_atom.ok : nif_error(env, status);
}

// ---- a batch ------------------------------------------------------------------------------------

// Shots or zones on their way, and what became of them.
typedef struct nif_batch {
    ErlNifEnv *env;
    nif_world *world;
    uint64_t version;
    bool zones;
    bool locked; // the caller has the fold lock, on a normal scheduler
    ErlNifTime start;
    size_t count, size; // at most so many at a time
    rf_hits hits;
    rf_shot *shots; // or
    rf_zone *zone;
    rf_answer *answers;
    rf_status *unreadable; // RF_OK if it could be read
} nif_batch;

// In one piece, and small where the caller runs: memory that nobody has touched yet takes time.
static nif_batch *batch_new(ErlNifEnv *env, nif_world *world, uint64_t version, bool zones, bool locked) {
    size_t size = locked ? NORMAL_BATCH : BATCH, item = zones ? sizeof(rf_zone) : sizeof(rf_shot);
    nif_batch *batch = enif_alloc(sizeof *batch + size * (item + sizeof(rf_answer) + sizeof(rf_status)));
    char *behind = (char *)(batch + 1);
    if (!batch) return NULL;
    *batch =
        (nif_batch){.env = env, .world = world, .version = version, .zones = zones, .locked = locked, .size = size};
    batch->start = locked ? enif_monotonic_time(ERL_NIF_USEC) : 0;
    batch->hits = rf_hits_new(nif_allocator(), HITS_MAX);
    if (zones)
        batch->zone = (rf_zone *)(void *)behind;
    else
        batch->shots = (rf_shot *)(void *)behind;
    batch->answers = (rf_answer *)(void *)(behind + size * item);
    batch->unreadable = (rf_status *)(void *)(batch->answers + size);
    return batch;
}

// On a normal scheduler, for too long already.
static bool batch_is_late(const nif_batch *batch) {
    return batch->locked && enif_monotonic_time(ERL_NIF_USEC) - batch->start > NORMAL_US;
}

static void batch_free(nif_batch *batch) {
    rf_hits_free(&batch->hits);
    enif_free(batch);
}

// What could not be read is tested as a shot without direction, and answered with its own reason.
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

// Under the fold lock.
static rf_status batch_run(nif_batch *batch) {
    rf_space *space = rf_scene_space(batch->world->scene);
    batch->hits.len = 0;
    return batch->zones ? rf_overlap(space, batch->zone, batch->count, batch->answers, &batch->hits)
                        : rf_cast(space, batch->shots, batch->count, batch->answers, &batch->hits);
}

static rf_status answer_status(const nif_batch *batch, size_t i) {
    return batch->unreadable[i] != RF_OK ? batch->unreadable[i] : batch->answers[i].status;
}

// {hits, seq, blend}, seq nil for now; or a reason.
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

// Tests what has been added. The ids in the hits are the world's, so terms are made under its lock.
static rf_status batch_answer(nif_batch *batch, ERL_NIF_TERM *answers) {
    rf_status status;
    if (!batch->locked) nif_world_lock_fold(batch->world, true);
    status = follow(batch->env, batch->world, batch->version);
    if (status == RF_OK) status = batch_run(batch);
    for (size_t i = 0; i < batch->count && status == RF_OK; i++)
        *answers = enif_make_list_cell(batch->env, answer_term(batch, i), *answers);
    if (!batch->locked) nif_world_unlock_fold(batch->world);
    batch->count = 0;
    return status;
}

// ---- lists --------------------------------------------------------------------------------------

// {:ok, answers}, last first; 0: this takes too long here.
static ERL_NIF_TERM answer_list(nif_batch *batch, ERL_NIF_TERM list) {
    ERL_NIF_TERM answers = enif_make_list(batch->env, 0), item;
    rf_status status = RF_OK;
    while (status == RF_OK && enif_get_list_cell(batch->env, list, &item, &list)) {
        batch_add(batch, item);
        if (batch->count < batch->size) continue;
        status = batch_answer(batch, &answers);
        if (batch_is_late(batch)) return 0;
    }
    if (status == RF_OK) status = batch_answer(batch, &answers);
    return status == RF_OK ? enif_make_tuple2(batch->env, nif_atom.ok, answers) : nif_error(batch->env, status);
}

// ---- packed rays --------------------------------------------------------------------------------

static double read_f64(const uint8_t *at) {
    uint64_t bits = 0;
    double out;
    for (int i = 7; i >= 0; i--) bits = bits << 8 | at[i];
    memcpy(&out, &bits, sizeof out);
    return out;
}

static uint32_t read_u32(const uint8_t *at) {
    return (uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
}

static void write_bytes(uint8_t *at, uint64_t value, int count) {
    for (int i = 0; i < count; i++) at[i] = (uint8_t)(value >> (8 * i));
}

// Owners and ids by number, from 1: the owners that shots name, and the targets that were hit.
typedef struct nif_packed {
    const uint8_t *shots;
    size_t count;
    const ERL_NIF_TERM *owners;
    uint32_t owner_count;
    uint8_t *answers;
    uint32_t *ids; // by handle: the number it has got, or 0
    uint32_t ids_capacity, id_count;
    ERL_NIF_TERM id_list; // last first
} nif_packed;

static void add_packed(nif_batch *batch, const nif_packed *packed, const uint8_t *at) {
    size_t i = batch->count++;
    rf_shot *shot = &batch->shots[i];
    uint32_t owner = read_u32(at + 60);
    *shot = (rf_shot){.kind = RF_SHOT_FIRST, .mask = read_u32(at + 56)};
    for (int k = 0; k < 3; k++) {
        shot->origin[k] = read_f64(at + 8 * k);
        shot->direction[k] = read_f64(at + 24 + 8 * k);
    }
    shot->range = read_f64(at + 48);
    batch->unreadable[i] = RF_OK;
    if (owner > packed->owner_count || (owner > 0 && !nif_bytes(batch->env, packed->owners[owner - 1], &shot->owner)))
        batch->unreadable[i] = RF_INVALID_ARGUMENT;
}

static bool number_of(nif_batch *batch, nif_packed *packed, const rf_hit *hit, uint32_t *out) {
    if (hit->number >= packed->ids_capacity) {
        uint32_t capacity = hit->number * 2 + 64;
        uint32_t *ids =
            packed->ids ? enif_realloc(packed->ids, capacity * sizeof *ids) : enif_alloc(capacity * sizeof *ids);
        if (!ids) return false;
        memset(ids + packed->ids_capacity, 0, (capacity - packed->ids_capacity) * sizeof *ids);
        packed->ids = ids;
        packed->ids_capacity = capacity;
    }
    if (packed->ids[hit->number] == 0) {
        packed->ids[hit->number] = ++packed->id_count;
        packed->id_list = enif_make_list_cell(batch->env, nif_binary(batch->env, hit->id), packed->id_list);
    }
    *out = packed->ids[hit->number];
    return true;
}

// Kind (0: nobody, 255: an error, its number behind it), three zero bytes, number, t.
static bool write_answer(nif_batch *batch, nif_packed *packed, size_t i, uint8_t *at) {
    rf_status status = answer_status(batch, i);
    const rf_hit *hit = &batch->hits.items[batch->answers[i].first];
    uint32_t number;
    uint64_t bits;
    memset(at, 0, ANSWER_BYTES);
    if (status != RF_OK) {
        at[0] = 255;
        write_bytes(at + 4, status, 4);
        return true;
    }
    if (batch->answers[i].count == 0) return true;
    number = hit->number;
    if (hit->kind == RF_HIT_TARGET && !number_of(batch, packed, hit, &number)) return false;
    at[0] = (uint8_t)(hit->kind + 1);
    write_bytes(at + 4, number, 4);
    memcpy(&bits, &hit->t, sizeof bits);
    write_bytes(at + 8, bits, 8);
    return true;
}

static rf_status answer_packed_batch(nif_batch *batch, nif_packed *packed, uint8_t *answers) {
    rf_status status;
    if (!batch->locked) nif_world_lock_fold(batch->world, true);
    status = follow(batch->env, batch->world, batch->version);
    if (status == RF_OK) status = batch_run(batch);
    for (size_t i = 0; i < batch->count && status == RF_OK; i++)
        if (!write_answer(batch, packed, i, answers + i * ANSWER_BYTES)) status = RF_NO_MEMORY;
    if (!batch->locked) nif_world_unlock_fold(batch->world);
    batch->count = 0;
    return status;
}

// {:ok, {answers, ids}}, the ids last first; 0: this takes too long here.
static ERL_NIF_TERM answer_packed(nif_batch *batch, nif_packed *packed) {
    ERL_NIF_TERM binary;
    rf_status status = RF_OK;
    bool late = false;
    packed->answers = enif_make_new_binary(batch->env, packed->count * ANSWER_BYTES, &binary);
    packed->id_list = enif_make_list(batch->env, 0);
    for (size_t done = 0; done < packed->count && status == RF_OK && !late;) {
        size_t first = done;
        for (; done < packed->count && batch->count < batch->size; done++)
            add_packed(batch, packed, packed->shots + done * SHOT_BYTES);
        status = answer_packed_batch(batch, packed, packed->answers + first * ANSWER_BYTES);
        late = done < packed->count && batch_is_late(batch);
    }
    if (packed->ids) enif_free(packed->ids);
    if (late) return 0;
    if (status != RF_OK) return nif_error(batch->env, status);
    return enif_make_tuple2(batch->env, nif_atom.ok, enif_make_tuple2(batch->env, binary, packed->id_list));
}

// {:packed, shots, owners}: a binary and a tuple of ids.
static bool read_packed(ErlNifEnv *env, ERL_NIF_TERM term, nif_packed *out) {
    const ERL_NIF_TERM *parts;
    int arity, owners;
    rf_str shots;
    *out = (nif_packed){0};
    if (!enif_get_tuple(env, term, &arity, &parts) || arity != 3 || !enif_is_identical(parts[0], nif_atom.packed) ||
        !nif_bytes(env, parts[1], &shots) || shots.len % SHOT_BYTES != 0 ||
        !enif_get_tuple(env, parts[2], &owners, &out->owners))
        return false;
    out->shots = (const uint8_t *)shots.data;
    out->count = shots.len / SHOT_BYTES;
    out->owner_count = (uint32_t)owners;
    return true;
}

// ---- both ---------------------------------------------------------------------------------------

static bool read_count(ErlNifEnv *env, ERL_NIF_TERM term, nif_packed *packed, bool *is_list, size_t *count) {
    unsigned length;
    *is_list = enif_get_list_length(env, term, &length);
    if (!*is_list && !read_packed(env, term, packed)) return false;
    *count = *is_list ? length : packed->count;
    return true;
}

// 0: this takes too long here.
static ERL_NIF_TERM run(ErlNifEnv *env, nif_world *world, uint64_t version, const ERL_NIF_TERM input,
                        nif_packed *packed, bool zones, bool locked) {
    nif_batch *batch = batch_new(env, world, version, zones, locked);
    ERL_NIF_TERM out;
    if (!batch) return nif_error(env, RF_NO_MEMORY);
    out = packed ? answer_packed(batch, packed) : answer_list(batch, input);
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
    ERL_NIF_TERM out = nif_atom.nil;
    if (!nif_world_args(env, argv, &world, &version) || !read_count(env, argv[2], &packed, &is_list, &count) ||
        (zones && !is_list))
        return enif_make_badarg(env);
    if (!nif_on_normal_scheduler()) return run(env, world, version, argv[2], is_list ? NULL : &packed, zones, false);
    if (!nif_world_lock_fold(world, false)) return nif_go_dirty(env, name, function, argc, argv);
    dirty = too_much(world, count);
    if (!dirty) out = run(env, world, version, argv[2], is_list ? NULL : &packed, zones, true);
    nif_world_unlock_fold(world);
    if (dirty || out == 0) return nif_go_dirty(env, name, function, argc, argv);
    nif_charge(env, (int64_t)count * 50);
    return out;
}

ERL_NIF_TERM nif_hits_cast(ErlNifEnv *env, int argc, const ERL_NIF_TERM argv[]) {
    return answer(env, argc, argv, "hits_cast", nif_hits_cast, false);
}

ERL_NIF_TERM nif_hits_overlap(ErlNifEnv *env, int argc, const ERL_NIF_TERM argv[]) {
    return answer(env, argc, argv, "hits_overlap", nif_hits_overlap, true);
}
