// schema_state.h: what is inside a schema, for the core's own files.
#ifndef RF_CORE_SCHEMA_STATE_H
#define RF_CORE_SCHEMA_STATE_H

#include "hash.h"
#include "str.h"
#include <roomfold/schema.h>
#include <stdatomic.h>

#define RF_SCHEMA_TABLE 128 // twice the components, so that a look-up is short

struct rf_schema {
    rf_allocator allocator;
    atomic_uint references;
    size_t count;
    rf_component_def defs[RF_SCHEMA_MAX]; // names point behind the schema
    uint8_t table[RF_SCHEMA_TABLE];       // index plus one, by the name's hash
    char names[];
};

static inline int rf_schema_lookup(const rf_schema *schema, rf_str name) {
    uint32_t at = (uint32_t)rf_hash(name, 0) % RF_SCHEMA_TABLE;
    for (; schema->table[at] != 0; at = (at + 1) % RF_SCHEMA_TABLE) {
        int index = schema->table[at] - 1;
        if (rf_str_eq(schema->defs[index].name, name)) return index;
    }
    return -1;
}

#endif
