// log.h: reads the log that rooms write into a SQLite database (docs/event-log.md), also while they do.
//
// A library of its own, libroomfold_log (pkg-config roomfold_log), since it needs SQLite; roomfold.h does not include
// it. Nothing is written. One thread at a time uses a log.
#ifndef ROOMFOLD_LOG_H
#define ROOMFOLD_LOG_H

#include <roomfold/status.h>

RF_BEGIN

typedef struct rf_log rf_log;

// Why not, and what there is to say behind the reason's sentence: UTF-8, perhaps empty.
typedef struct rf_log_error {
    rf_status status;
    char detail[512];
} rf_log_error;

// busy_ms: how long to wait for locks of others. RF_LOG_FORMAT if it is no log.
RF_API rf_status rf_log_open(const char *path, int busy_ms, rf_log **out, rf_log_error *error);
RF_API void rf_log_close(rf_log *log);

// What a call gives is valid until the next one. All of it is checked: damage is RF_LOG_DAMAGED.

// Up to `limit` names of rooms behind `after` (empty: from the first), in the order of bytes; each ends with a zero
// byte.
RF_API rf_status rf_log_rooms(rf_log *log, rf_str after, int limit, rf_str *names, rf_log_error *error);

// The seqs of the records that are kept: first = last + 1 if there are none. RF_NO_ROOM.
typedef struct rf_log_span {
    uint64_t first, last;
} rf_log_span;

RF_API rf_status rf_log_room(rf_log *log, rf_str room, rf_log_span *out, rf_log_error *error);

// Records from a seq on, each one line of JSON with a line feed, in a piece of about max_bytes; *next is the seq behind
// them, `from` itself if there are none; 0 after a failure.
RF_API rf_status rf_log_read(rf_log *log, rf_str room, uint64_t from, size_t max_bytes, rf_str *records, uint64_t *next,
                             rf_log_error *error);

// The newest snapshot at or below a seq, as it was given to the log; *seq is 0 if there is none.
RF_API rf_status rf_log_snapshot(rf_log *log, rf_str room, uint64_t at_most, rf_str *data, uint64_t *seq,
                                 rf_log_error *error);

RF_END

#endif
