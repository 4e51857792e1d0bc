// rules_state.h: compiled rules, for the core's own files. An event's rule is a short program: fields, each read once
// from the payload, and operations on them.
#ifndef RF_CORE_RULES_STATE_H
#define RF_CORE_RULES_STATE_H

#include "base/arena.h"
#include "base/hash.h"
#include "base/str.h"
#include <roomfold/rules.h>
#include <roomfold/term.h>
#include <stdatomic.h>

// Whether this is one of the three entity events, which cannot have rules.
static inline bool rf_is_entity_event(rf_str name) {
    return rf_str_eq(name, RF_LIT("create")) || rf_str_eq(name, RF_LIT("update")) || rf_str_eq(name, RF_LIT("delete"));
}

typedef enum rf_op_kind { RF_OP_CREATE, RF_OP_UPDATE, RF_OP_ADD, RF_OP_PUT, RF_OP_TAKE, RF_OP_DELETE } rf_op_kind;

// How the field's value is read.
typedef enum rf_field_use {
    RF_USE_ID,      // only as an entity's id: a string, not copied
    RF_USE_NUMBERS, // only as a value of one f32 or f64 component (column): its bytes
    RF_USE_TERM,    // anything else: a term
} rf_field_use;

typedef struct rf_rule_field {
    rf_str name;
    rf_field_use use;
    int column;
} rf_rule_field;

// The value that an operation uses: a field's or a constant.
typedef struct rf_operand {
    rf_str component;
    int column;      // in the schema, or -1
    int field;       // index in the rule; -1: the constant
    rf_str constant; // a term; null removes the component
    rf_str image;    // the constant, as in the column
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
    bool sets_numbers; // the rule is a single update with lists of numbers only
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
    uint16_t *table; // index plus one, by the hash of the event's name
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
