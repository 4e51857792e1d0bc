#include "saves.h"

#include "event_terms.h"

#include <stdlib.h>

void port_saves_free(port_saves *saves) {
    free(saves->entities);
    free(saves->free1);
    rf_world_free(saves->world);
    *saves = (port_saves){0};
}

// --- reading ---------------------------------------------------------------------------------------

bool port_moment_read(port_reader *piece, port_moment *out) {
    return port_read_tuple(piece, 5) && port_read_uint(piece, &out->seq) && port_read_uint(piece, &out->oldest) &&
           port_read_bool(piece, &out->mirror);
}

static bool read_handle(port_reader *reader, uint32_t *handle1) {
    return port_read_u32(reader, handle1) && ++*handle1 != 0;
}

static bool read_entity(port_reader *reader, port_saved *out) {
    if (!port_read_tuple(reader, 4) || !read_handle(reader, &out->handle1) || !port_read_uint(reader, &out->since) ||
        !port_read_binary(reader, &out->id))
        return false;
    out->components = *reader;
    port_skip(reader);
    out->components.end = reader->at;
    return true;
}

// An array with room for so many more, or NULL. It grows by at least a half, so that many pieces do not mean as many
// copies of it.
static void *with_room(void *array, size_t size, size_t used, int count, size_t *capacity) {
    size_t more = used / 2 > (size_t)count ? used / 2 : (size_t)count, wider = used + more + 1;
    void *grown;
    if (array && (size_t)count <= *capacity - used) return array;
    grown = wider <= SIZE_MAX / size ? realloc(array, wider * size) : NULL;
    if (grown) *capacity = wider;
    return grown;
}

static rf_status read_entities(port_reader *reader, port_saves *saves) {
    port_saved *entities;
    int count;
    if (!port_read_list(reader, &count)) return RF_INVALID_ARGUMENT;
    entities = with_room(saves->entities, sizeof *entities, saves->count, count, &saves->capacity);
    if (!entities) return RF_NO_MEMORY;
    saves->entities = entities;
    for (int i = 0; i < count; i++, saves->count++)
        if (!read_entity(reader, &entities[saves->count])) return RF_INVALID_ARGUMENT;
    return count == 0 || port_read_tail(reader) ? RF_OK : RF_INVALID_ARGUMENT;
}

static rf_status read_free(port_reader *reader, port_saves *saves) {
    rf_str bytes = {0};
    bool few = port_read_bytes(reader, &bytes); // small numbers may have been written as bytes
    int count = (int)bytes.len;
    uint32_t *free1;
    if (!few && !port_read_list(reader, &count)) return RF_INVALID_ARGUMENT;
    free1 = with_room(saves->free1, sizeof *free1, saves->free_count, count, &saves->free_capacity);
    if (!free1) return RF_NO_MEMORY;
    saves->free1 = free1;
    for (int i = 0; i < count; i++, saves->free_count++) {
        if (few)
            free1[saves->free_count] = (uint8_t)bytes.data[i] + 1u;
        else if (!read_handle(reader, &free1[saves->free_count]))
            return RF_INVALID_ARGUMENT;
    }
    return RF_OK;
}

rf_status port_saves_read(port_saves *saves, port_reader piece) {
    rf_status status = read_entities(&piece, saves);
    return status == RF_OK ? read_free(&piece, saves) : status;
}

// --- making the world ------------------------------------------------------------------------------

static int compare_saved(const void *a, const void *b) {
    const port_saved *left = a, *right = b;
    return (left->since > right->since) - (left->since < right->since);
}

// The handles in the order in which they are given out: to the entities, then the free ones.
rf_status port_saves_begin(port_saves *saves, rf_world *world) {
    size_t total = saves->count + saves->free_count;
    uint32_t *handles1;
    rf_status status;
    saves->world = world;
    if (total > UINT32_MAX) return RF_WORLD_FULL;
    handles1 = malloc((total + 1) * sizeof *handles1);
    if (!handles1) return RF_NO_MEMORY;
    if (saves->count > 1) qsort(saves->entities, saves->count, sizeof *saves->entities, compare_saved);
    for (size_t i = 0; i < saves->count; i++) handles1[i] = saves->entities[i].handle1;
    for (size_t i = 0; i < saves->free_count; i++) handles1[saves->count + i] = saves->free1[i];
    status = rf_world_set_free(world, handles1, (uint32_t)total);
    free(handles1);
    return status;
}

// Bytes of a piece, all but the first few of the entity's: never more than there are, nor 0.
static size_t size_of(const port_saved *entity) {
    return (size_t)(entity->components.bytes + entity->components.end - entity->id.data);
}

static rf_status create(port_saves *saves, rf_fold *fold, size_t bytes) {
    rf_status status = RF_OK;
    size_t used = 0;
    while (saves->created < saves->count && used < bytes && status == RF_OK) {
        const port_saved *entity = &saves->entities[saves->created++];
        used += size_of(entity);
        status = rf_patch_begin(fold, entity->since);
        if (status == RF_OK) status = port_event_fold_entity(fold, RF_ENTITY_CREATE, entity->id, entity->components);
    }
    if (status == RF_OK && saves->created == saves->count) status = rf_patch_begin(fold, saves->moment.seq);
    rf_patch_end(fold);
    return status;
}

rf_status port_saves_create(port_saves *saves, size_t bytes, bool *all) {
    rf_fold *fold = NULL;
    rf_report report;
    rf_status status;
    rf_report_init(&report, rf_allocator_default());
    status = rf_fold_new(saves->world, &report, &fold);
    if (status == RF_OK) status = create(saves, fold, bytes);
    rf_fold_free(fold);
    if (status == RF_OK && (report.rejected_count > 0 || rf_world_count(saves->world) != saves->created))
        status = RF_INVALID_SNAPSHOT;
    rf_report_free(&report);
    *all = saves->created == saves->count;
    if (status == RF_OK && *all) rf_world_resume(saves->world, saves->moment.mirror);
    return status;
}
