// rows.h: which rows of `appends` hold the records of a room.
//
// Rows of all rooms lie in the order in which they came, so that a commit writes at one place, however many rooms it is
// for. Each row names the one before of its room, a room's entry names the newest, and an index has only those rows
// that hold a seq that 256 divides ("marks"). From a mark, or the newest, one goes back.
//
// None of this needs a checksum: a row is one of a room's if it says so and its records end where the next row's
// begin. Where the way is broken, whoever reads looks through the table.
#ifndef ROOMFOLD_LOG_ROWS_H
#define ROOMFOLD_LOG_ROWS_H

#include "room.h"

// The row that holds a record of the room and those behind it, up to a mark or the newest: into store->rows, newest
// first. LOG_NOT_FOUND: the way is broken. LOG_BAD: *error says why nothing can be read.
log_found log_rows_find(log_store *store, const log_room *room, int64_t seq, log_error *error);
// How many were found, and where the i-th of them is.
size_t log_rows_count(const log_store *store);
int64_t log_rows_at(const log_store *store, size_t i);

// Adds a row behind room->newest, which it becomes.
bool log_rows_add(log_store *store, log_room *room, int64_t seq, int64_t count, rf_str text, rf_str sums,
                  log_error *error);

// The same by looking at each row there is: up to one that holds `last`, but not too many at once; none: there is no
// such row. False: *error says why it can't be done.
bool log_rows_scan(log_store *store, const log_room *room, int64_t seq, int64_t last, log_error *error);

// The seq of the row that holds a record, 0 if there is none.
bool log_rows_floor(log_store *store, const log_room *room, int64_t seq, int64_t *out, log_error *error);

// Removes the oldest rows, as far as all of their records are below a seq; *more: there are others. Those behind a
// broken way stay.
bool log_rows_remove(log_store *store, int64_t room, int64_t newest, int64_t below, bool *more, log_error *error);

#endif
