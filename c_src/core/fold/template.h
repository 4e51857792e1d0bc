// template.h: fast reading of JSON events that look like an earlier one. Most of a stream consists of a few kinds of
// events whose text differs only in its values. So an event that was read in full leaves a template: the text between
// its values, and where each value goes. The next event is compared with that text, and only its values are read: no
// keys, no look-ups, no search for duplicates. An event that matches no template is read in full, with the same result.
#ifndef RF_CORE_TEMPLATE_H
#define RF_CORE_TEMPLATE_H

#include "schema/rules_state.h"
#include <roomfold/event.h>

#define RF_TEMPLATES 8
#define RF_TEMPLATE_VALUES 16
#define RF_TEMPLATE_TEXT 480

typedef enum rf_event_kind { RF_EVENT_CREATE, RF_EVENT_UPDATE, RF_EVENT_DELETE, RF_EVENT_DOMAIN } rf_event_kind;

// Where a value goes, unless it is a component. RF_TARGET_FIELD and above: the fields of the rule.
enum { RF_TARGET_OTHER = -1, RF_TARGET_SEQ, RF_TARGET_ID, RF_TARGET_FIELD };

// The role of a value in an event that needs no draft.
typedef enum rf_plain_role { RF_PLAIN_NOTHING, RF_PLAIN_SEQ, RF_PLAIN_ID, RF_PLAIN_NUMBERS } rf_plain_role;

typedef struct rf_template_value {
    uint16_t literal_at, literal_len; // the text before it
    bool component;
    uint8_t numbers;            // if it is a list of numbers, how many; otherwise 0
    uint8_t role, column;       // of a plain template: rf_plain_role; where numbers go
    int16_t target;             // of a component: its column, or -1
    uint16_t name_at, name_len; // of an undeclared component, in the text
} rf_template_value;

typedef struct rf_template {
    rf_event_kind kind;
    const rf_rule *rule;
    uint32_t used; // when it last matched
    uint8_t count;
    bool has_components;
    bool plain;                 // of an id and lists of numbers only: needs no draft
    rf_entity_op op;            // of a plain one
    uint16_t tail_at, tail_len; // the text after the last value
    rf_template_value values[RF_TEMPLATE_VALUES];
    char text[RF_TEMPLATE_TEXT + 8]; // with padding, so that it can be read as words
} rf_template;

// A value of an event that is read in full.
typedef struct rf_template_mark {
    const char *start, *end;
    bool component;
    unsigned numbers;
    int target;
    rf_str name;
} rf_template_mark;

typedef struct rf_templates {
    uint32_t count, clock, missed;
    // The current event.
    bool marking; // it may still become a template
    uint32_t mark_count;
    rf_template_mark marks[RF_TEMPLATE_VALUES];
    uint8_t order[RF_TEMPLATES]; // in which they are tried
    rf_template templates[RF_TEMPLATES];
} rf_templates;

static inline void rf_templates_init(rf_templates *templates) {
    templates->count = templates->clock = templates->missed = templates->mark_count = 0;
    templates->marking = false;
}

static inline void rf_template_start(rf_templates *templates) {
    templates->marking = true;
    templates->mark_count = 0;
}

// Records a value that has been read. simple: a scalar or a list of numbers; only these can be replaced by other values
// without affecting the text around them.
void rf_template_mark_value(rf_templates *templates, const rf_template_mark *mark, bool simple);
// Makes a template of the event `text`, which has been read. It may replace the least recently used one.
void rf_template_learn(rf_templates *templates, rf_str text, rf_event_kind kind, const rf_rule *rule,
                       bool has_components);

#endif
