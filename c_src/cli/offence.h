// offence.h: what a rejected event did wrong, and where it stands: the same for every command.
#ifndef RF_CLI_OFFENCE_H
#define RF_CLI_OFFENCE_H

#include <roomfold/roomfold.h>

typedef struct offence {
    size_t at; // in the event's text
    const char *what;
    size_t about_len;             // 0: nothing more to say
    char about[RF_NAME_MAX + 40]; // a name, and what it takes
} offence;

// text: from the event's first byte on. start: where that is in the text that was folded. schema: of the world that
// rejected it. Without memory, `at` may be the event's beginning.
void offence_of(const rf_rejection *entry, rf_str text, size_t start, rf_schema *schema, offence *out);
// Of an error that has been placed.
void offence_of_error(const rf_error *error, size_t at, offence *out);

#endif
