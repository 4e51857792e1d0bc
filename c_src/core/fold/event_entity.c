// event_entity.c: folds entity events of numbers in one call, most of them without a draft.
#include <roomfold/event.h>

#include "draft.h"
#include "world/tight_cell.h"
#include <roomfold/json.h>

#define FAST_COMPONENTS 8

// A component to be stored in its cell.
typedef struct place {
    rf_column *column;
    uint8_t *cell;
    double value[RF_NUMBERS_MAX]; // as in the column
} place;

// Converts to binary32; false if a number is too large. Inlined with a constant count where speed matters.
static inline bool narrow(const double *numbers, uint32_t count, void *out) {
    uint32_t infinite = 0;
    for (uint32_t i = 0; i < count; i++) {
        float value = (float)numbers[i];
        uint32_t bits;
        memcpy(&bits, &value, sizeof bits);
        infinite |= (bits & 0x7f800000) == 0x7f800000;
        memcpy((uint8_t *)out + i * sizeof bits, &bits, sizeof bits);
    }
    return !infinite;
}

static inline bool to_value(const rf_component_def *def, const double *numbers, double *out) {
    if (def->type == RF_TYPE_F64) {
        memcpy(out, numbers, def->count * sizeof *numbers);
        return true;
    }
    switch (def->count) {
    case 3:
        return narrow(numbers, 3, out);
    case 4:
        return narrow(numbers, 4, out);
    default:
        return narrow(numbers, def->count, out);
    }
}

// Finds the cell and converts the numbers. False: the entity does not have the component, or a number is too large.
static inline bool prepare(rf_world *world, uint32_t handle, const rf_numbers *numbers, place *out) {
    rf_column *column = &world->columns[numbers->component];
    rf_column_page *page = rf_column_page_of(column, handle);
    if (!rf_column_has(page, handle)) return false;
    out->column = column;
    out->cell = rf_column_cell(column, page, handle);
    return to_value(&column->def, numbers->values, out->value);
}

static inline void touch(rf_world *world, uint32_t handle) {
    rf_slot_page_touch(rf_world_page(world, handle), handle % RF_PAGE_SIZE, world->history.revision);
}

// Copies; false if the bytes were the same already.
static inline bool replace(void *to, const void *from, size_t size) {
    if (memcmp(to, from, size) == 0) return false;
    memcpy(to, from, size);
    return true;
}

// Stores a value; false if the bits were the same already.
static inline bool store(const place *from, uint32_t handle, uint32_t revision) {
    uint8_t *value = from->cell + from->column->value_offset;
    bool changed;
    if (from->column->log.length > 0 && memcmp(value, from->value, from->column->value_size) != 0)
        rf_column_remember(from->column, handle, from->cell, revision);
    switch (from->column->value_size) {
    case 12:
        changed = replace(value, from->value, 12);
        break;
    case 16:
        changed = replace(value, from->value, 16);
        break;
    default:
        changed = replace(value, from->value, from->column->value_size);
        break;
    }
    if (changed) rf_cell_set_stamp(from->cell, revision);
    return changed;
}

// Whether the event's seq is the next one.
static inline bool is_next(const rf_world *world, const rf_entity_event *event) {
    return (event->seq == 0 || event->seq == world->seq + 1) && world->seq < RF_SEQ_MAX;
}

// Whether the event sets three and four numbers, a position and a rotation, as most events do.
static inline bool is_pose(const rf_world *world, const rf_entity_event *event) {
    return event->count == 2 && world->columns[event->numbers[0].component].tight == 12 &&
           world->columns[event->numbers[1].component].tight == 16;
}

// update_at_once for such an event.
static inline bool update_pose(rf_world *world, uint32_t handle, const rf_numbers *numbers) {
    rf_column *three = &world->columns[numbers[0].component], *four = &world->columns[numbers[1].component];
    rf_column_page *threes = rf_column_page_of(three, handle), *fours = rf_column_page_of(four, handle);
    rf_tight_value position, rotation;
    bool changed;
    if (!rf_column_has(threes, handle) || !rf_column_has(fours, handle)) return false;
    position = rf_tight_of_3(numbers[0].values);
    rotation = rf_tight_of_4(numbers[1].values);
    if (!rf_tight_finite(position) || !rf_tight_finite(rotation)) return false;
    rf_world_advance(world, world->seq + 1);
    changed = rf_tight_store(rf_column_cell(three, threes, handle), 12, position, world->history.revision,
                             rf_column_log(three), handle);
    changed |= rf_tight_store(rf_column_cell(four, fours, handle), 16, rotation, world->history.revision,
                              rf_column_log(four), handle);
    if (changed) touch(world, handle);
    return true;
}

