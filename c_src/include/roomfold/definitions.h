// definitions.h: keeps what was compiled last, so that worlds made from the same texts share their schema and rules:
// these are then in the processor's cache for all of them.
#ifndef ROOMFOLD_DEFINITIONS_H
#define ROOMFOLD_DEFINITIONS_H

#include <roomfold/rules.h>

RF_BEGIN

// What is kept: those used last, with not too much text in all, as it compiles to about ten times its size.
#define RF_DEFINITIONS_MAX 16
#define RF_DEFINITIONS_BYTES ((size_t)256 << 10)
#define RF_DEFINITION_BYTES ((size_t)64 << 10) // longer ones are compiled, but not kept

// What a world is made from. Whoever gets one releases it.
typedef struct rf_definition {
    rf_schema *schema;
    rf_rules *rules; // NULL: none
} rf_definition;

// Compiles both texts; rules may be NULL. Fails as rf_schema_from_json and rf_rules_from_json do.
RF_API rf_status rf_definition_from_json(rf_allocator allocator, rf_str schema, const rf_str *rules, rf_definition *out,
                                         rf_error *error);
RF_API void rf_definition_release(rf_definition *definition);

// A list of definitions. One thread at a time may use it; the definitions themselves may be shared between threads, and
// outlive it.
typedef struct rf_definitions rf_definitions;

// RF_NO_MEMORY.
RF_API rf_status rf_definitions_new(rf_allocator allocator, rf_definitions **out);
// NULL is allowed.
RF_API void rf_definitions_free(rf_definitions *definitions);

// The definition for these texts, kept or compiled, with the list's allocator. Fails as rf_definition_from_json does:
// what fails, and what there is no memory to keep, is not kept.
RF_API rf_status rf_definitions_get(rf_definitions *definitions, rf_str schema, const rf_str *rules, rf_definition *out,
                                    rf_error *error);

// The two halves of it, for threads that share a list under a lock and compile outside it.
// False: no definition is kept for exactly these texts.
RF_API bool rf_definitions_find(rf_definitions *definitions, rf_str schema, const rf_str *rules, rf_definition *out);
// Keeps a definition compiled from these texts. If another thread has kept its own in the meantime, that one takes the
// place of *definition. Those not used for longest make room.
RF_API void rf_definitions_keep(rf_definitions *definitions, rf_str schema, const rf_str *rules,
                                rf_definition *definition);

RF_END

#endif
