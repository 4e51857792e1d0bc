// line_check.h: whether any fold takes a line, whatever its rules, its schema and its limits.
//
// First a world with the log's schema folds it, which is fast, and what it takes is fine. What it refuses is decided by
// a world that takes every value: what is no event there is none anywhere.
#ifndef RF_CLI_LINE_CHECK_H
#define RF_CLI_LINE_CHECK_H

#include "changes.h"
#include "journal.h"
#include "offence.h"

typedef struct check_world {
    rf_schema *schema;
    rf_world *world;
    rf_fold *fold;
    rf_report report; // of the line
    uint64_t lines;   // since the world was made
} check_world;

// Set `schema`, and zero the rest.
typedef struct line_check {
    rf_schema *schema; // the caller's
    check_world usual; // with this schema
    check_world any;   // without components: those that are not declared take any value
    uint64_t seed;     // of their hashes; 0: not drawn yet
} line_check;

// Folds the journal's event and moves past it. line: what changes_read made of it; NULL if it failed. *found: it is no
// event, as far as can be known without its rules, and *out says why. Fails with RF_NO_MEMORY only.
rf_status line_check_next(line_check *check, journal *log, const changes *line, bool *found, offence *out);
void line_check_free(line_check *check);

#endif
