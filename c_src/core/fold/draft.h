// draft.h: drafts an event, value by value. Inline, because the JSON reader calls these functions for every token.
#ifndef RF_CORE_DRAFT_H
#define RF_CORE_DRAFT_H

#include "fold_state.h"
#include "schema/schema_state.h"
#include "schema/value.h"
#include <math.h>

// The key under which the event's name was; a list of {name, payload} has none.
typedef enum rf_name_place { RF_NAME_IN_LIST, RF_NAME_UNDER_EVENT, RF_NAME_UNDER_EVENT_NAME } rf_name_place;

static inline bool rf_entity_event_kind(rf_str name, rf_event_kind *out) {
    if (name.len != 6) return false;
    if (memcmp(name.data, "update", 6) == 0)
        *out = RF_EVENT_UPDATE;
    else if (memcmp(name.data, "create", 6) == 0)
        *out = RF_EVENT_CREATE;
    else if (memcmp(name.data, "delete", 6) == 0)
        *out = RF_EVENT_DELETE;
    else
        return false;
    return true;
}

// Forgets the previous event, except the arena's contents: names and keys of the new one may be there already.
static inline void rf_draft_reset(rf_fold *fold) {
    fold->unusable = RF_OK;
    fold->rule = NULL;
    fold->kind = RF_EVENT_DOMAIN;
    fold->seq.state = fold->id.state = fold->components_value.state = RF_DRAFT_ABSENT;
    fold->has_components = false;
    fold->declared_seen = 0;
    fold->component_count = 0;
    fold->current = NULL;
    fold->builder.out.len = 0;
    fold->builder.depth = 0;
}

static inline void rf_draft_begin(rf_fold *fold, rf_str name, rf_name_place place) {
    rf_draft_reset(fold);
    fold->name = name;
    if (name.len == 0 || name.len > RF_NAME_MAX) {
        fold->unusable = RF_INVALID_NAME;
        return;
    }
    if (rf_entity_event_kind(name, &fold->kind)) {
        if (place == RF_NAME_UNDER_EVENT_NAME) fold->unusable = RF_UNKNOWN_EVENT;
        return;
    }
    if (place == RF_NAME_UNDER_EVENT) {
        fold->unusable = RF_UNKNOWN_EVENT;
        return;
    }
    fold->rule = fold->world->rules ? rf_rules_find(fold->world->rules, name) : NULL;
    for (uint32_t i = 0; fold->rule && i < fold->rule->field_count; i++) fold->fields[i].state = RF_DRAFT_ABSENT;
}

// What the error of an unusable event is about: its name, if the event is unknown.
static inline rf_str rf_draft_unusable_about(const rf_fold *fold) {
    return fold->unusable == RF_UNKNOWN_EVENT ? fold->name : (rf_str){0};
}

static inline rf_want rf_draft_want(rf_fold *fold, rf_draft *draft, int column, bool is_id) {
    fold->current = draft;
    fold->current_is_id = is_id;
    fold->current_def = column >= 0 ? &fold->world->schema->defs[column] : NULL;
    rf_builder_start(&fold->builder);
    draft->at = fold->builder.out.len;
    draft->reason = RF_OK;
    draft->nested = false;
    if (is_id) return (rf_want){.kind = RF_WANT_STRING};
    if (fold->current_def && fold->current_def->type <= RF_TYPE_F64 && fold->current_def->count > 1)
        return (rf_want){.kind = RF_WANT_NUMBERS, .count = fold->current_def->count};
    return (rf_want){.kind = RF_WANT_VALUE};
}

static inline rf_want rf_draft_nothing(rf_fold *fold) {
    fold->current = NULL;
    return (rf_want){.kind = RF_WANT_NOTHING};
}

// The draft for the payload's value under this key; NULL: not wanted.
static inline rf_draft *rf_draft_find(rf_fold *fold, rf_str key) {
    if (rf_str_eq(key, RF_LIT("seq"))) return &fold->seq;
    if (fold->unusable != RF_OK) return NULL;
    if (fold->kind != RF_EVENT_DOMAIN) {
        if (rf_str_eq(key, RF_LIT("entity_id"))) return &fold->id;
        if (rf_str_eq(key, RF_LIT("components")) && fold->kind != RF_EVENT_DELETE) return &fold->components_value;
        return NULL;
    }
    for (uint32_t i = 0; fold->rule && i < fold->rule->field_count; i++)
        if (rf_str_eq(fold->rule->fields[i].name, key)) return &fold->fields[i];
    return NULL;
}

// The draft as the target of a template's value (template.h), and back.
static inline int rf_draft_target(const rf_fold *fold, const rf_draft *draft) {
    if (!draft) return RF_TARGET_OTHER;
    if (draft == &fold->seq) return RF_TARGET_SEQ;
    if (draft == &fold->id) return RF_TARGET_ID;
    return RF_TARGET_FIELD + (int)(draft - fold->fields);
}

static inline rf_draft *rf_draft_at_target(rf_fold *fold, int target) {
    if (target >= RF_TARGET_FIELD) return &fold->fields[target - RF_TARGET_FIELD];
    if (target == RF_TARGET_OTHER) return NULL;
    return target == RF_TARGET_SEQ ? &fold->seq : &fold->id;
}

// Directs the next value to this draft (of rf_draft_find).
static inline rf_want rf_draft_take(rf_fold *fold, rf_draft *draft) {
    const rf_rule_field *field;
    if (!draft) return rf_draft_nothing(fold);
    if (draft == &fold->seq) return rf_draft_want(fold, draft, -1, false);
    if (draft == &fold->id) return rf_draft_want(fold, draft, -1, true);
    if (draft == &fold->components_value) {
        rf_draft_want(fold, draft, -1, false);
        return (rf_want){.kind = RF_WANT_COMPONENTS};
    }
    field = &fold->rule->fields[draft - fold->fields];
    return rf_draft_want(fold, draft, field->use == RF_USE_NUMBERS ? field->column : -1, field->use == RF_USE_ID);
}

