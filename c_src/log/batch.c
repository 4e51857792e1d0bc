#include "batch.h"

#include "big_endian.h"
#include "crc32c.h"
#include "rows.h"

#include <string.h>

// A row holds records of up to this many bytes in total, or a single longer one.
#define ROW_BYTES ((size_t)64 << 10)

static log_outcome refuse(log_result *result, rf_status status, const char *detail) {
    log_fail(&result->error, status, "%s", detail);
    return LOG_REFUSED;
}

static bool find(log_store *store, const log_op *op, log_room *room, log_result *result) {
    return log_room_find(store, op->room, room, &result->error) == LOG_FOUND;
}

// --- append

// Whether the text is `count` lines, none of them empty, without zero bytes.
static bool are_records(rf_str text, int64_t count) {
    const char *at = text.data, *end = text.data + text.len;
    int64_t lines = 0;
    if (text.len > 0 && memchr(text.data, 0, text.len)) return false;
    while (at < end) {
        const char *stop = memchr(at, '\n', (size_t)(end - at));
        if (!stop || stop == at) return false;
        lines++;
        at = stop + 1;
    }
    return lines == count;
}

// Adds a row with as many records as fit, and moves *rest past them.
static bool add_row(log_store *store, log_room *room, rf_str *rest, log_error *error) {
    int64_t seq = room->last + 1, count = 0;
    const char *at = rest->data, *end = rest->data + rest->len;
    rf_str text;
    store->sums.len = 0;
    while (at < end) {
        const char *stop = memchr(at, '\n', (size_t)(end - at));
        if (count > 0 && (size_t)(stop - rest->data) > ROW_BYTES) break;
        uint32_t sum = log_record_sum(room->id, seq + count, (rf_str){at, (size_t)(stop - at)});
        char bytes[4];
        log_store_u32(bytes, sum);
        if (!log_text_add(&store->sums, (rf_str){bytes, 4})) return log_fail(error, RF_NO_MEMORY, "%s", "");
        count++;
        at = stop + 1;
    }
    text = (rf_str){rest->data, (size_t)(at - 1 - rest->data)};
    *rest = (rf_str){at, (size_t)(end - at)};
    room->last += count;
    return log_rows_add(store, room, seq, count, text, (rf_str){store->sums.data, store->sums.len}, error);
}

static log_outcome append(log_store *store, const log_op *op, log_result *result) {
    log_room room;
    rf_str rest = op->bytes;
    if (!find(store, op, &room, result)) return LOG_REFUSED;
    if (room.term != op->term) return refuse(result, RF_OLD_TERM, "");
    if (room.last != op->seq) {
        log_fail(&result->error, RF_WRONG_SEQ, "the last is %lld", (long long)room.last);
        return LOG_REFUSED;
    }
    if (op->count > LOG_MAX_SEQ - room.last) return refuse(result, RF_INVALID_SEQ, "");
    if (!are_records(op->bytes, op->count)) return refuse(result, RF_INVALID_RECORD, "");
    if (op->count == 0) return LOG_DONE;
    while (rest.len > 0) {
        if (!add_row(store, &room, &rest, &result->error)) return LOG_BROKEN;
    }
    return log_room_write(store, op->room, &room, &result->error) ? LOG_DONE : LOG_BROKEN;
}

// --- claim

// The next term is up to this much higher, at random. So a database that was set back, to a backup or by a power
// failure with synchronous=NORMAL, does not give a term again that the rooms' clients know from what was lost.
#define TERM_STEP 65536

static int64_t next_term(int64_t term) {
    uint16_t step;
    sqlite3_randomness(sizeof step, &step);
    return term + 1 + step;
}

// Whether the operation may be done, the room's newest term being this.
static bool is_over(const log_op *op, int64_t newest) {
    return op->count == 0 || op->term == newest;
}

static log_outcome claim(log_store *store, const log_op *op, log_result *result) {
    log_error *error = &result->error;
    log_counters counters;
    log_room room;
    log_found found = log_room_find(store, op->room, &room, error);
    if (found == LOG_BAD || !log_counters_read(store, &counters, error)) return LOG_REFUSED;
    int64_t newest = found == LOG_FOUND ? room.term : 0;
    if (!is_over(op, newest)) return refuse(result, RF_OLD_TERM, "");
    if (counters.term > LOG_MAX_SEQ - TERM_STEP) return refuse(result, RF_LOG_FAILED, "it has no more terms to give");
    counters.term = next_term(counters.term);
    if (found == LOG_NOT_FOUND) {
        // Each term is issued only once, so it also serves as the room's id.
        room = (log_room){.id = counters.term, .first = 1};
        counters.rooms++;
    }
    room.term = counters.term;
    *error = (log_error){0};
    bool done = log_version_add(store, op->room, &room, op->bytes, error) &&
                log_counters_write(store, &counters, error) &&
                (found == LOG_FOUND ? log_room_write(store, op->room, &room, error)
                                    : log_room_add(store, op->room, &room, error)) &&
                log_head_read(store, op->room, &room, &result->head, error);
    return done ? LOG_DONE : LOG_BROKEN;
}

// --- trim, delete, sweep

