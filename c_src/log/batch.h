// batch.h: commits changes of many rooms in one transaction.
#ifndef ROOMFOLD_LOG_BATCH_H
#define ROOMFOLD_LOG_BATCH_H

#include "room.h"

typedef enum log_op_kind {
    LOG_APPEND,   // term, seq (of the last record before), count, bytes: the records, each with a line feed
    LOG_CLAIM,    // bytes: meta; count 1: only over this term, 0 being that of no room; count 0: over any
    LOG_SNAPSHOT, // term, seq, bytes
    LOG_TRIM,     // seq: the first to keep
    LOG_DELETE,   // count 1: only over this term; count 0: over any
    LOG_SWEEP,    // no room: removes some of the remains of deleted rooms
    LOG_OP_KINDS
} log_op_kind;

typedef struct log_op {
    log_op_kind kind;
    rf_str room;
    int64_t term, seq, count;
    rf_str bytes;
} log_op;

typedef struct log_result {
    log_error error; // RF_OK: done and synced
    bool more;       // trim, delete, sweep: there is more to remove, call again
    log_head head;   // of a claim; the caller frees its versions
} log_result;

// Does all operations in one transaction with one sync. An operation that is refused or impossible fails alone.
// results[i] belongs to ops[i].
void log_run(log_store *store, const log_op *ops, size_t count, log_result *results);

typedef enum log_outcome {
    LOG_DONE,
    LOG_REFUSED, // this operation changed nothing
    LOG_BROKEN   // it may be partly done: roll the transaction back
} log_outcome;

// snapshot.c
log_outcome log_snapshot_put(log_store *store, const log_op *op, log_result *result);
// Puts the newest snapshot at or below the seq at_most into store->out; *seq is its seq, 0 if there is none.
bool log_snapshot_get(log_store *store, rf_str name, int64_t at_most, int64_t *seq, log_error *error);

#endif
