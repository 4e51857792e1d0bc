// checkpoint_port.c: saves and restores a world exactly: not only its entities with their values, but also their
// handles and the free handles, so that everything encoded later has the same order.
//
// A checkpoint is {:packed, frame} for a world that mirrors another one's handles. Otherwise it is {:entities, seq,
// [{handle, id, components}], free}, with the free handles in the order in which they will be used.
#include "call.h"
#include "event_terms.h"
#include "term_convert.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// --- placeholders: temporary entities that occupy a handle while higher handles are assigned ----

typedef struct placeholder {
    char id[48];
} placeholder;

// Whether an id begins like those of placeholders, "~SERIES-"; *series is the number.
static bool is_of_series(rf_str id, uint64_t *series) {
    size_t i = 1;
    *series = 0;
    if (id.len < 3 || id.data[0] != '~') return false;
    for (; i < id.len && i < 17 && id.data[i] >= '0' && id.data[i] <= '9'; i++)
        *series = *series * 10 + (uint64_t)(id.data[i] - '0');
    return i < id.len && id.data[i] == '-';
}

static void avoid(rf_str id, uint64_t *series) {
    uint64_t found;
    if (is_of_series(id, &found) && found >= *series) *series = found + 1;
}

static rf_str placeholder_id(placeholder *place, uint64_t series, uint64_t number) {
    int len = snprintf(place->id, sizeof place->id, "~%" PRIu64 "-%" PRIu64, series, number);
    return (rf_str){place->id, (size_t)len};
}

static rf_status put_placeholder(rf_fold *fold, rf_entity_op op, rf_str id) {
    rf_entity_event event = {.op = op, .id = id};
    return rf_event_entities(fold, &event, 1);
}

// --- writing ---------------------------------------------------------------------------------------

static void put_entities(port_answer *out, const rf_world *world) {
    rf_entity entity = {0};
    size_t mark, count = 0;
    port_put_tuple(out, 4);
    port_put_atom(out, "entities");
    port_put_uint(out, rf_world_seq(world));
    mark = port_begin(out);
    for (; out->status == RF_OK && rf_world_next(world, &entity); count++) {
        port_put_tuple(out, 3);
        port_put_uint(out, entity.handle1 - 1);
        port_put_binary(out, rf_world_id(world, entity));
        port_put_components(out, rf_world_components(world, entity));
    }
    port_end_list(out, mark, count);
    mark = port_begin(out);
    count = 0;
    for (uint32_t free1 = 0; out->status == RF_OK && (free1 = rf_world_next_free(world, free1)) != 0; count++)
        port_put_uint(out, free1 - 1);
    port_end_list(out, mark, count);
}

static rf_status put_packed(port_answer *out, const rf_world *world) {
    uint8_t *bytes;
    size_t len;
    rf_status status = rf_encode_packed(world, false, 0, port_room(out), rf_allocator_default(), &bytes, &len);
    if (status != RF_OK) return status;
    port_put_tuple(out, 2);
    port_put_atom(out, "packed");
    port_put_binary(out, (rf_str){(const char *)bytes, len});
    free(bytes);
    return RF_OK;
}

// {:ok, checkpoint}, a term in a binary
rf_status port_world_checkpoint(port_call *call) {
    const rf_world *world = call->world->world;
    rf_status status = RF_OK;
    size_t mark;
    port_put_tuple(call->out, 2);
    port_put_ok(call);
    mark = port_begin(call->out);
    port_put_version(call->out);
    if (call->world->mirror)
        status = put_packed(call->out, world);
    else
        put_entities(call->out, world);
    port_end_binary(call->out, mark);
    return status;
}

// --- reading ---------------------------------------------------------------------------------------

typedef struct restoring {
    rf_fold *fold;
    port_reader entities, free; // positioned after their headers
    int entity_count, free_count;
    uint64_t series;
} restoring;

static bool read_entity(port_reader *reader, uint32_t *handle, rf_str *id, port_reader *components) {
    if (!port_read_tuple(reader, 3) || !port_read_u32(reader, handle) || !port_read_binary(reader, id)) return false;
    *components = *reader;
    port_skip(reader);
    return true;
}

static bool read_entities(port_reader *reader, restoring *it) {
    port_reader entities, components;
    uint32_t handle;
    rf_str id;
    if (!port_read_list(reader, &it->entity_count)) return false;
    it->entities = entities = *reader;
    for (int i = 0; i < it->entity_count; i++) {
        if (!read_entity(&entities, &handle, &id, &components)) return false;
        avoid(id, &it->series);
    }
    if (it->entity_count > 0 && !port_read_tail(&entities)) return false;
    *reader = entities;
    return true;
}

