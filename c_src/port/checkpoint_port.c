// checkpoint_port.c: saves and restores a world exactly: not only its entities with their values, but also their
// handles and those to come, so that everything encoded later has the same order.
//
// A checkpoint is {seq, oldest, mirror, [{handle, since, id, components}], free}, with the entities in the order of
// their handles, and the free handles in the order in which they will be used (checkpoint.h).
#include "call.h"
#include "event_terms.h"
#include "term_convert.h"

#include <stdlib.h>

// --- writing ---------------------------------------------------------------------------------------

static void put_entities(port_answer *out, const rf_world *world) {
    rf_entity entity = {0};
    size_t mark = port_begin(out), count = 0;
    for (; out->status == RF_OK && rf_world_next(world, &entity); count++) {
        port_put_tuple(out, 4);
        port_put_uint(out, entity.handle1 - 1);
        port_put_uint(out, rf_world_since(world, entity));
        port_put_binary(out, rf_world_id(world, entity));
        port_put_components(out, rf_world_components(world, entity));
    }
    port_end_list(out, mark, count);
}

static void put_free(port_answer *out, const rf_world *world) {
    size_t mark = port_begin(out), count = 0;
    for (uint32_t free1 = 0; out->status == RF_OK && (free1 = rf_world_next_free(world, free1)) != 0; count++)
        port_put_uint(out, free1 - 1);
    port_end_list(out, mark, count);
}

// {:ok, checkpoint}, a term in a binary
rf_status port_world_checkpoint(port_call *call) {
    const rf_world *world = call->world->world;
    size_t mark;
    port_put_tuple(call->out, 2);
    port_put_ok(call);
    mark = port_begin(call->out);
    port_put_version(call->out);
    port_put_tuple(call->out, 5);
    port_put_uint(call->out, rf_world_seq(world));
    port_put_uint(call->out, rf_world_oldest(world));
    port_put_bool(call->out, rf_world_mirrors(world));
    put_entities(call->out, world);
    put_free(call->out, world);
    port_end_binary(call->out, mark);
    return RF_OK;
}

// --- reading ---------------------------------------------------------------------------------------

typedef struct port_saved {
    uint32_t handle1;
    uint64_t since;
    rf_str id;
    port_reader components;
} port_saved;

typedef struct port_saves {
    uint64_t seq, oldest;
    bool mirror;
    port_saved *entities;
    uint32_t *handles1; // of the entities, then the free ones
    uint32_t count, total;
} port_saves;

static bool read_handle(port_reader *reader, uint32_t *handle1) {
    return port_read_u32(reader, handle1) && ++*handle1 != 0;
}

static bool read_entity(port_reader *reader, port_saved *out) {
    if (!port_read_tuple(reader, 4) || !read_handle(reader, &out->handle1) || !port_read_uint(reader, &out->since) ||
        !port_read_binary(reader, &out->id))
        return false;
    out->components = *reader;
    port_skip(reader);
    return true;
}

static rf_status read_entities(port_reader *reader, port_saves *saves) {
    int count;
    if (!port_read_list(reader, &count)) return RF_INVALID_ARGUMENT;
    saves->entities = malloc(((size_t)count + 1) * sizeof *saves->entities);
    if (!saves->entities) return RF_NO_MEMORY;
    for (saves->count = 0; saves->count < (uint32_t)count; saves->count++)
        if (!read_entity(reader, &saves->entities[saves->count])) return RF_INVALID_ARGUMENT;
    return count == 0 || port_read_tail(reader) ? RF_OK : RF_INVALID_ARGUMENT;
}

static int compare_saved(const void *a, const void *b) {
    const port_saved *left = a, *right = b;
    return (left->since > right->since) - (left->since < right->since);
}

// Sorts the entities by when they came to be.
static rf_status read_handles(port_reader *reader, port_saves *saves) {
    rf_str bytes = {0};
    bool few = port_read_bytes(reader, &bytes); // small numbers may have been written as bytes
    int count = (int)bytes.len;
    if (!few && !port_read_list(reader, &count)) return RF_INVALID_ARGUMENT;
    saves->handles1 = malloc(((size_t)saves->count + (size_t)count + 1) * sizeof *saves->handles1);
    if (!saves->handles1) return RF_NO_MEMORY;
    if (saves->count > 1) qsort(saves->entities, saves->count, sizeof *saves->entities, compare_saved);
    for (saves->total = 0; saves->total < saves->count; saves->total++)
        saves->handles1[saves->total] = saves->entities[saves->total].handle1;
    for (int i = 0; i < count; i++, saves->total++) {
        if (few)
            saves->handles1[saves->total] = (uint8_t)bytes.data[i] + 1u;
        else if (!read_handle(reader, &saves->handles1[saves->total]))
            return RF_INVALID_ARGUMENT;
    }
    return RF_OK;
}

static rf_status read_saves(port_reader *reader, port_saves *out) {
    rf_status status;
    if (!port_read_tuple(reader, 5) || !port_read_uint(reader, &out->seq) || !port_read_uint(reader, &out->oldest) ||
        !port_read_bool(reader, &out->mirror))
        return RF_INVALID_ARGUMENT;
    status = read_entities(reader, out);
    return status == RF_OK ? read_handles(reader, out) : status;
}

static rf_status create_all(rf_fold *fold, const port_saves *saves) {
    rf_status status = RF_OK;
    for (uint32_t i = 0; i < saves->count && status == RF_OK; i++) {
        const port_saved *entity = &saves->entities[i];
        status = rf_patch_begin(fold, entity->since);
        if (status == RF_OK) status = port_event_fold_entity(fold, RF_ENTITY_CREATE, entity->id, entity->components);
    }
    if (status == RF_OK) status = rf_patch_begin(fold, saves->seq);
    rf_patch_end(fold);
    return status;
}

static rf_status fill(rf_world *world, const port_saves *saves) {
    rf_fold *fold = NULL;
    rf_report report;
    rf_status status = rf_world_set_free(world, saves->handles1, saves->total);
    if (status != RF_OK) return status;
    rf_report_init(&report, rf_allocator_default());
    status = rf_fold_new(world, &report, &fold);
    if (status == RF_OK) status = create_all(fold, saves);
    rf_fold_free(fold);
    if (status == RF_OK && (report.rejected_count > 0 || rf_world_count(world) != saves->count))
        status = RF_INVALID_SNAPSHOT;
    rf_report_free(&report);
    rf_world_resume(world, saves->mirror);
    return status;
}

// argument: {checkpoint, {schema, rules, limits}}. {:ok, version}
rf_status port_world_restore(port_call *call) {
    const port_world *there = port_worlds_find(call->worlds, call->number);
    port_saves saves = {0};
    rf_world *world = NULL;
    port_reader checkpoint;
    rf_status status = RF_INVALID_ARGUMENT;
    if (there && there->version >= call->version) return port_put_version_of(call);
    if (!port_read_tuple(&call->argument, 2) || !port_read_inner(&call->argument, &checkpoint)) return status;
    status = read_saves(&checkpoint, &saves);
    if (status == RF_OK) status = port_read_world(&call->argument, saves.oldest, &call->error, &world);
    if (status == RF_OK) status = fill(world, &saves);
    free(saves.entities);
    free(saves.handles1);
    if (status != RF_OK) {
        rf_world_free(world);
        return status;
    }
    status = port_worlds_add(call->worlds, call->number, call->version, world);
    return status == RF_OK ? port_put_version_of(call) : status;
}
