// read.h: reads records from the database and checks them.
#ifndef ROOMFOLD_LOG_READ_H
#define ROOMFOLD_LOG_READ_H

#include "room.h"

typedef struct log_range {
    int64_t from, to;              // seqs
    int64_t max_bytes, max_events; // of a piece, which has at least one record
    bool until_damage;             // records before damage are a piece, and not an error
} log_range;

// Puts the records of a room, each with a line feed, into store->out. *last is the seq of the last one, or range->from
// - 1 if there are none.
bool log_read(log_store *store, rf_str name, const log_range *range, int64_t *last, log_error *error);
// Reads a room's head; out->term is 0 if there is no such room. The caller frees the versions.
bool log_head_get(log_store *store, rf_str name, log_head *out, log_error *error);

#endif
