// journal.h: a log of events, piece by piece: JSON Lines of any length, or one array, which is read whole. Other forms
// of a log are known by their first bytes, and become JSON Lines: packed frames (packed.h) and databases (database.h).
#ifndef RF_CLI_JOURNAL_H
#define RF_CLI_JOURNAL_H

#include "input.h"
#include "packed.h"

typedef struct journal {
    input *from;
    packed *packed;      // belongs to `from`; or NULL
    rf_json_batch batch; // its text is what is in memory
    size_t event;        // where the event at hand starts in it
    size_t whole;        // events that start before this place are in memory to their end
    bool array, inside;  // inside: it has been opened
    bool closed;         // the event at hand is the bracket at its end, with something behind it
    bool database;       // a room wrote it
    bool begins;         // the first line is no event: it says all there is where the log begins
    bool over;           // nothing more will be read
    uint64_t base;       // bytes of the file before the text
    size_t counted;      // the place in the text up to which line feeds have been counted
    uint64_t lines;      // of them
    uint64_t line_start; // the first byte of the line that `counted` is in, as in the file
} journal;

// Where something stands: line and byte, both from 1. A byte order mark does not count.
typedef struct place {
    uint64_t line, column;
} place;

// Where a log is, and how it is read.
typedef struct log_place {
    const char *path;  // "-": standard input
    const char *room;  // of a database; NULL: the only one it has
    rf_schema *schema; // of packed frames that come without one
} log_place;

// An exit code; what is wrong is said.
int journal_open(journal *log, const char *who, const log_place *where);
void journal_close(journal *log);
// Looks for the next event. false: there is none, or the file can't be read on (journal_error).
bool journal_next(journal *log);
// From the event's first byte on, to its end or further.
rf_str journal_text(const journal *log);
// Folds this event.
rf_status journal_fold(journal *log, rf_fold *fold);
// In place of folding it: it has so many bytes. false: what stands behind it, at *at in journal_text, can't stand
// there.
bool journal_skip(journal *log, size_t len, size_t *at);
// In place of an event, whether this is the end of an array with something behind it, at *at in journal_text.
bool journal_closed(const journal *log, size_t *at);
// Of a byte of the event at hand, also after it was folded: an offset into journal_text.
place journal_place(journal *log, size_t offset);
const char *journal_error(const journal *log);
// The schema that the log itself has; NULL if it has none.
rf_schema *journal_schema(const journal *log);

#endif
