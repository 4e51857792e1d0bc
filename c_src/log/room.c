#include "room.h"

#include "crc32c.h"

#include <stdio.h>
#include <string.h>

static uint32_t sum_of(const int64_t *numbers, int count, rf_str bytes) {
    uint32_t sum = 0;
    for (int i = 0; i < count; i++) {
        sum = log_crc32c_number(sum, (uint64_t)numbers[i]);
    }
    return log_crc32c(sum, bytes.data, bytes.len);
}

uint32_t log_record_sum(int64_t room, int64_t seq, rf_str record) {
    return sum_of((int64_t[]){room, seq}, 2, record);
}

uint32_t log_counters_sum(const log_counters *counters) {
    return sum_of((int64_t[]){counters->term, counters->rooms}, 2, (rf_str){0});
}

bool log_counters_read(log_store *store, log_counters *out, log_error *error) {
    sqlite3_stmt *row = store->sql[SQL_GET_COUNTERS];
    int code = log_step(store, SQL_GET_COUNTERS);
    if (code == SQLITE_DONE) return log_fail(error, RF_LOG_DAMAGED, "its counters are missing");
    if (code != SQLITE_ROW) return log_fail_sql(store, error, code);
    *out = (log_counters){sqlite3_column_int64(row, 0), sqlite3_column_int64(row, 1)};
    bool good = sqlite3_column_int64(row, 2) == log_counters_sum(out);
    sqlite3_reset(row);
    return good || log_fail(error, RF_LOG_DAMAGED, "its counters have a wrong checksum");
}

bool log_counters_write(log_store *store, const log_counters *it, log_error *error) {
    log_bind(store, SQL_SET_COUNTERS, 3, (int64_t[]){it->term, it->rooms, log_counters_sum(it)});
    return log_exec(store, SQL_SET_COUNTERS, error);
}

static uint32_t room_sum(rf_str name, const log_room *it) {
    return sum_of((int64_t[]){it->id, it->term, it->first, it->last, it->newest, it->snapshot, it->versions}, 7, name);
}

// From the columns id, term, first, last, newest, snapshot, versions, sum.
static bool room_from(sqlite3_stmt *row, rf_str name, log_room *out) {
    *out = (log_room){sqlite3_column_int64(row, 0), sqlite3_column_int64(row, 1), sqlite3_column_int64(row, 2),
                      sqlite3_column_int64(row, 3), sqlite3_column_int64(row, 4), sqlite3_column_int64(row, 5),
                      sqlite3_column_int64(row, 6)};
    return sqlite3_column_int64(row, 7) == room_sum(name, out);
}

static bool put(log_store *store, log_sql sql, rf_str name, const log_room *it, log_error *error) {
    log_bind(
        store, sql, 8,
        (int64_t[]){it->id, it->term, it->first, it->last, it->newest, it->snapshot, it->versions, room_sum(name, it)});
    log_bind_text(store, sql, 9, name);
    return log_exec(store, sql, error);
}

bool log_room_add(log_store *store, rf_str name, const log_room *room, log_error *error) {
    return put(store, SQL_ADD_ROOM, name, room, error);
}

bool log_room_write(log_store *store, rf_str name, const log_room *room, log_error *error) {
    return put(store, SQL_SET_ROOM, name, room, error);
}

bool log_room_delete(log_store *store, rf_str name, log_error *error) {
    log_bind_text(store, SQL_DELETE_ROOM, 1, name);
    return log_exec(store, SQL_DELETE_ROOM, error);
}

static int compare(rf_str a, rf_str b) {
    size_t shorter = a.len < b.len ? a.len : b.len;
    int order = shorter > 0 ? memcmp(a.data, b.data, shorter) : 0;
    return order != 0 ? order : (a.len > b.len) - (a.len < b.len);
}

// Checks the statement's current row; *name is its room.
static bool check_row(sqlite3_stmt *row, rf_str *name, log_error *error) {
    log_room room;
    bool is_text = sqlite3_column_type(row, 8) == SQLITE_TEXT;
    if (!log_column(row, 8, name)) return log_fail(error, RF_NO_MEMORY, "%s", "");
    if (!room_from(row, *name, &room)) return log_damaged(error, *name, 0, "its entry has a wrong checksum");
    // As a blob it would be behind all texts, so neither it nor others would be found by name. In a list of names a
    // zero byte ends each.
    is_text = is_text && !(name->len > 0 && memchr(name->data, 0, name->len));
    return is_text || log_damaged(error, *name, 0, "its name is no text");
}

