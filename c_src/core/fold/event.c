// event.c: the public functions that draft an event (event.h), and the slow paths of drafts.
#include <roomfold/event.h>

#include "draft.h"
#include <roomfold/json.h>

bool rf_draft_grow_components(rf_fold *fold) {
    uint32_t capacity = fold->component_capacity ? fold->component_capacity * 2 : 16;
    rf_draft_component *components =
        fold->allocator.resize(fold->allocator.context, fold->components, (size_t)capacity * sizeof *components);
    if (!components) {
        fold->no_memory = true;
        return false;
    }
    fold->components = components;
    fold->component_capacity = capacity;
    return true;
}

void rf_event_begin(rf_fold *fold, rf_str name) {
    rf_arena_reset(&fold->arena);
    rf_draft_begin(fold, name, RF_NAME_IN_LIST);
}

rf_want rf_event_field(rf_fold *fold, rf_str key) {
    return rf_draft_take(fold, rf_draft_find(fold, key));
}

void rf_event_components(rf_fold *fold) {
    fold->has_components = true;
    fold->current = NULL;
}

rf_want rf_event_component(rf_fold *fold, rf_str name) {
    return rf_draft_component_at(fold, name, rf_schema_lookup(fold->world->schema, name));
}

rf_status rf_event_end(rf_fold *fold) {
    rf_status status = rf_fold_apply(fold);
    if (status == RF_OK) fold->index++;
    return status;
}

rf_status rf_event_unreadable(rf_fold *fold, rf_status reason) {
    rf_fold_unreadable(fold, reason, RF_NOWHERE);
    fold->index++;
    return RF_OK;
}

void rf_put_null(rf_fold *fold) {
    rf_draft_null(fold);
}

void rf_put_bool(rf_fold *fold, bool value) {
    rf_draft_bool(fold, value);
}

void rf_put_int(rf_fold *fold, int64_t value) {
    rf_draft_int(fold, value);
}

void rf_put_float(rf_fold *fold, double value) {
    rf_draft_float(fold, value);
}

void rf_put_string(rf_fold *fold, rf_str value) {
    // An id is checked when it is used; everything else is stored, so it must be valid.
    if (!(fold->current_is_id && fold->builder.depth == 0) && !rf_utf8_valid(value))
        rf_draft_give_up(fold, RF_INVALID_UTF8);
    else
        rf_draft_string(fold, value);
}

void rf_put_numbers(rf_fold *fold, const double *values) {
    rf_draft_numbers(fold, values);
}

bool rf_put_open_list(rf_fold *fold) {
    return rf_draft_open(fold, false);
}

bool rf_put_open_map(rf_fold *fold) {
    return rf_draft_open(fold, true);
}

bool rf_put_key(rf_fold *fold, rf_str key) {
    if (rf_utf8_valid(key)) return rf_draft_key(fold, key);
    rf_draft_give_up(fold, RF_INVALID_UTF8);
    return false;
}

bool rf_put_close(rf_fold *fold) {
    return rf_draft_close(fold);
}

void rf_put_bad(rf_fold *fold, rf_status reason) {
    if (reason == RF_NUMBER_OUT_OF_RANGE)
        rf_draft_huge(fold);
    else
        rf_draft_give_up(fold, reason);
}

rf_status rf_patch_begin(rf_fold *fold, uint64_t seq) {
    if (seq < fold->world->seq || seq > RF_SEQ_MAX) return RF_INVALID_ARGUMENT;
    if (seq > fold->world->seq) rf_world_advance(fold->world, seq);
    fold->patching = true;
    return RF_OK;
}

void rf_patch_end(rf_fold *fold) {
    fold->patching = false;
}
