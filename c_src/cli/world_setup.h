// world_setup.h: the world that a command folds into.
#ifndef RF_CLI_WORLD_SETUP_H
#define RF_CLI_WORLD_SETUP_H

#include <roomfold/roomfold.h>

typedef struct world_setup {
    const char *rules;  // a file, the name of a table that is built in, or "none"; NULL: "doom"
    const char *schema; // a file; NULL: the log's own, or the default schema
    const char *room;   // of a database; NULL: the only one
} world_setup;

// Exit codes; what is wrong is said. The schema is the caller's to release.
int world_setup_schema(const world_setup *setup, const char *who, rf_schema **out);
int world_setup_make(const world_setup *setup, const char *who, rf_schema *schema, rf_world **out);

#endif
