// rules.h: rules say, as data, what a domain event does to a world (docs/rules.md).
//
//     {"format": "roomfold-rules", "version": 1, "events": {
//       "player_healed": {"do": [{"op": "add", "entity": "user_id", "component": "health",
//                                 "value": {"field": "amount"}, "min": 0, "max": 100}]}}}
#ifndef ROOMFOLD_RULES_H
#define ROOMFOLD_RULES_H

#include <roomfold/schema.h>

RF_BEGIN

#define RF_RULES_MAX 4096     // events
#define RF_RULE_OPERATIONS 16 // operations of an event
#define RF_RULE_FIELDS 64     // fields that the operations of an event read
#define RF_RULE_SET 64        // components that an operation sets

// Who may send an event. rf_admit refuses an event that is RF_FROM_SYSTEM from a sender that is not trusted; a trusted
// one speaks for the room and may send everything, also what is RF_FROM_USER.
typedef enum rf_sender { RF_FROM_ANY, RF_FROM_USER, RF_FROM_SYSTEM } rf_sender;

// Rules compiled for one schema. Immutable and reference-counted; may be shared between threads.
typedef struct rf_rules rf_rules;

// Compiles rules from JSON. They retain the schema. RF_INVALID_RULES: error->about is a text that names the event and
// says what is wrong with it. JSON errors, with the byte. RF_NO_MEMORY. error may be NULL.
RF_API rf_status rf_rules_from_json(rf_allocator allocator, rf_schema *schema, rf_str text, rf_rules **out,
                                    rf_error *error);
RF_API rf_rules *rf_rules_retain(rf_rules *rules);
// NULL is allowed.
RF_API void rf_rules_release(rf_rules *rules);

// How many events have a rule.
RF_API size_t rf_rules_count(const rf_rules *rules);
// Who may send this event; false if it has no rule.
RF_API bool rf_rules_sender(const rf_rules *rules, rf_str event, rf_sender *out);

// Whether all this event does is to set lists of numbers of one entity. Such an event can be folded as an update, with
// rf_event_entities.
RF_API bool rf_rules_only_numbers(const rf_rules *rules, rf_str event);
// For such an event: true if its rule reads this field; *component is then the index of the component it sets, or -1 if
// the field holds the entity's id.
RF_API bool rf_rules_numbers_field(const rf_rules *rules, rf_str event, rf_str field, int *component);

RF_END

#endif