static log_outcome trim(log_store *store, const log_op *op, log_result *result) {
    log_room room;
    int64_t below;
    if (!find(store, op, &room, result)) return LOG_REFUSED;
    int64_t keep = op->seq < room.snapshot + 1 ? op->seq : room.snapshot + 1;
    if (keep < room.first) keep = room.first;
    // Everything goes. (Otherwise the row with the first record to keep stays, including older records in it.)
    if (keep > room.last) {
        below = keep;
    } else if (!log_rows_floor(store, &room, keep, &below, &result->error)) {
        return LOG_REFUSED;
    }
    bool moved = keep > room.first;
    room.first = keep;
    log_bind(store, SQL_DELETE_SNAPSHOTS, 2, (int64_t[]){room.id, keep - 1});
    bool done = (!moved || log_room_write(store, op->room, &room, &result->error)) &&
                log_exec(store, SQL_DELETE_SNAPSHOTS, &result->error) &&
                log_rows_remove(store, room.id, room.newest, below, &result->more, &result->error);
    return done ? LOG_DONE : LOG_BROKEN;
}

static uint32_t garbage_sum(int64_t room, int64_t newest) {
    return log_crc32c_number(log_crc32c_number(0, (uint64_t)room), (uint64_t)newest);
}

static log_outcome delete (log_store *store, const log_op *op, log_result *result) {
    log_counters counters;
    log_room room;
    log_error *error = &result->error;
    if (!find(store, op, &room, result) || !log_counters_read(store, &counters, error)) return LOG_REFUSED;
    if (!is_over(op, room.term)) return refuse(result, RF_OLD_TERM, "");
    counters.rooms--;
    log_bind(store, SQL_DELETE_VERSIONS, 1, &room.id);
    log_bind(store, SQL_DELETE_SNAPSHOTS, 2, (int64_t[]){room.id, INT64_MAX});
    log_bind(store, SQL_ADD_GARBAGE, 3, (int64_t[]){room.id, room.newest, garbage_sum(room.id, room.newest)});
    bool done = log_room_delete(store, op->room, error) && log_counters_write(store, &counters, error) &&
                log_exec(store, SQL_DELETE_VERSIONS, error) && log_exec(store, SQL_DELETE_SNAPSHOTS, error) &&
                log_exec(store, SQL_ADD_GARBAGE, error);
    result->more = true;
    return done ? LOG_DONE : LOG_BROKEN;
}

static log_outcome sweep(log_store *store, const log_op *op, log_result *result) {
    (void)op;
    sqlite3_stmt *row = store->sql[SQL_GET_GARBAGE];
    int code = log_step(store, SQL_GET_GARBAGE);
    if (code == SQLITE_DONE) return LOG_DONE;
    if (code != SQLITE_ROW) {
        log_fail_sql(store, &result->error, code);
        return LOG_REFUSED;
    }
    int64_t room = sqlite3_column_int64(row, 0), newest = sqlite3_column_int64(row, 1);
    bool good = sqlite3_column_int64(row, 2) == garbage_sum(room, newest);
    sqlite3_reset(row);
    if (!good) return refuse(result, RF_LOG_DAMAGED, "the list of deleted rooms has a wrong checksum");
    bool more;
    if (!log_rows_remove(store, room, newest, INT64_MAX, &more, &result->error)) return LOG_BROKEN;
    result->more = true;
    if (more) return LOG_DONE;
    log_bind(store, SQL_DELETE_GARBAGE, 1, &room);
    return log_exec(store, SQL_DELETE_GARBAGE, &result->error) ? LOG_DONE : LOG_BROKEN;
}

// --- all together

static log_outcome apply_op(log_store *store, const log_op *op, log_result *result) {
    switch (op->kind) {
    case LOG_APPEND:
        return append(store, op, result);
    case LOG_CLAIM:
        return claim(store, op, result);
    case LOG_SNAPSHOT:
        return log_snapshot_put(store, op, result);
    case LOG_TRIM:
        return trim(store, op, result);
    case LOG_DELETE:
        return delete (store, op, result);
    case LOG_SWEEP:
        return sweep(store, op, result);
    case LOG_OP_KINDS:
        break;
    }
    return refuse(result, RF_INVALID_ARGUMENT, "");
}

static log_outcome apply(log_store *store, const log_op *op, log_result *result) {
    log_outcome outcome = apply_op(store, op, result);
    if (outcome != LOG_DONE && op->room.len > 0) log_name_room(op->room, 0, &result->error);
    return outcome;
}

static void forget(log_result *results, size_t count) {
    for (size_t i = 0; i < count; i++) {
        log_text_free(&results[i].head.versions);
        results[i] = (log_result){0};
    }
}

// False: nothing was done. *error is the reason; *alone: a single operation may be the cause.
static bool run_together(log_store *store, const log_op *ops, size_t count, log_result *results, log_error *error,
                         bool *alone) {
    *alone = false;
    if (!log_exec(store, SQL_BEGIN_WRITE, error)) return false;
    log_wal_reserve(store);
    for (size_t i = 0; i < count; i++) {
        if (apply(store, &ops[i], &results[i]) == LOG_BROKEN) {
            *error = results[i].error;
            *alone = true;
            log_rollback(store);
            return false;
        }
    }
    if (!log_exec(store, SQL_COMMIT, error)) {
        *alone = true;
        log_rollback(store);
        return false;
    }
    return log_still_there(store, error);
}

void log_run(log_store *store, const log_op *ops, size_t count, log_result *results) {
    log_error error = {0};
    bool alone;
    for (size_t i = 0; i < count; i++) {
        results[i] = (log_result){0};
    }
    if (run_together(store, ops, count, results, &error, &alone)) return;
    if (count > 1 && alone && error.status != RF_LOG_FAILED) {
        forget(results, count);
        for (size_t i = 0; i < count; i++) {
            log_run(store, &ops[i], 1, &results[i]);
        }
        return;
    }
    forget(results, count);
    for (size_t i = 0; i < count; i++) {
        results[i].error = error;
    }
}
