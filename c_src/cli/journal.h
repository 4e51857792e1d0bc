// journal.h: reads a log of events. JSON Lines are read in pieces, so they can have any length; an array is read as a
// whole. Packed frames (packed.h) and databases (database.h) are recognised by their first bytes and converted to JSON
// Lines.
#ifndef RF_CLI_JOURNAL_H
#define RF_CLI_JOURNAL_H

#include "input.h"
#include "packed.h"

typedef struct journal {
    input *from;
    packed *packed;      // owned by `from`; or NULL
    rf_json_batch batch; // its text is the piece in memory
    size_t event;        // where the current event starts in the text
    size_t whole;        // events that start before this offset are completely in memory
    bool array, inside;  // inside: its opening bracket has been read
    bool database;       // it comes from a database
    bool begins;         // the first line is not an event but a snapshot, from which the log starts
    bool over;           // the end of the file has been reached
    uint64_t base;       // bytes of the file before the text
    size_t counted;      // the offset in the text up to which line feeds have been counted
    uint64_t lines;      // line feeds counted
    uint64_t line_start; // the offset in the file of the line that contains `counted`
} journal;

// A position: line and byte, both from 1. A byte order mark is not counted.
typedef struct place {
    uint64_t line, column;
} place;

// Which log to read, and how.
typedef struct log_place {
    const char *path;  // "-": standard input
    const char *room;  // of a database; NULL: its only room
    rf_schema *schema; // of packed frames without a snapshot
} log_place;

// Returns an exit code; prints errors.
int journal_open(journal *log, const char *who, const log_place *where);
void journal_close(journal *log);
// Moves to the next event. False: there is none, or reading failed (journal_error).
bool journal_next(journal *log);
// The text from the event's first byte to its end or further.
rf_str journal_text(const journal *log);
// Folds the event and moves past it.
rf_status journal_fold(journal *log, rf_fold *fold);
// The position of a byte of the current event, given as an offset in journal_text; also after it was folded.
place journal_place(journal *log, size_t offset);
const char *journal_error(const journal *log);
// The schema contained in the log; NULL if none.
rf_schema *journal_schema(const journal *log);

#endif