bool rf_draft_grow_components(rf_fold *fold);

// name must live until the event is applied.
static inline rf_want rf_draft_component_at(rf_fold *fold, rf_str name, int column) {
    rf_draft_component *component;
    if (fold->component_count == fold->component_capacity && !rf_draft_grow_components(fold))
        return rf_draft_nothing(fold);
    component = &fold->components[fold->component_count++];
    component->name = name;
    component->column = column;
    component->value.state = RF_DRAFT_ABSENT;
    return rf_draft_want(fold, &component->value, column, false);
}

static inline void rf_draft_give_up(rf_fold *fold, rf_status reason) {
    rf_draft *draft = fold->current;
    if (!draft) return;
    if (reason == RF_NO_MEMORY) fold->no_memory = true;
    draft->state = RF_DRAFT_BAD;
    draft->reason = reason;
    draft->nested = draft->nested || fold->builder.depth > 0;
    fold->builder.out.len = draft->at;
    fold->builder.depth = 0;
    fold->current = NULL;
}

// Call after each piece of a value: checks whether the value is complete, and whether to continue.
static inline bool rf_draft_piece(rf_fold *fold, bool ok) {
    rf_builder *builder = &fold->builder;
    if (!ok) {
        rf_draft_give_up(fold, builder->status);
        return false;
    }
    if (builder->depth > 0) {
        fold->current->nested = true;
        if (builder->out.len - fold->current->at <= fold->world->max_value_bytes) return true;
        rf_draft_give_up(fold, RF_TOO_LARGE);
        return false;
    }
    fold->current->state = RF_DRAFT_TERM;
    fold->current->len = builder->out.len - fold->current->at;
    return true;
}

static inline void rf_draft_null(rf_fold *fold) {
    if (!fold->current) return;
    if (fold->builder.depth == 0)
        fold->current->state = RF_DRAFT_NULL;
    else
        rf_draft_piece(fold, rf_builder_null(&fold->builder));
}

static inline void rf_draft_bool(rf_fold *fold, bool value) {
    if (fold->current) rf_draft_piece(fold, rf_builder_bool(&fold->builder, value));
}

static inline void rf_draft_int(rf_fold *fold, int64_t value) {
    if (fold->current == &fold->seq && fold->builder.depth == 0) {
        fold->seq.state = RF_DRAFT_INT;
        fold->seq.integer = value;
    } else if (fold->current) {
        rf_draft_piece(fold, rf_builder_int(&fold->builder, value));
    }
}

static inline void rf_draft_float(rf_fold *fold, double value) {
    if (fold->current) rf_draft_piece(fold, rf_builder_float(&fold->builder, value));
}

// A number out of range: kept as infinity, so that the value that contains it can still be checked.
static inline void rf_draft_huge(rf_fold *fold) {
    if (!fold->current) return;
    if (fold->current->reason == RF_OK) fold->current->reason = RF_NUMBER_OUT_OF_RANGE;
    rf_draft_piece(fold, rf_builder_float(&fold->builder, (double)INFINITY));
}

// value is valid UTF-8.
static inline void rf_draft_string(rf_fold *fold, rf_str value) {
    if (!fold->current) return;
    if (fold->current_is_id && fold->builder.depth == 0) {
        fold->current->state = RF_DRAFT_STRING;
        fold->current->bytes = value;
    } else {
        rf_draft_piece(fold, rf_builder_string(&fold->builder, value));
    }
}

static inline void rf_draft_numbers(rf_fold *fold, const double *values) {
    rf_draft *draft = fold->current;
    uint8_t *image;
    if (!draft) return;
    image = rf_arena_alloc(&fold->arena, fold->current_def->count * sizeof(double));
    if (!image) {
        rf_draft_give_up(fold, RF_NO_MEMORY);
    } else {
        rf_status status = rf_value_from_numbers(fold->current_def, values, image, &draft->bytes);
        draft->state = status == RF_OK ? RF_DRAFT_IMAGE : RF_DRAFT_BAD;
        draft->reason = status;
    }
}

static inline bool rf_draft_open(rf_fold *fold, bool map) {
    return fold->current && rf_draft_piece(fold, rf_builder_open(&fold->builder, map));
}

static inline bool rf_draft_key(rf_fold *fold, rf_str key) {
    return fold->current && rf_draft_piece(fold, rf_builder_key(&fold->builder, key));
}

static inline bool rf_draft_close(rf_fold *fold) {
    bool ok;
    if (!fold->current) return false;
    ok = rf_builder_close(&fold->builder);
    if (ok && fold->builder.depth == 0) fold->current->nested = true;
    return rf_draft_piece(fold, ok);
}

// Folds an event of numbers (event_entity.c).
rf_status rf_fold_entity(rf_fold *fold, const rf_entity_event *event);
// Applies the event (fold.c).
rf_status rf_fold_apply(rf_fold *fold);
// Its first half: takes the event's seq; false if nothing is to be applied.
bool rf_fold_accept(rf_fold *fold);
// Call instead of rf_event_end for an object without a name, which may change several entities (fold_changes.c).
rf_status rf_fold_changes(rf_fold *fold, rf_str object);
// Counts an event about an entity that no longer exists.
rf_status rf_fold_orphan(rf_fold *fold);
// Counts an event that could not be read.
void rf_fold_unreadable(rf_fold *fold, rf_status reason, uint64_t offset);

#endif
