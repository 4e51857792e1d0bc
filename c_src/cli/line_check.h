// line_check.h: whether any fold takes a line, whatever its rules, its schema and its limits. A world that takes every
// value folds it, so what is no event there is none anywhere.
#ifndef RF_CLI_LINE_CHECK_H
#define RF_CLI_LINE_CHECK_H

#include "changes.h"
#include "journal.h"
#include "offence.h"

// Zero it before the first use.
typedef struct line_check {
    rf_schema *schema; // without components: those that are not declared take any value
    rf_world *world;
    rf_fold *fold;
    rf_report report; // of the line
    uint64_t lines;   // since the world was made
} line_check;

// Folds the journal's event and moves past it. Fails with RF_NO_MEMORY only.
rf_status line_check_fold(line_check *check, journal *log);
// What is wrong with the event that was folded. line: what changes_read made of it; NULL if it failed. False: nothing,
// as far as can be known without its rules.
bool line_check_offence(const line_check *check, const journal *log, const changes *line, offence *out);
void line_check_free(line_check *check);

#endif
