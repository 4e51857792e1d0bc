// rules_world.h: worlds with the default schema and the rules of a fuzz target.
#ifndef TESTS_FUZZ_RULES_WORLD_H
#define TESTS_FUZZ_RULES_WORLD_H

#include <roomfold/roomfold.h>
#include <stdlib.h>

// Reads the rules only once, since that takes longer than most inputs.
static inline rf_world_def rules_world_def(rf_str rules_text) {
    static rf_schema *schema;
    static rf_rules *rules;
    rf_world_def def = rf_world_def_default();
    if (!rules && (rf_schema_default(def.allocator, &schema) != RF_OK ||
                   rf_rules_from_json(def.allocator, schema, rules_text, &rules, NULL) != RF_OK))
        abort();
    def.schema = schema;
    def.rules = rules;
    return def;
}

#endif
