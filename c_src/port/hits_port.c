// Who is hit: shots and zones, a batch at a time.
#include "call.h"
#include "hit_terms.h"

#include <stdlib.h>
#include <string.h>

#define BATCH 256                  // shots
#define HITS_MAX ((size_t)1 << 20) // of one batch
#define SHOT_BYTES 64
#define ANSWER_BYTES 16

static rf_status open_scene(const rf_space_def *def, rf_scene **out) {
    rf_space *space;
    rf_status status = rf_space_new(def, &space);
    *out = NULL;
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

// The scene, brought to where the world is.
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

// Shots or zones on their way, and what became of them.
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

// What could not be read is tested as a shot without direction, and answered with its own reason.
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

// {hits, seq, blend}, seq nil for now; [] for none; or a reason.
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
    // A list of small integers holds no shot.
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
typedef struct port_packed {
    const uint8_t *shots;
    size_t count;
    rf_str *owners;
    uint32_t owner_count;
    uint32_t *numbers; // by handle: the number its id has got, or 0
    uint32_t numbers_capacity;
    rf_str *ids; // of the world, which does not change in the meantime
    uint32_t id_count, id_capacity;
} port_packed;

static void packed_free(port_packed *packed) {
    free(packed->owners);
    free(packed->numbers);
    free(packed->ids);
}

static void add_packed(port_batch *batch, const port_packed *packed, const uint8_t *at) {
    size_t i = batch->count++;
    rf_shot *shot = &batch->shots[i];
    uint32_t owner = read_u32(at + 60);
    *shot = (rf_shot){.kind = RF_SHOT_FIRST, .mask = read_u32(at + 56)};
    for (int k = 0; k < 3; k++) {
        shot->origin[k] = read_f64(at + 8 * k);
        shot->direction[k] = read_f64(at + 24 + 8 * k);
    }
    shot->range = read_f64(at + 48);
    batch->unreadable[i] = owner > packed->owner_count ? RF_INVALID_ARGUMENT : RF_OK;
    if (owner > 0 && owner <= packed->owner_count) shot->owner = packed->owners[owner - 1];
    // An owner that is no binary has no data.
    if (owner > 0 && owner <= packed->owner_count && !shot->owner.data) batch->unreadable[i] = RF_INVALID_ARGUMENT;
}

static bool add_id(port_packed *packed, rf_str id) {
    if (packed->id_count == packed->id_capacity) {
        uint32_t capacity = packed->id_capacity * 2 + 64;
        rf_str *ids = realloc(packed->ids, capacity * sizeof *ids);
        if (!ids) return false;
        packed->ids = ids;
        packed->id_capacity = capacity;
    }
    packed->ids[packed->id_count++] = id;
    return true;
}

static bool number_of(port_packed *packed, const rf_hit *hit, uint32_t *out) {
    if (hit->number >= packed->numbers_capacity) {
        uint32_t capacity = hit->number * 2 + 64;
        uint32_t *numbers = realloc(packed->numbers, capacity * sizeof *numbers);
        if (!numbers) return false;
        memset(numbers + packed->numbers_capacity, 0, (capacity - packed->numbers_capacity) * sizeof *numbers);
        packed->numbers = numbers;
        packed->numbers_capacity = capacity;
    }
    if (packed->numbers[hit->number] == 0) {
        if (!add_id(packed, hit->id)) return false;
        packed->numbers[hit->number] = packed->id_count;
    }
    *out = packed->numbers[hit->number];
    return true;
}

// Kind (0: nobody, 255: an error, its number behind it), three zero bytes, number, t.
static bool write_answer(const port_batch *batch, port_packed *packed, size_t i, uint8_t *at) {
    rf_status status = answer_status(batch, i);
    const rf_hit *hit;
    uint32_t number;
    uint64_t bits;
    memset(at, 0, ANSWER_BYTES);
    if (status != RF_OK) {
        at[0] = 255;
        write_bytes(at + 4, status, 4);
        return true;
    }
    if (batch->answers[i].count == 0) return true;
    hit = &batch->hits.items[batch->answers[i].first];
    number = hit->number;
    if (hit->kind == RF_HIT_TARGET && !number_of(packed, hit, &number)) return false;
    at[0] = (uint8_t)(hit->kind + 1);
    write_bytes(at + 4, number, 4);
    memcpy(&bits, &hit->t, sizeof bits);
    write_bytes(at + 8, bits, 8);
    return true;
}

static rf_status answer_packed_batch(port_batch *batch, port_packed *packed, uint8_t *answers) {
    rf_status status = batch_run(batch);
    for (size_t i = 0; i < batch->count && status == RF_OK; i++)
        if (!write_answer(batch, packed, i, answers + i * ANSWER_BYTES)) status = RF_NO_MEMORY;
    batch->count = 0;
    return status;
}

// {:packed, shots, owners}, the owners a list of ids as a term in a binary.
static rf_status read_packed(port_reader *reader, port_packed *out) {
    port_reader owners;
    rf_str shots;
    int count;
    *out = (port_packed){0};
    if (!port_read_tuple(reader, 3) || !port_read_this_atom(reader, "packed") || !port_read_binary(reader, &shots) ||
        shots.len % SHOT_BYTES != 0 || !port_read_inner(reader, &owners) || !port_read_list(&owners, &count))
        return RF_INVALID_ARGUMENT;
    out->shots = (const uint8_t *)shots.data;
    out->count = shots.len / SHOT_BYTES;
    out->owner_count = (uint32_t)count;
    out->owners = calloc((size_t)count + 1, sizeof *out->owners);
    if (!out->owners) return RF_NO_MEMORY;
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
    answers = status == RF_OK ? (uint8_t *)port_put_space(call->out, packed.count * ANSWER_BYTES) : NULL;
    for (size_t done = 0; answers && done < packed.count && status == RF_OK;) {
        size_t first = done;
        for (; done < packed.count && batch->count < BATCH; done++)
            add_packed(batch, &packed, packed.shots + done * SHOT_BYTES);
        status = answer_packed_batch(batch, &packed, answers + first * ANSWER_BYTES);
    }
    mark = port_begin(call->out);
    for (uint32_t i = 0; i < packed.id_count; i++) port_put_binary(call->out, packed.ids[i]);
    port_end_list(call->out, mark, packed.id_count);
    batch_free(batch);
    packed_free(&packed);
    return status;
}

// argument: shots as a list, as a term in a binary, or packed
rf_status port_hits_cast(port_call *call) {
    return port_type_of(&call->argument) == PORT_TUPLE ? answer_packed(call) : answer_list(call, false);
}
