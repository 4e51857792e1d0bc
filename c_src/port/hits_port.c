// hits_port.c: casts shots and tests zones, a batch at a time.
#include "call.h"
#include "hit_terms.h"

#include <stdlib.h>
#include <string.h>

#define BATCH 64                   // shots; few enough to stay in the first-level cache
#define HITS_MAX ((size_t)1 << 20) // hits per batch

static rf_status open_scene(rf_space_def *def, rf_scene **out) {
    rf_space *space;
    rf_status status;
    *out = NULL;
    def->max_targets = UINT32_C(1) << 24; // the most: how many there are is limited by the world
    status = rf_space_new(def, &space);
    if (status != RF_OK) return status;
    status = rf_scene_new(def->allocator, space, out);
    if (status != RF_OK) rf_space_free(space);
    return status;
}

// argument: {{history in ms, states}, level as a term in a binary}
rf_status port_open_hits(port_world *world, port_reader *argument, rf_report *report, rf_error *error) {
    rf_space_def def = rf_space_def_default();
    port_reader level;
    rf_scene *scene = NULL;
    rf_status status;
    (void)report, (void)error;
    if (!port_read_tuple(argument, 2) || !port_read_tuple(argument, 2) || !port_read_float(argument, &def.history_ms) ||
        !port_read_u32(argument, &def.history_states) || !port_read_inner(argument, &level))
        return RF_INVALID_ARGUMENT;
    status = open_scene(&def, &scene);
    if (status == RF_OK) status = port_read_level(&level, rf_scene_space(scene));
    if (status == RF_OK) {
        rf_scene *old = world->scene;
        world->scene = scene;
        scene = old;
    }
    rf_scene_free(scene);
    return status;
}

// Updates the scene to the world's current state.
static rf_status follow(port_world *world) {
    rf_space_def def = rf_space_def_default();
    rf_status status = world->scene ? RF_OK : open_scene(&def, &world->scene);
    return status == RF_OK ? rf_scene_follow(world->scene, world->world) : status;
}

// argument: the time
rf_status port_mark(port_world *world, port_reader *argument, rf_report *report, rf_error *error) {
    double time;
    rf_status status;
    (void)report, (void)error;
    if (!port_read_float(argument, &time)) return RF_INVALID_ARGUMENT;
    status = follow(world);
    return status == RF_OK ? rf_scene_mark(world->scene, world->world, time) : status;
}

// ---- a batch ------------------------------------------------------------------------------------

// Shots or zones, and their results.
typedef struct port_batch {
    rf_space *space;
    bool zones;
    size_t count;
    rf_status unreadable[BATCH]; // RF_OK if it could be read
    rf_shot shots[BATCH];
    rf_zone zone[BATCH];
    rf_answer answers[BATCH];
    rf_hits hits;
} port_batch;

static rf_status batch_new(port_world *world, bool zones, port_batch **out) {
    rf_status status = follow(world);
    port_batch *made;
    *out = NULL;
    if (status != RF_OK) return status;
    made = malloc(sizeof *made);
    if (!made) return RF_NO_MEMORY;
    made->space = rf_scene_space(world->scene);
    made->zones = zones;
    made->count = 0;
    made->hits = rf_hits_new(rf_allocator_default(), HITS_MAX);
    *out = made;
    return RF_OK;
}

static void batch_free(port_batch *batch) {
    if (!batch) return;
    rf_hits_free(&batch->hits);
    free(batch);
}

// A term that cannot be read is cast as a shot without direction; its answer is the reading error.
static void batch_add(port_batch *batch, port_reader *reader) {
    size_t i = batch->count++;
    batch->unreadable[i] =
        batch->zones ? port_read_zone(reader, &batch->zone[i]) : port_read_shot(reader, &batch->shots[i]);
    if (batch->unreadable[i] != RF_OK) {
        batch->shots[i] = (rf_shot){.kind = RF_SHOT_FIRST};
        batch->zone[i] = (rf_zone){.mask = 0};
    }
}

static rf_status batch_run(port_batch *batch) {
    batch->hits.len = 0;
    return batch->zones ? rf_overlap(batch->space, batch->zone, batch->count, batch->answers, &batch->hits)
                        : rf_cast(batch->space, batch->shots, batch->count, batch->answers, &batch->hits);
}

static rf_status answer_status(const port_batch *batch, size_t i) {
    return batch->unreadable[i] != RF_OK ? batch->unreadable[i] : batch->answers[i].status;
}

// {hits, seq, blend}, with seq nil for RF_NOW; [] for no hit; or a reason.
static void put_answer(port_answer *out, const port_batch *batch, size_t i) {
    const rf_answer *answer = &batch->answers[i];
    rf_status status = answer_status(batch, i);
    bool now = (batch->zones ? batch->zone[i].moment.kind : batch->shots[i].moment.kind) == RF_NOW;
    size_t mark;
    if (status != RF_OK) {
        port_put_atom(out, rf_status_name(status));
        return;
    }
    if (answer->count > 0) port_put_tuple(out, 3);
    mark = port_begin(out);
    for (size_t k = 0; k < answer->count; k++) port_put_hit(out, &batch->hits.items[answer->first + k]);
    port_end_list(out, mark, answer->count);
    if (answer->count == 0) return;
    if (now)
        port_put_atom(out, "nil");
    else
        port_put_uint(out, answer->seq);
    port_put_float(out, answer->blend);
}