// Free handles are numbers; a few small ones are written as bytes.
static rf_status read_free(port_reader *reader, uint32_t **out, int *count) {
    rf_str bytes = {0};
    uint32_t *handles;
    bool short_form = port_read_bytes(reader, &bytes);
    *out = NULL;
    if (!short_form && !port_read_list(reader, count)) return RF_INVALID_ARGUMENT;
    if (short_form) *count = (int)bytes.len;
    handles = malloc(((size_t)*count + 1) * sizeof *handles);
    if (!handles) return RF_NO_MEMORY;
    *out = handles;
    for (int i = 0; i < *count; i++) {
        if (short_form)
            handles[i] = (uint8_t)bytes.data[i];
        else if (!port_read_u32(reader, &handles[i]))
            return RF_INVALID_ARGUMENT;
    }
    return RF_OK;
}

// Assigns all handles in ascending order, with placeholders on those that will be free.
static rf_status give_out(restoring *it) {
    uint32_t handle = 0, total = (uint32_t)it->entity_count + (uint32_t)it->free_count, next = UINT32_MAX;
    port_reader components = {0};
    int left = it->entity_count;
    placeholder place = {{0}};
    rf_status status = RF_OK;
    rf_str id = {0};
    for (; handle < total && status == RF_OK; handle++) {
        if (next == UINT32_MAX && left-- > 0 && !read_entity(&it->entities, &next, &id, &components))
            return RF_INVALID_ARGUMENT;
        if (next == handle) {
            status = port_event_fold_entity(it->fold, RF_ENTITY_CREATE, id, components);
            next = UINT32_MAX;
        } else {
            status = put_placeholder(it->fold, RF_ENTITY_CREATE, placeholder_id(&place, it->series, handle));
        }
    }
    if (status == RF_OK && (left > 0 || next != UINT32_MAX)) status = RF_INVALID_SNAPSHOT;
    return status;
}

// Deletes the placeholders in reverse order, since the handle freed last is used first.
static rf_status take_back(restoring *it, const uint32_t *handles) {
    placeholder place = {{0}};
    rf_status status = RF_OK;
    for (int i = it->free_count; i-- > 0 && status == RF_OK;)
        status = put_placeholder(it->fold, RF_ENTITY_DELETE, placeholder_id(&place, it->series, handles[i]));
    return status;
}

static rf_status fill(rf_world *world, restoring *it, const uint32_t *handles) {
    rf_report report;
    rf_status status;
    rf_report_init(&report, rf_allocator_default());
    status = rf_fold_new(world, &report, &it->fold);
    if (status == RF_OK) {
        rf_patch_begin(it->fold, rf_world_seq(world));
        status = give_out(it);
        if (status == RF_OK) status = take_back(it, handles);
        rf_patch_end(it->fold);
    }
    rf_fold_free(it->fold);
    if (status == RF_OK && (report.rejected_count > 0 || report.orphaned > 0)) status = RF_INVALID_SNAPSHOT;
    rf_report_free(&report);
    return status;
}

static rf_status restore_entities(port_call *call, port_reader checkpoint, rf_world **out) {
    restoring it = {0};
    uint32_t *handles = NULL;
    uint64_t seq;
    rf_status status = RF_INVALID_ARGUMENT;
    if (!port_read_uint(&checkpoint, &seq) || !read_entities(&checkpoint, &it)) return status;
    status = read_free(&checkpoint, &handles, &it.free_count);
    if (status == RF_OK) status = port_read_world(&call->argument, seq, &call->error, out);
    if (status == RF_OK) status = fill(*out, &it, handles);
    free(handles);
    return status;
}

static rf_status restore_packed(port_call *call, port_reader checkpoint, rf_world **out) {
    rf_schema *schema = NULL;
    uint64_t seq;
    rf_str frame;
    rf_status status;
    if (!port_read_binary(&checkpoint, &frame)) return RF_INVALID_ARGUMENT;
    status = rf_packed_start(rf_allocator_default(), frame, &seq, &schema, &call->error);
    if (status == RF_OK) status = port_read_world(&call->argument, seq, &call->error, out);
    if (status == RF_OK) status = rf_load_packed(*out, frame, &call->error);
    rf_schema_release(schema);
    return status;
}

// argument: {checkpoint, {schema, rules, limits}}. {:ok, version}
rf_status port_world_restore(port_call *call) {
    const port_world *there = port_worlds_find(call->worlds, call->number);
    rf_world *world = NULL;
    port_reader checkpoint;
    rf_status status = RF_INVALID_ARGUMENT;
    bool packed;
    if (there && there->version >= call->version) return port_put_version_of(call);
    if (!port_read_tuple(&call->argument, 2) || !port_read_inner(&call->argument, &checkpoint)) return status;
    packed = port_read_tuple(&checkpoint, 2);
    if (packed ? !port_read_this_atom(&checkpoint, "packed")
               : !port_read_tuple(&checkpoint, 4) || !port_read_this_atom(&checkpoint, "entities"))
        return status;
    status = packed ? restore_packed(call, checkpoint, &world) : restore_entities(call, checkpoint, &world);
    if (status != RF_OK) {
        rf_world_free(world);
        return status;
    }
    status = port_worlds_add(call->worlds, call->number, call->version, world);
    if (status != RF_OK) return status;
    port_worlds_find(call->worlds, call->number)->mirror = packed;
    return port_put_version_of(call);
}
