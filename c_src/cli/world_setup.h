// world_setup.h: makes the world that a command folds into.
#ifndef RF_CLI_WORLD_SETUP_H
#define RF_CLI_WORLD_SETUP_H

#include <roomfold/roomfold.h>

typedef struct world_setup {
    const char *rules;  // a file, the name of built-in rules, or "none"; NULL: "doom"
    const char *schema; // a file; NULL: the log's own, or the default schema
    const char *room;   // of a database; NULL: its only room
} world_setup;

// All return an exit code and print errors.

// Standard input can be only one of the log (path), the rules and the schema.
int world_setup_check(const world_setup *setup, const char *who, const char *path);
// The caller releases the schema.
int world_setup_schema(const world_setup *setup, const char *who, rf_schema **out);
int world_setup_make(const world_setup *setup, const char *who, rf_schema *schema, rf_world **out);

#endif