// Returns false, without doing anything, if a draft is needed: an unknown id, a component that the entity does not have
// yet, or a number out of range.
static inline bool update_at_once(rf_fold *fold, const rf_entity_event *event, uint64_t hash) {
    place places[FAST_COMPONENTS];
    rf_world *world = fold->world;
    bool changed = false;
    uint32_t handle = rf_world_lookup(world, event->id, hash);
    if (handle == RF_NO_HANDLE) return false;
    if (is_pose(world, event)) return update_pose(world, handle, event->numbers);
    for (size_t i = 0; i < event->count; i++)
        if (!prepare(world, handle, &event->numbers[i], &places[i])) return false;
    rf_world_advance(world, world->seq + 1);
    for (size_t i = 0; i < event->count; i++) changed |= store(&places[i], handle, world->history.revision);
    if (changed) touch(world, handle);
    return true;
}

// *done stays false and nothing is done where the report would mention something. Fails with RF_NO_MEMORY only.
static rf_status create_at_once(rf_fold *fold, const rf_entity_event *event, uint64_t hash, bool *done) {
    rf_world *world = fold->world;
    rf_assign assigns[FAST_COMPONENTS];
    double values[FAST_COMPONENTS][RF_NUMBERS_MAX];
    uint32_t handle = rf_world_lookup(world, event->id, hash);
    *done = false;
    if (handle == RF_NO_HANDLE && (world->count >= world->max_entities || !rf_utf8_valid(event->id))) return RF_OK;
    for (size_t i = 0; i < event->count; i++) {
        const rf_column *column = &world->columns[event->numbers[i].component];
        if (!to_value(&column->def, event->numbers[i].values, values[i])) return RF_OK;
        assigns[i] =
            (rf_assign){.column = event->numbers[i].component, .image = {(const char *)values[i], column->value_size}};
    }
    *done = true;
    rf_world_advance(world, world->seq + 1);
    return rf_change_create(world, handle, event->id, hash, assigns, event->count);
}

static rf_status delete_at_once(rf_fold *fold, const rf_entity_event *event, uint64_t hash, bool *done) {
    rf_world *world = fold->world;
    uint32_t handle = rf_world_lookup(world, event->id, hash);
    *done = handle != RF_NO_HANDLE;
    if (!*done) return RF_OK;
    rf_world_advance(world, world->seq + 1);
    return rf_change_delete(world, handle, hash);
}

static void draft_numbers(rf_fold *fold, const rf_numbers *numbers, size_t count) {
    rf_event_field(fold, RF_LIT("components"));
    rf_event_components(fold);
    for (size_t i = 0; i < count; i++) {
        int column = numbers[i].component;
        rf_draft_component_at(fold, fold->world->schema->defs[column].name, column);
        rf_draft_numbers(fold, numbers[i].values);
    }
}

static rf_status apply_by_draft(rf_fold *fold, const rf_entity_event *event) {
    static const rf_str names[] = {{"create", 6}, {"update", 6}, {"delete", 6}};
    rf_event_begin(fold, names[event->op]);
    if (event->seq != 0) {
        rf_event_field(fold, RF_LIT("seq"));
        rf_put_int(fold, event->seq <= RF_SEQ_MAX ? (int64_t)event->seq : -1);
    }
    rf_event_field(fold, RF_LIT("entity_id"));
    rf_put_string(fold, event->id);
    if (event->op != RF_ENTITY_DELETE) draft_numbers(fold, event->numbers, event->count);
    return rf_event_end(fold);
}

// ---- several at a time --------------------------------------------------------------------------------

#define PREFETCH_FROM 2048 // entities; smaller worlds are in the cache anyway
#define PREFETCH_EVENTS 16

