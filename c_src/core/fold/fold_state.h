// fold_state.h: a fold and its current event, for the core's own files. From every source, an event is drafted here
// value by value (draft.h) and then applied (fold.c).
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
    RF_DRAFT_STRING, // an id; `bytes` are the source's
    RF_DRAFT_IMAGE,  // numbers as in the column; `bytes` are in the arena
    RF_DRAFT_TERM,   // a term in the builder, at `at`
    RF_DRAFT_BAD,    // given up before its end
} rf_draft_state;

typedef struct rf_draft {
    rf_draft_state state;
    rf_status reason; // why it is bad; or why it cannot be a term (a number out of range)
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

// An event that needs no draft: an id, an optional seq, and lists of numbers.
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
    uint64_t index;                     // of the current event
    rf_str object;                      // its text, if it is an object without a template
    size_t searched_in_vain;            // bytes, for an end of objects that have none (event_json.c)
    bool patching;                      // between rf_patch_begin and rf_patch_end
    bool no_memory;
    struct rf_admission *admission; // events are only tried out, for this admission; NULL: they are folded

    // The current event.
    rf_event_kind kind;
    rf_str name;         // as given to rf_draft_begin; not set by a template
    rf_status unusable;  // why the event cannot be used, known from its name alone
    const rf_rule *rule; // of a domain event; NULL: unknown
    rf_draft seq, id;
    rf_draft components_value; // the value of "components", if it is not a map
    bool has_components;
    uint64_t declared_seen; // a bit per column: its value has been put
    uint32_t component_count, component_capacity;
    rf_draft_component *components;

    // The current value.
    rf_draft *current; // NULL: the value is not wanted
    const rf_component_def *current_def;
    bool current_is_id;

    struct rf_packed_state *packed; // of a packed frame, or NULL

    // Scratch, freed after each event.
    rf_arena arena;
    uint32_t assign_capacity;
    rf_assign *assigns;

    // From here on large and not zeroed, since a fold may be for a single event.
    rf_builder builder; // the values that are terms
    rf_builder result;  // of an add, put or take
    rf_key_set keys;
    rf_draft fields[RF_RULE_FIELDS]; // of a domain event: those that its rule reads
    rf_templates templates;          // of JSON events
    rf_plain plain;                  // read by a template
};

#endif