bool log_rooms_check(log_store *store, log_error *error) {
    log_counters counters;
    char previous[256] = {0};
    rf_str last = {previous, 0}, name;
    int64_t count = 0;
    int code;
    if (!log_counters_read(store, &counters, error)) return false;
    log_bind_text(store, SQL_NEXT_ROOMS, 1, last);
    while ((code = log_step(store, SQL_NEXT_ROOMS)) == SQLITE_ROW) {
        bool good = check_row(store->sql[SQL_NEXT_ROOMS], &name, error);
        if (good && (name.len > 255 || compare(last, name) >= 0)) {
            good = log_damaged(error, name, 0, "it is not where it should be among the rooms");
        }
        if (!good) {
            sqlite3_reset(store->sql[SQL_NEXT_ROOMS]);
            return false;
        }
        memcpy(previous, name.data, name.len);
        last.len = name.len;
        count++;
    }
    if (code != SQLITE_DONE) return log_fail_sql(store, error, code);
    return count == counters.rooms || log_fail(error, RF_LOG_DAMAGED, "there should be %lld rooms, %lld are found",
                                               (long long)counters.rooms, (long long)count);
}

// Whether all entries are readable: otherwise, a room that is not found might exist.
static bool rooms_are_complete(log_store *store, log_error *error) {
    if (!store->checked) {
        store->missing = (log_error){0};
        bool complete = log_rooms_check(store, &store->missing);
        store->checked = complete || store->missing.status == RF_LOG_DAMAGED;
    }
    if (store->missing.status != RF_OK) *error = store->missing;
    return store->missing.status == RF_OK;
}

log_found log_room_find(log_store *store, rf_str name, log_room *out, log_error *error) {
    log_bind_text(store, SQL_GET_ROOM, 1, name);
    int code = log_step(store, SQL_GET_ROOM);
    if (code == SQLITE_ROW) {
        bool good = room_from(store->sql[SQL_GET_ROOM], name, out);
        sqlite3_reset(store->sql[SQL_GET_ROOM]);
        if (good) return LOG_FOUND;
        log_damaged(error, name, 0, "its entry has a wrong checksum");
        return LOG_BAD;
    }
    if (code != SQLITE_DONE) {
        log_fail_sql(store, error, code);
        return LOG_BAD;
    }
    if (!rooms_are_complete(store, error)) return LOG_BAD;
    log_fail(error, RF_NO_ROOM, "%s", "");
    return LOG_NOT_FOUND;
}

static bool list(log_store *store, rf_str after, int limit, log_error *error) {
    int code = SQLITE_DONE;
    rf_str name;
    if (!rooms_are_complete(store, error)) return false;
    log_bind_text(store, SQL_NEXT_ROOMS, 1, after);
    for (; limit > 0 && (code = log_step(store, SQL_NEXT_ROOMS)) == SQLITE_ROW; limit--) {
        bool good = check_row(store->sql[SQL_NEXT_ROOMS], &name, error);
        if (good && !(log_text_add(&store->out, name) && log_text_add(&store->out, (rf_str){"", 1}))) {
            good = log_fail(error, RF_NO_MEMORY, "%s", "");
        }
        if (!good) {
            sqlite3_reset(store->sql[SQL_NEXT_ROOMS]);
            return false;
        }
    }
    sqlite3_reset(store->sql[SQL_NEXT_ROOMS]);
    return code == SQLITE_DONE || code == SQLITE_ROW || log_fail_sql(store, error, code);
}

bool log_rooms_list(log_store *store, rf_str after, int limit, log_error *error) {
    store->out.len = 0;
    // One transaction: with a room that is made after the counters were read, there would be one too many.
    if (!log_begin_read(store, error)) return false;
    bool good = list(store, after, limit, error);
    log_rollback(store);
    return good;
}

// --- versions

static uint32_t version_sum(int64_t room, int64_t seq, rf_str meta) {
    return sum_of((int64_t[]){room, seq}, 2, meta);
}

static bool add_line(log_text *text, int64_t seq, rf_str meta) {
    char number[32];
    int len = snprintf(number, sizeof number, "%lld ", (long long)seq);
    return log_text_add(text, (rf_str){number, (size_t)len}) && log_text_add(text, meta) &&
           log_text_add(text, (rf_str){"\n", 1});
}

