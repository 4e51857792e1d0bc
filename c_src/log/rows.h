// rows.h: finds the rows of `appends` that hold the records of a room.
//
// The rows of all rooms are in the order of their commits, so that a commit writes in one place, no matter how many
// rooms it is for. Each row refers to the previous row of its room, and the room's entry refers to the newest. An index
// contains only "marks": rows with a seq that is a multiple of 256. A search goes backwards from a mark or from the
// newest row.
//
// None of this needs checksums: a row belongs to a room if it says so and its records end where those of the next row
// begin. If this chain is broken, a reader scans the table.
#ifndef ROOMFOLD_LOG_ROWS_H
#define ROOMFOLD_LOG_ROWS_H

#include "room.h"

// Puts the row that holds the record `seq`, and the following rows up to a mark or the newest, into store->rows, newest
// first. LOG_NOT_FOUND: the chain is broken. LOG_BAD: *error says why nothing can be read.
log_found log_rows_find(log_store *store, const log_room *room, int64_t seq, log_error *error);
// The number of rows found, and the position of row i.
size_t log_rows_count(const log_store *store);
int64_t log_rows_at(const log_store *store, size_t i);

// Adds a row after room->newest, and makes it the newest.
bool log_rows_add(log_store *store, log_room *room, int64_t seq, int64_t count, rf_str text, rf_str sums,
                  log_error *error);

// Finds the rows by scanning the table, up to the row that holds `last`, but a limited number per call; no rows: there
// are none. False: *error is the reason.
bool log_rows_scan(log_store *store, const log_room *room, int64_t seq, int64_t last, log_error *error);

// *out is the first seq of the row that holds the record `seq`; 0 if there is none.
bool log_rows_floor(log_store *store, const log_room *room, int64_t seq, int64_t *out, log_error *error);

// Removes the oldest rows, as long as all their records are below the seq `below`; *more: there are further ones. Rows
// beyond a break in the chain stay.
bool log_rows_remove(log_store *store, int64_t room, int64_t newest, int64_t below, bool *more, log_error *error);

#endif
