// log.h: reads the log that rooms write into a SQLite database (docs/event-log.md), even while they are writing.
//
//     rf_log_open(path, 1000, &log, &error);
//     rf_log_room(log, room, &span, &error);
//     for (from = span.first; from <= span.last; from = next)
//         rf_log_read(log, room, from, 1 << 20, &records, &next, &error);    stop on errors
//     rf_log_close(log);
//
// It is in a separate library, libroomfold_log (pkg-config roomfold_log), because it needs SQLite; roomfold.h does not
// include it. It never writes. Use a log from one thread at a time.
//
// Every row that is read is verified by its checksum: damage is RF_LOG_DAMAGED. Bytes returned by a call are valid
// until the next call on the same log. `error` may be NULL. A room that does not exist is RF_NO_ROOM.
#ifndef ROOMFOLD_LOG_H
#define ROOMFOLD_LOG_H

#include <roomfold/status.h>

RF_BEGIN

typedef struct rf_log rf_log;

// A reason, and details to print after its message: UTF-8, perhaps empty, zero-terminated.
typedef struct rf_log_error {
    rf_status status;
    char detail[512];
} rf_log_error;

// busy_ms: how long to wait for locks held by others, milliseconds. RF_LOG_FORMAT: the file is not such a log.
RF_API rf_status rf_log_open(const char *path, int busy_ms, rf_log **out, rf_log_error *error);
// NULL is allowed.
RF_API void rf_log_close(rf_log *log);

// Up to `limit` names of rooms that come after the name `after` (empty: from the first), in byte order. Each name is
// followed by a zero byte.
RF_API rf_status rf_log_rooms(rf_log *log, rf_str after, int limit, rf_str *names, rf_log_error *error);

// The first and last seq of the records that the log still has; first = last + 1 if it has none.
typedef struct rf_log_span {
    uint64_t first, last;
} rf_log_span;

// The span of a room.
RF_API rf_status rf_log_room(rf_log *log, rf_str room, rf_log_span *out, rf_log_error *error);

// Reads records from the seq `from` on, each a line of JSON with a line feed: as many as fit in max_bytes, but at least
// one. *next is the seq after the last one; `from` if there are none; 0 after an error. RF_LOG_TRIMMED: `from` is below
// the first record. RF_LOG_DAMAGED: the record `from` is; those before a damaged one are read.
RF_API rf_status rf_log_read(rf_log *log, rf_str room, uint64_t from, size_t max_bytes, rf_str *records, uint64_t *next,
                             rf_log_error *error);

// The newest snapshot at or below the seq at_most, exactly as it was stored. *seq is 0 if there is none.
RF_API rf_status rf_log_snapshot(rf_log *log, rf_str room, uint64_t at_most, rf_str *data, uint64_t *seq,
                                 rf_log_error *error);

RF_END

#endif
