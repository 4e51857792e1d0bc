// fold_state.h: a fold and the event it has at hand, for the core's own files. Whatever source an event comes from, it
// is drafted here value by value (draft.h), then applied (fold.c).
#ifndef RF_CORE_FOLD_STATE_H
#define RF_CORE_FOLD_STATE_H

#include "base/arena.h"
#include "json/builder.h"
#include "world/change.h"
#include "base/key_set.h"
#include "json/number_list.h"
#include "schema/rules_state.h"
#include "template.h"
#include <roomfold/event.h>

typedef enum rf_draft_state {
    RF_DRAFT_ABSENT,
    RF_DRAFT_NULL,
    RF_DRAFT_INT,    // a seq
    RF_DRAFT_STRING, // an id: `bytes` belong to the source
    RF_DRAFT_IMAGE,  // numbers, as the column keeps them: `bytes` are in the arena
    RF_DRAFT_TERM,   // in the builder, at `at`
    RF_DRAFT_BAD,    // could not be put to its end
} rf_draft_state;

typedef struct rf_draft {
    rf_draft_state state;
    rf_status reason; // of a bad one; or why this can't be a term (a number that is too large)
    bool nested;      // it is a list or a map
    size_t at, len;
    rf_str bytes;
    int64_t integer;
} rf_draft;

typedef struct rf_draft_component {
    rf_str name;
    int column;
    rf_draft value;
} rf_draft_component;

// An event that needs no draft: an id, perhaps a seq, and lists of numbers.
typedef struct rf_plain {
    rf_entity_event event;
    rf_numbers numbers[RF_TEMPLATE_VALUES];
    double values[RF_TEMPLATE_VALUES][RF_NUMBERS_MAX];
} rf_plain;

struct rf_fold {
    rf_world *world;
    rf_report *report;
    rf_allocator allocator;
    rf_number_list_reader *number_list; // of JSON text
    uint64_t index;                     // of the event at hand
    rf_str object;                      // its text, if it is an object read in full
    bool patching;                      // all under one seq
    bool no_memory;
    struct rf_admission *admission; // events are only tried out, for this; NULL: they are folded

    // The event at hand.
    rf_event_kind kind;
    rf_str name;         // as rf_draft_begin was given it; what a template read has the name of an event before
    rf_status unusable;  // its name already says no
    const rf_rule *rule; // of a domain event; NULL: unknown
    rf_draft seq, id;
    rf_draft components_value; // what stood under "components", if it was not a map
    bool has_components;
    uint64_t declared_seen; // columns that have been put
    uint32_t component_count, component_capacity;
    rf_draft_component *components;

    // The value at hand.
    rf_draft *current; // NULL: nobody wants it
    const rf_component_def *current_def;
    bool current_is_id;

    struct rf_packed_state *packed; // of a packed frame, or NULL

    // Scratch, given back after each event.
    rf_arena arena;
    uint32_t assign_capacity;
    rf_assign *assigns;

    // From here on large and not zeroed, since one event may be all that a fold folds.
    rf_builder builder; // all values that are terms
    rf_builder result;  // of an add, put or take
    rf_key_set keys;
    rf_draft fields[RF_RULE_FIELDS]; // of a domain event, as many as its rule reads
    rf_templates templates;          // of JSON events
    rf_plain plain;                  // read by one of them
};

#endif
