// rules_state.h: compiled rules, for the core's own files. An event's rule is a short program: its fields, each read
// once from the payload, and operations over them.
#ifndef RF_CORE_RULES_STATE_H
#define RF_CORE_RULES_STATE_H

#include "base/arena.h"
#include "base/hash.h"
#include "base/str.h"
#include <roomfold/rules.h>
#include <roomfold/term.h>
#include <stdatomic.h>

// The names that say what they do: no rule has one of them.
static inline bool rf_is_entity_event(rf_str name) {
    return rf_str_eq(name, RF_LIT("create")) || rf_str_eq(name, RF_LIT("update")) || rf_str_eq(name, RF_LIT("delete"));
}

typedef enum rf_op_kind { RF_OP_CREATE, RF_OP_UPDATE, RF_OP_ADD, RF_OP_PUT, RF_OP_TAKE, RF_OP_DELETE } rf_op_kind;

// How a field's value is wanted from the source.
typedef enum rf_field_use {
    RF_USE_ID,      // only as an entity's id: a string, not copied
    RF_USE_NUMBERS, // only for one f32 or f64 component (column): its bytes
    RF_USE_TERM,    // anything else: a compact term
} rf_field_use;

typedef struct rf_rule_field {
    rf_str name;
    rf_field_use use;
    int column;
} rf_rule_field;

// What an operation gives a component: a field's value or a constant.
typedef struct rf_operand {
    rf_str component;
    int column;      // in the schema, or -1
    int field;       // in the rule, or -1: the constant
    rf_str constant; // a compact term; a null removes the component
    rf_str image;    // the constant as the column keeps it
} rf_operand;

typedef struct rf_op {
    rf_op_kind kind;
    int entity; // the field that holds the id
    uint32_t count;
    rf_operand *operands; // create, update: sorted by component; add, put, take: one
    rf_term min, max;     // of add; RF_TERM_NULL: none
} rf_op;

typedef struct rf_rule {
    rf_str event;
    rf_sender sender;
    uint32_t field_count, op_count;
    bool sets_numbers; // it is one update, of one entity's components that are lists of numbers
    rf_rule_field *fields;
    rf_op *ops;
} rf_rule;

struct rf_rules {
    rf_allocator allocator;
    atomic_uint references;
    rf_schema *schema;
    rf_arena arena; // everything below
    uint32_t count, mask;
    rf_rule *rules;
    uint16_t *table; // index plus one, by the event's hash
};

static inline const rf_rule *rf_rules_find(const rf_rules *rules, rf_str event) {
    uint32_t at = (uint32_t)rf_hash(event, 0) & rules->mask;
    for (; rules->table[at] != 0; at = (at + 1) & rules->mask) {
        const rf_rule *rule = &rules->rules[rules->table[at] - 1];
        if (rf_str_eq(rule->event, event)) return rule;
    }
    return NULL;
}

#endif
