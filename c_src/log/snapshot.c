#include "batch.h"

#include "crc32c.h"

// snapshot.c: a room's snapshots are a chain: each refers to the previous one, and the room's entry to the newest, so
// that a missing one is noticed.

static uint32_t link_sum(int64_t room, int64_t seq, int64_t previous) {
    return log_crc32c_number(log_crc32c_number(log_crc32c_number(0, (uint64_t)room), (uint64_t)seq),
                             (uint64_t)previous);
}

typedef struct link {
    int64_t seq, previous; // 0: none
} link;

// Reads a row of FLOOR_SNAPSHOT or CEILING_SNAPSHOT. The statement stays at the row; the caller resets it.
static bool step_to(log_store *store, log_sql sql, rf_str name, const log_room *room, int64_t seq, link *out,
                    log_error *error) {
    sqlite3_stmt *row = store->sql[sql];
    log_bind(store, sql, 2, (int64_t[]){room->id, seq});
    *out = (link){0, 0};
    int code = log_step(store, sql);
    if (code == SQLITE_DONE) return true;
    if (code != SQLITE_ROW) return log_fail_sql(store, error, code);
    *out = (link){sqlite3_column_int64(row, 0), sqlite3_column_int64(row, 1)};
    return sqlite3_column_int64(row, 2) == link_sum(room->id, out->seq, out->previous) ||
           log_damaged(error, name, out->seq, "its snapshot's entry has a wrong checksum");
}

// The snapshots before and after a seq. The statement stays at the first one's row; the caller resets it.
static bool around(log_store *store, rf_str name, const log_room *room, int64_t seq, link *before, link *after,
                   log_error *error) {
    bool found = step_to(store, SQL_CEILING_SNAPSHOT, name, room, seq, after, error);
    sqlite3_reset(store->sql[SQL_CEILING_SNAPSHOT]);
    if (!found || !step_to(store, SQL_FLOOR_SNAPSHOT, name, room, seq, before, error)) return false;
    int64_t expected = after->seq ? after->previous : room->snapshot;
    // Snapshots below the first record have been trimmed.
    if (expected < room->first - 1) expected = 0;
    return expected == before->seq ||
           log_damaged(error, name, expected > before->seq ? expected : before->seq, "a snapshot is missing");
}

log_outcome log_snapshot_put(log_store *store, const log_op *op, log_result *result) {
    log_room room;
    link before, after;
    log_error *error = &result->error;
    if (log_room_find(store, op->room, &room, error) != LOG_FOUND) return LOG_REFUSED;
    if (room.term != op->term) {
        log_fail(error, RF_OLD_TERM, "%s", "");
        return LOG_REFUSED;
    }
    if (op->seq < 1 || op->seq > room.last || op->seq < room.first - 1) {
        log_fail(error, RF_WRONG_SEQ, "the log has %lld to %lld", (long long)room.first, (long long)room.last);
        return LOG_REFUSED;
    }
    bool found = around(store, op->room, &room, op->seq, &before, &after, error);
    sqlite3_reset(store->sql[SQL_FLOOR_SNAPSHOT]);
    if (!found) return LOG_REFUSED;
    int64_t previous = before.seq == op->seq ? before.previous : before.seq;
    uint32_t sum = log_record_sum(room.id, op->seq, op->bytes);
    log_bind(store, SQL_ADD_SNAPSHOT, 4, (int64_t[]){room.id, op->seq, previous, link_sum(room.id, op->seq, previous)});
    log_bind_blob(store, SQL_ADD_SNAPSHOT, 5, op->bytes);
    sqlite3_bind_int64(store->sql[SQL_ADD_SNAPSHOT], 6, sum);
    if (!log_exec(store, SQL_ADD_SNAPSHOT, error)) return LOG_BROKEN;
    if (after.seq) {
        log_bind(store, SQL_LINK_SNAPSHOT, 4,
                 (int64_t[]){room.id, after.seq, op->seq, link_sum(room.id, after.seq, op->seq)});
        return log_exec(store, SQL_LINK_SNAPSHOT, error) ? LOG_DONE : LOG_BROKEN;
    }
    room.snapshot = op->seq;
    return log_room_write(store, op->room, &room, error) ? LOG_DONE : LOG_BROKEN;
}

static bool take(log_store *store, rf_str name, const log_room *room, int64_t seq, log_error *error) {
    sqlite3_stmt *row = store->sql[SQL_FLOOR_SNAPSHOT];
    rf_str data;
    store->out.len = 0;
    if (!log_column(row, 3, &data)) return log_fail(error, RF_NO_MEMORY, "%s", "");
    if (sqlite3_column_int64(row, 4) != log_record_sum(room->id, seq, data)) {
        return log_damaged(error, name, seq, "its snapshot has a wrong checksum");
    }
    return log_text_add(&store->out, data) || log_fail(error, RF_NO_MEMORY, "%s", "");
}

bool log_snapshot_get(log_store *store, rf_str name, int64_t at_most, int64_t *seq, log_error *error) {
    log_room room;
    link before, after;
    if (!log_begin_read(store, error)) return false;
    bool good = log_room_find(store, name, &room, error) == LOG_FOUND &&
                around(store, name, &room, at_most, &before, &after, error) &&
                (before.seq == 0 || take(store, name, &room, before.seq, error));
    if (good) *seq = before.seq;
    sqlite3_reset(store->sql[SQL_FLOOR_SNAPSHOT]);
    log_rollback(store);
    if (!good) log_name_room(name, 0, error);
    return good;
}