static rf_status batch_answer(port_batch *batch, port_answer *out) {
    rf_status status = batch_run(batch);
    for (size_t i = 0; i < batch->count && status == RF_OK; i++) put_answer(out, batch, i);
    batch->count = 0;
    return status;
}

// argument: a list of shots or zones as a term in a binary. {:ok, answers}, the first one first.
static rf_status answer_list(port_call *call, bool zones) {
    port_reader list;
    port_batch *batch = NULL;
    rf_status status;
    size_t mark;
    int count;
    if (!port_read_inner(&call->argument, &list)) return RF_INVALID_ARGUMENT;
    // A list of small integers contains no shot.
    if (!port_read_list(&list, &count)) return RF_INVALID_ARGUMENT;
    status = batch_new(call->world, zones, &batch);
    if (status != RF_OK) return status;
    port_put_tuple(call->out, 2);
    port_put_ok(call);
    mark = port_begin(call->out);
    for (int i = 0; i < count && status == RF_OK; i++) {
        batch_add(batch, &list);
        if (batch->count == BATCH) status = batch_answer(batch, call->out);
    }
    if (status == RF_OK) status = batch_answer(batch, call->out);
    port_end_list(call->out, mark, (size_t)count);
    batch_free(batch);
    return status;
}

rf_status port_hits_overlap(port_call *call) {
    return answer_list(call, true);
}

// ---- packed rays --------------------------------------------------------------------------------

// The owners that shots refer to, and the ids of targets that were hit: both by number, counted from 1.
typedef struct port_packed {
    const uint8_t *shots;
    size_t count;
    rf_str *owners;
    size_t owner_count;
    rf_packed_ids ids;
} port_packed;

static void packed_free(port_packed *packed) {
    rf_packed_ids_free(&packed->ids);
    free(packed->owners);
}

static rf_status answer_packed_batch(port_batch *batch, port_packed *packed, uint8_t *answers) {
    rf_status status = batch_run(batch);
    if (status == RF_OK)
        status = rf_packed_answers_write(batch->answers, batch->unreadable, batch->count, &batch->hits, &packed->ids,
                                         answers);
    batch->count = 0;
    return status;
}

// {:packed, shots, owners}, the owners a list of ids as a term in a binary.
static rf_status read_packed(port_reader *reader, port_packed *out) {
    port_reader owners;
    rf_str shots;
    int count;
    *out = (port_packed){.ids = rf_packed_ids_new(rf_allocator_default())};
    if (!port_read_tuple(reader, 3) || !port_read_this_atom(reader, "packed") || !port_read_binary(reader, &shots) ||
        shots.len % RF_PACKED_RAY_SIZE != 0 || !port_read_inner(reader, &owners) || !port_read_list(&owners, &count))
        return RF_INVALID_ARGUMENT;
    out->shots = (const uint8_t *)shots.data;
    out->count = shots.len / RF_PACKED_RAY_SIZE;
    out->owner_count = (size_t)count;
    out->owners = calloc((size_t)count + 1, sizeof *out->owners);
    if (!out->owners) return RF_NO_MEMORY;
    // An owner that is not a binary gets no data.
    for (int i = 0; i < count; i++)
        if (!port_read_binary(&owners, &out->owners[i])) port_skip(&owners);
    return RF_OK;
}

// {:ok, {answers, ids}}
static rf_status answer_packed(port_call *call) {
    port_packed packed;
    port_batch *batch = NULL;
    uint8_t *answers;
    size_t mark;
    rf_status status = read_packed(&call->argument, &packed);
    if (status == RF_OK) status = batch_new(call->world, false, &batch);
    port_put_tuple(call->out, 2);
    port_put_ok(call);
    port_put_tuple(call->out, 2);
    answers = status == RF_OK ? (uint8_t *)port_put_space(call->out, packed.count * RF_PACKED_ANSWER_SIZE) : NULL;
    for (size_t done = 0; answers && done < packed.count && status == RF_OK;) {
        size_t left = packed.count - done, first = done;
        batch->count = left < BATCH ? left : BATCH;
        done += batch->count;
        rf_packed_rays_read(packed.shots + first * RF_PACKED_RAY_SIZE, batch->count, packed.owners, packed.owner_count,
                            batch->shots, batch->unreadable);
        status = answer_packed_batch(batch, &packed, answers + first * RF_PACKED_ANSWER_SIZE);
    }
    mark = port_begin(call->out);
    for (uint32_t i = 0; i < packed.ids.len; i++) port_put_binary(call->out, packed.ids.items[i]);
    port_end_list(call->out, mark, packed.ids.len);
    batch_free(batch);
    packed_free(&packed);
    return status;
}

// argument: shots as a list, as a term in a binary, or packed
rf_status port_hits_cast(port_call *call) {
    return port_type_of(&call->argument) == PORT_TUPLE ? answer_packed(call) : answer_list(call, false);
}
