// batch.h: changes of many rooms in one commit.
#ifndef ROOMFOLD_LOG_BATCH_H
#define ROOMFOLD_LOG_BATCH_H

#include "room.h"

typedef enum log_op_kind {
    LOG_APPEND,   // term, seq (after which), count, bytes: records, each with a line break
    LOG_CLAIM,    // bytes: meta
    LOG_SNAPSHOT, // term, seq, bytes
    LOG_TRIM,     // seq: the first to keep
    LOG_DELETE,   //
    LOG_SWEEP,    // no room: removes some of what deleted rooms have left
    LOG_OP_KINDS
} log_op_kind;

typedef struct log_op {
    log_op_kind kind;
    rf_str room;
    int64_t term, seq, count;
    rf_str bytes;
} log_op;

typedef struct log_result {
    log_error error; // RF_OK: done, and on the disk
    bool more;       // trim, delete, sweep: call again, there is more to remove
    log_head head;   // claim; its versions are the caller's to free
} log_result;

// Does all of it in one transaction and syncs once. One that is refused or can't be done fails alone; results[i] is
// that of ops[i].
void log_run(log_store *store, const log_op *ops, size_t count, log_result *results);

typedef enum log_outcome {
    LOG_DONE,
    LOG_REFUSED, // nothing was changed
    LOG_BROKEN   // perhaps half of it was done: the transaction has to be rolled back
} log_outcome;

// snapshot.c
log_outcome log_snapshot_put(log_store *store, const log_op *op, log_result *result);
// The newest at or below at_most into store->out, and its seq; 0 if there is none.
bool log_snapshot_get(log_store *store, rf_str name, int64_t at_most, int64_t *seq, log_error *error);

#endif