#if defined(__GNUC__)
#define PREFETCH(address) __builtin_prefetch(address)
#else
#define PREFETCH(address) ((void)(address))
#endif

// The handle that an event is most likely about: the first one with the same 32 bits of hash.
static uint32_t likely_handle(const rf_id_table *ids, uint32_t tag) {
    for (uint32_t at = tag & ids->mask; ids->entries[at] != 0; at = (at + 1) & ids->mask)
        if ((uint32_t)(ids->entries[at] >> 32) == tag) return (uint32_t)ids->entries[at] - 1;
    return RF_NO_HANDLE;
}

static void prefetch_entity(const rf_world *world, uint32_t handle, const rf_entity_event *event) {
    PREFETCH(rf_world_slot(world, handle));
    for (size_t i = 0; i < event->count; i++) {
        const rf_column *column = &world->columns[event->numbers[i].component];
        const rf_column_page *page = rf_column_page_of(column, handle);
        if (!page) continue;
        PREFETCH(page);
        PREFETCH(rf_column_cell(column, page, handle));
    }
}

// Prefetches the memory that the events will touch, so that their cache misses overlap.
static void prefetch(const rf_world *world, const rf_entity_event *events, const uint64_t *hashes, size_t count) {
    for (size_t i = 0; i < count; i++) PREFETCH(&world->ids.entries[rf_id_table_tag(hashes[i]) & world->ids.mask]);
    for (size_t i = 0; i < count; i++) {
        uint32_t handle = likely_handle(&world->ids, rf_id_table_tag(hashes[i]));
        if (handle != RF_NO_HANDLE) prefetch_entity(world, handle, &events[i]);
    }
}

static inline bool is_id(rf_str id) {
    return id.len - 1 < RF_NAME_MAX;
}

// 0 for an invalid id: then the prefetch is useless, but harmless.
static inline uint64_t hash_of(const rf_world *world, const rf_entity_event *event) {
    return is_id(event->id) ? rf_hash(event->id, world->hash_seed) : 0;
}

static inline rf_status apply_at_once(rf_fold *fold, const rf_entity_event *event, uint64_t hash, bool *done) {
    *done = false;
    if (fold->patching || event->count > FAST_COMPONENTS || !is_id(event->id)) return RF_OK;
    if (!is_next(fold->world, event)) return RF_OK;
    switch (event->op) {
    case RF_ENTITY_UPDATE:
        *done = update_at_once(fold, event, hash);
        return RF_OK;
    case RF_ENTITY_CREATE:
        return create_at_once(fold, event, hash, done);
    case RF_ENTITY_DELETE:
        return delete_at_once(fold, event, hash, done);
    }
    return RF_OK;
}

static inline rf_status fold_entity(rf_fold *fold, const rf_entity_event *event, uint64_t hash) {
    bool done;
    rf_status status = apply_at_once(fold, event, hash, &done);
    if (status != RF_OK) return status;
    if (!done) return apply_by_draft(fold, event);
    fold->report->folded++;
    fold->index++;
    return RF_OK;
}

rf_status rf_fold_entity(rf_fold *fold, const rf_entity_event *event) {
    return fold_entity(fold, event, hash_of(fold->world, event));
}

// At most PREFETCH_EVENTS.
static rf_status fold_group(rf_fold *fold, const rf_entity_event *events, size_t count) {
    uint64_t hashes[PREFETCH_EVENTS];
    rf_status status = RF_OK;
    for (size_t i = 0; i < count; i++) hashes[i] = hash_of(fold->world, &events[i]);
    if (count > 1 && fold->world->count >= PREFETCH_FROM) prefetch(fold->world, events, hashes, count);
    for (size_t i = 0; i < count && status == RF_OK; i++) status = fold_entity(fold, &events[i], hashes[i]);
    return status;
}

rf_status rf_event_entities(rf_fold *fold, const rf_entity_event *events, size_t count) {
    rf_status status = RF_OK;
    while (count > 0 && status == RF_OK) {
        size_t group = count < PREFETCH_EVENTS ? count : PREFETCH_EVENTS;
        status = fold_group(fold, events, group);
        events += group;
        count -= group;
    }
    return status;
}
