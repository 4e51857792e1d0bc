// rules.h: what a domain event does to a world, as data.
#ifndef ROOMFOLD_RULES_H
#define ROOMFOLD_RULES_H

#include <roomfold/schema.h>

RF_BEGIN

#define RF_RULES_MAX 4096     // events
#define RF_RULE_OPERATIONS 16 // operations of one event
#define RF_RULE_FIELDS 64     // fields that one event's operations read
#define RF_RULE_SET 64        // components that one operation sets

typedef enum rf_sender { RF_FROM_ANY, RF_FROM_USER, RF_FROM_SYSTEM } rf_sender;

// Rules compiled for one schema. Immutable once made; shared by reference count, from any thread.
typedef struct rf_rules rf_rules;

// Reads the JSON form (see docs/rules.md) and compiles it. The rules keep the schema.
RF_API rf_status rf_rules_from_json(rf_allocator allocator, rf_schema *schema, rf_str text, rf_rules **out,
                                    rf_error *error);
RF_API rf_rules *rf_rules_retain(rf_rules *rules);
RF_API void rf_rules_release(rf_rules *rules);

RF_API size_t rf_rules_count(const rf_rules *rules);
// Who may send an event; false if there is no rule for it.
RF_API bool rf_rules_sender(const rf_rules *rules, rf_str event, rf_sender *out);

// Whether all that an event of this name can do is to set lists of numbers of one entity; such an event can be folded
// as the update of an entity (rf_event_entities).
RF_API bool rf_rules_only_numbers(const rf_rules *rules, rf_str event);
// Of such an event: whether its rule reads a field of this name, and then the component it sets, or -1 if it holds the
// entity's id.
RF_API bool rf_rules_numbers_field(const rf_rules *rules, rf_str event, rf_str field, int *component);

RF_END

#endif
