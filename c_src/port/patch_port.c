// patch_port.c: applies diffs and loads snapshots that are terms: entities in the order of their ids, under one seq.
#include "call.h"
#include "event_terms.h"
#include "term_convert.h"

#include <stdlib.h>
#include <string.h>

// One entity's part of a patch.
typedef struct port_entry {
    rf_entity_op op;
    rf_str id;
    port_reader components; // not for delete
} port_entry;

typedef struct port_patch {
    rf_status invalid; // the reason if the term is not a valid patch
    uint64_t from, seq;
    port_entry *entries;
    size_t len, capacity;
} port_patch;

// --- reading: RF_OK, RF_NO_MEMORY or patch->invalid ---------------------------------------------------

static rf_status add_entry(port_patch *patch, rf_entity_op op, rf_str id, port_reader components) {
    if (patch->len == patch->capacity) {
        size_t capacity = patch->capacity ? patch->capacity * 2 : 32;
        port_entry *entries = realloc(patch->entries, capacity * sizeof *entries);
        if (!entries) return RF_NO_MEMORY;
        patch->entries = entries;
        patch->capacity = capacity;
    }
    patch->entries[patch->len++] = (port_entry){op, id, components};
    return RF_OK;
}

static int compare_entries(const void *a, const void *b) {
    return port_compare(((const port_entry *)a)->id, ((const port_entry *)b)->id);
}

static void sort_from(port_patch *patch, size_t from) {
    if (patch->len - from > 1) qsort(patch->entries + from, patch->len - from, sizeof(port_entry), compare_entries);
}

// id => components
static rf_status add_map(port_patch *patch, port_reader map, rf_entity_op op) {
    size_t from = patch->len;
    rf_status status = RF_OK;
    rf_str id;
    int count;
    if (!port_read_map(&map, &count)) return patch->invalid;
    for (int i = 0; i < count && status == RF_OK; i++) {
        if (!port_read_binary(&map, &id)) return patch->invalid;
        status = add_entry(patch, op, id, map);
        port_skip(&map);
    }
    sort_from(patch, from);
    return status;
}

static rf_status add_deletes(port_patch *patch, port_reader list) {
    size_t from = patch->len;
    rf_status status = RF_OK;
    rf_str id;
    int count;
    if (!port_read_list(&list, &count)) return patch->invalid;
    for (int i = 0; i < count && status == RF_OK; i++)
        status = port_read_binary(&list, &id) ? add_entry(patch, RF_ENTITY_DELETE, id, list) : patch->invalid;
    if (status == RF_OK && count > 0 && !port_read_tail(&list)) status = patch->invalid;
    sort_from(patch, from);
    return status;
}

// The value under a key of a map.
static bool get(port_reader map, const char *name, port_reader *out) {
    rf_str key;
    int count;
    if (!port_read_map(&map, &count)) return false;
    for (int i = 0; i < count; i++) {
        bool named = port_read_binary(&map, &key);
        if (!named) port_skip(&map);
        *out = map;
        if (named && key.len == strlen(name) && memcmp(key.data, name, key.len) == 0) return true;
        port_skip(&map);
    }
    return false;
}

static bool get_seq(port_reader map, const char *name, uint64_t *out) {
    port_reader value;
    return get(map, name, &value) && port_read_uint(&value, out) && *out <= RF_SEQ_MAX;
}

static rf_status read_diff(port_patch *patch, port_reader diff) {
    port_reader creates, updates, deletes;
    rf_status status;
    if (!get_seq(diff, "from", &patch->from) || !get_seq(diff, "seq", &patch->seq) || patch->seq < patch->from ||
        !get(diff, "creates", &creates) || !get(diff, "updates", &updates) || !get(diff, "deletes", &deletes))
        return patch->invalid;
    status = add_deletes(patch, deletes);
    if (status == RF_OK) status = add_map(patch, creates, RF_ENTITY_CREATE);
    if (status == RF_OK) status = add_map(patch, updates, RF_ENTITY_UPDATE);
    // There can be no changes without a new seq.
    return status == RF_OK && patch->len > 0 && patch->seq == patch->from ? patch->invalid : status;
}

// --- applying --------------------------------------------------------------------------------------

static rf_status apply(const port_patch *patch, port_world *world, rf_report *report) {
    rf_fold *fold = NULL;
    rf_status status;
    if (patch->from != rf_world_seq(world->world)) return RF_SEQ_MISMATCH;
    status = rf_fold_new(world->world, report, &fold);
    if (status != RF_OK) return status;
    status = rf_patch_begin(fold, patch->seq);
    for (size_t i = 0; i < patch->len && status == RF_OK; i++)
        status = port_event_fold_entity(fold, patch->entries[i].op, patch->entries[i].id, patch->entries[i].components);
    rf_patch_end(fold);
    rf_fold_free(fold);
    return status;
}

// argument: a diff as a term in a binary
rf_status port_apply_diff(port_world *world, port_reader *argument, rf_report *report, rf_error *error) {
    port_patch patch = {.invalid = RF_INVALID_DIFF};
    port_reader diff;
    rf_status status;
    (void)error;
    if (!port_read_inner(argument, &diff)) return RF_INVALID_ARGUMENT;
    status = read_diff(&patch, diff);
    if (status == RF_OK) status = apply(&patch, world, report);
    free(patch.entries);
    return status;
}

// argument: entities as a term in a binary
rf_status port_load(port_world *world, port_reader *argument, rf_report *report, rf_error *error) {
    port_patch patch = {.invalid = RF_INVALID_SNAPSHOT};
    port_reader entities;
    rf_status status;
    (void)error;
    if (!port_read_inner(argument, &entities)) return RF_INVALID_ARGUMENT;
    patch.from = patch.seq = rf_world_seq(world->world);
    status = add_map(&patch, entities, RF_ENTITY_CREATE);
    if (status == RF_OK) status = apply(&patch, world, report);
    free(patch.entries);
    return status;
}