static bool read_versions(log_store *store, rf_str name, const log_room *room, log_text *out, log_error *error) {
    sqlite3_stmt *row = store->sql[SQL_GET_VERSIONS];
    int64_t count = 0;
    int code;
    log_bind(store, SQL_GET_VERSIONS, 1, &room->id);
    while ((code = log_step(store, SQL_GET_VERSIONS)) == SQLITE_ROW) {
        int64_t seq = sqlite3_column_int64(row, 0);
        rf_str meta;
        bool good = log_column(row, 1, &meta) || log_fail(error, RF_NO_MEMORY, "%s", "");
        if (good && sqlite3_column_int64(row, 2) != version_sum(room->id, seq, meta)) {
            good = log_damaged(error, name, seq, "its version has a wrong checksum");
        }
        if (good && !add_line(out, seq, meta)) good = log_fail(error, RF_NO_MEMORY, "%s", "");
        if (!good) {
            sqlite3_reset(row);
            return false;
        }
        count++;
    }
    if (code != SQLITE_DONE) return log_fail_sql(store, error, code);
    return count == room->versions || log_damaged(error, name, 0, "a version is missing");
}

// Runs a statement that returns a seq; 0 if it has no row.
static bool ask_seq(log_store *store, log_sql sql, int64_t *out, log_error *error) {
    int code = log_step(store, sql);
    *out = code == SQLITE_ROW ? sqlite3_column_int64(store->sql[sql], 0) : 0;
    sqlite3_reset(store->sql[sql]);
    return code == SQLITE_ROW || code == SQLITE_DONE || log_fail_sql(store, error, code);
}

// Detects an outdated entry, whose checksum would be correct: the room would have records after its `last`. Looks at
// the next mark and at the thousand rows after the newest.
static bool ends_at_last(log_store *store, rf_str name, const log_room *room, log_error *error) {
    int64_t mark, row;
    log_bind(store, SQL_NEXT_MARK, 2, (int64_t[]){room->id, room->last});
    log_bind(store, SQL_ROW_BEHIND, 3, (int64_t[]){room->id, room->newest, room->last});
    if (!ask_seq(store, SQL_ROW_BEHIND, &row, error) || !ask_seq(store, SQL_NEXT_MARK, &mark, error)) return false;
    if (row == 0) row = mark;
    return row == 0 || log_damaged(error, name, row, "it is behind the last record");
}

bool log_head_read(log_store *store, rf_str name, const log_room *room, log_head *out, log_error *error) {
    *out = (log_head){.term = room->term, .seq = room->last, .first = room->first};
    if (!ends_at_last(store, name, room, error)) return false;
    if (!read_versions(store, name, room, &out->versions, error)) {
        log_text_free(&out->versions);
        return false;
    }
    return true;
}

// Finds the room's newest version: SQLITE_ROW, with the statement at its row, or SQLITE_DONE.
static int newest_version(log_store *store, const log_room *room, int64_t *seq, rf_str *meta) {
    log_bind(store, SQL_LAST_VERSION, 1, &room->id);
    int code = log_step(store, SQL_LAST_VERSION);
    if (code != SQLITE_ROW) return code;
    *seq = sqlite3_column_int64(store->sql[SQL_LAST_VERSION], 0);
    return log_column(store->sql[SQL_LAST_VERSION], 1, meta) ? code : SQLITE_NOMEM;
}

bool log_version_add(log_store *store, rf_str name, log_room *room, rf_str meta, log_error *error) {
    int64_t next = room->last + 1, seq;
    rf_str newest;
    int code = newest_version(store, room, &seq, &newest);
    if (code == SQLITE_ROW && seq == next) {
        // No record was written under that version.
        sqlite3_reset(store->sql[SQL_LAST_VERSION]);
        log_bind(store, SQL_DELETE_VERSION, 2, (int64_t[]){room->id, next});
        if (!log_exec(store, SQL_DELETE_VERSION, error)) return false;
        room->versions--;
        code = newest_version(store, room, &seq, &newest);
    }
    bool same = code == SQLITE_ROW && compare(newest, meta) == 0;
    bool damaged = code == SQLITE_ROW && seq > next;
    sqlite3_reset(store->sql[SQL_LAST_VERSION]);
    if (code != SQLITE_ROW && code != SQLITE_DONE) return log_fail_sql(store, error, code);
    if (damaged) return log_damaged(error, name, seq, "its version is behind the last record");
    if (same) return true;
    log_bind(store, SQL_ADD_VERSION, 2, (int64_t[]){room->id, next});
    log_bind_text(store, SQL_ADD_VERSION, 3, meta);
    sqlite3_bind_int64(store->sql[SQL_ADD_VERSION], 4, version_sum(room->id, next, meta));
    room->versions++;
    return log_exec(store, SQL_ADD_VERSION, error);
}
