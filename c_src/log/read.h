// read.h: records, out of the database and checked.
#ifndef ROOMFOLD_LOG_READ_H
#define ROOMFOLD_LOG_READ_H

#include "room.h"

typedef struct log_range {
    int64_t from, to;              // seqs
    int64_t max_bytes, max_events; // of one piece, which has at least one record
} log_range;

// The records of a room, each with a line break, into store->out; *last is the last one's seq, or range->from - 1 if
// there are none.
bool log_read(log_store *store, rf_str name, const log_range *range, int64_t *last, log_error *error);
// *out->term is 0 if there is no such room. The versions are the caller's to free.
bool log_head_get(log_store *store, rf_str name, log_head *out, log_error *error);

#endif
