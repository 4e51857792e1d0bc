// world_setup.h: the world that a command folds into.
#ifndef RF_CLI_WORLD_SETUP_H
#define RF_CLI_WORLD_SETUP_H

#include <roomfold/roomfold.h>

typedef struct world_setup {
    const char *rules;  // a file, the name of a table that is built in, or "none"; NULL: "doom"
    const char *schema; // a file; NULL: the default schema
} world_setup;

// An exit code; what is wrong is said.
int world_setup_make(const world_setup *setup, const char *who, rf_world **out);

#endif
