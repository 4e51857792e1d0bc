#include "rows.h"

#include <stdlib.h>
#include <string.h>

// About how many rows are removed in a transaction, so that no call waits long for a trim.
#define REMOVE_ROWS 500
// Rows that a scan finds per call.
#define SCAN_ROWS 256

// A row of `appends` without its records.
typedef struct row {
    int64_t at, room, seq, count, previous;
} row;

// ---- one row ----------------------------------------------------------------------------------------

// A page that SQLite cannot read only breaks the chain.
static log_found outcome(log_store *store, int code, log_error *error) {
    if (code == SQLITE_ROW) return LOG_FOUND;
    if (code == SQLITE_DONE || (code & 0xFF) == SQLITE_CORRUPT) return LOG_NOT_FOUND;
    log_fail_sql(store, error, code);
    return LOG_BAD;
}

// LOG_NOT_FOUND: there is no row.
static log_found look_at(log_store *store, int64_t at, row *out, log_error *error) {
    sqlite3_stmt *statement = store->sql[SQL_GET_ROW];
    log_bind(store, SQL_GET_ROW, 1, &at);
    log_found found = outcome(store, log_step(store, SQL_GET_ROW), error);
    if (found != LOG_FOUND) return found;
    *out = (row){at, sqlite3_column_int64(statement, 0), sqlite3_column_int64(statement, 1),
                 sqlite3_column_int64(statement, 2), sqlite3_column_int64(statement, 3)};
    sqlite3_reset(statement);
    return LOG_FOUND;
}

// The previous row of the same room.
static log_found step_back(log_store *store, const row *from, row *out, log_error *error) {
    log_found found = look_at(store, from->previous, out, error);
    if (found != LOG_FOUND) return found;
    bool fits = out->room == from->room && out->count > 0 && out->seq > 0 && out->seq < from->seq &&
                from->seq - out->seq == out->count;
    return fits ? LOG_FOUND : LOG_NOT_FOUND;
}

// The room's first mark after a seq: its position, and its seq.
static log_found next_mark(log_store *store, int64_t room, int64_t seq, int64_t *at, int64_t *its, log_error *error) {
    log_bind(store, SQL_NEXT_MARK, 2, (int64_t[]){room, seq});
    log_found found = outcome(store, log_step(store, SQL_NEXT_MARK), error);
    if (found != LOG_FOUND) return found;
    *its = sqlite3_column_int64(store->sql[SQL_NEXT_MARK], 0);
    *at = sqlite3_column_int64(store->sql[SQL_NEXT_MARK], 1);
    sqlite3_reset(store->sql[SQL_NEXT_MARK]);
    return LOG_FOUND;
}

static bool holds(const row *it, int64_t seq) {
    return it->seq <= seq && seq - it->seq < it->count;
}

// ---- many -------------------------------------------------------------------------------------------

// An item of store->rows.
typedef struct place {
    int64_t seq, at;
} place;

size_t log_rows_count(const log_store *store) {
    return store->rows.len / sizeof(place);
}

int64_t log_rows_at(const log_store *store, size_t i) {
    place out;
    memcpy(&out, store->rows.data + i * sizeof out, sizeof out);
    return out.at;
}

static log_found note(log_store *store, const row *it, log_error *error) {
    place out = {it->seq, it->at};
    if (log_text_add(&store->rows, (rf_str){(const char *)&out, sizeof out})) return LOG_FOUND;
    log_fail(error, RF_NO_MEMORY, "%s", "");
    return LOG_BAD;
}

// Starts at the first mark after a seq, or else at the newest row.
static log_found begin(log_store *store, const log_room *room, int64_t seq, row *out, log_error *error) {
    int64_t at, its;
    log_found mark = next_mark(store, room->id, seq, &at, &its, error);
    if (mark == LOG_BAD) return LOG_BAD;
    log_found found = look_at(store, mark == LOG_FOUND ? at : room->newest, out, error);
    if (found != LOG_FOUND) return found;
    bool fits = out->room == room->id && out->seq > 0 && out->count > 0;
    if (fits) fits = mark == LOG_FOUND ? out->seq == its : room->last - out->seq == out->count - 1;
    return fits ? LOG_FOUND : LOG_NOT_FOUND;
}

// Goes back to the row that holds a seq.
static log_found back_to(log_store *store, const log_room *room, int64_t seq, row *it, log_error *error) {
    store->rows.len = 0;
    log_found found = begin(store, room, seq, it, error);
    if (found == LOG_FOUND) found = note(store, it, error);
    while (found == LOG_FOUND && it->seq > seq) {
        row later = *it;
        found = step_back(store, &later, it, error);
        if (found == LOG_FOUND) found = note(store, it, error);
    }
    return found == LOG_FOUND && !holds(it, seq) ? LOG_NOT_FOUND : found;
}

log_found log_rows_find(log_store *store, const log_room *room, int64_t seq, log_error *error) {
    row it;
    return back_to(store, room, seq, &it, error);
}

static int newer_first(const void *a, const void *b) {
    const place *one = a, *other = b;
    return (one->seq < other->seq) - (one->seq > other->seq);
}

// The rows of a room are in the order of their records, unless the file was tampered with.
bool log_rows_scan(log_store *store, const log_room *room, int64_t seq, int64_t last, log_error *error) {
    sqlite3_stmt *statement = store->sql[SQL_SCAN_ROWS];
    int code;
    log_found noted = LOG_FOUND;
    store->rows.len = 0;
    log_bind(store, SQL_SCAN_ROWS, 2, (int64_t[]){room->id, seq});
    while ((code = log_step(store, SQL_SCAN_ROWS)) == SQLITE_ROW && noted == LOG_FOUND) {
        row it = {.at = sqlite3_column_int64(statement, 0), .seq = sqlite3_column_int64(statement, 1)};
        size_t count = log_rows_count(store);
        if (count == SCAN_ROWS || (count > 0 && it.seq > last)) break;
        noted = note(store, &it, error);
    }
    sqlite3_reset(statement);
    if (noted == LOG_BAD) return false;
    if (store->rows.len > 0) qsort(store->rows.data, log_rows_count(store), sizeof(place), newer_first);
    // Rows before an unreadable page are still used.
    return code == SQLITE_ROW || code == SQLITE_DONE || log_rows_count(store) > 0 || log_fail_sql(store, error, code);
}

bool log_rows_floor(log_store *store, const log_room *room, int64_t seq, int64_t *out, log_error *error) {
    row it;
    log_found found = back_to(store, room, seq, &it, error);
    if (found == LOG_BAD) return false;
    if (found == LOG_FOUND) {
        *out = it.seq;
        return true;
    }
    if (!log_rows_scan(store, room, seq, seq, error)) return false;
    *out = 0;
    for (size_t i = 0; i < log_rows_count(store); i++) {
        found = look_at(store, log_rows_at(store, i), &it, error);
        if (found == LOG_BAD) return false;
        if (found == LOG_FOUND && holds(&it, seq)) *out = it.seq;
    }
    return true;
}

// ---- to add and to remove ---------------------------------------------------------------------------

bool log_rows_add(log_store *store, log_room *room, int64_t seq, int64_t count, rf_str text, rf_str sums,
                  log_error *error) {
    log_bind(store, SQL_ADD_ROW, 4, (int64_t[]){room->id, seq, count, room->newest});
    log_bind_text(store, SQL_ADD_ROW, 5, text);
    log_bind_blob(store, SQL_ADD_ROW, 6, sums);
    if (!log_exec(store, SQL_ADD_ROW, error)) return false;
    room->newest = sqlite3_last_insert_rowid(store->db);
    return true;
}

// Puts the rows from `it` backwards that are below a seq into store->rows.
static log_found removable(log_store *store, row it, int64_t below, log_error *error) {
    log_found found = LOG_FOUND;
    store->rows.len = 0;
    while (found == LOG_FOUND) {
        row later = it;
        if (it.seq < below) found = note(store, &it, error);
        if (found == LOG_FOUND) found = step_back(store, &later, &it, error);
    }
    return found == LOG_BAD ? LOG_BAD : LOG_FOUND;
}

bool log_rows_remove(log_store *store, int64_t room, int64_t newest, int64_t below, bool *more, log_error *error) {
    size_t removed = 0;
    int64_t behind = 0;
    bool last = false;
    while (!last && removed < REMOVE_ROWS) {
        int64_t at = newest, its = 0;
        row it;
        // From the oldest mark, the chain leads to the oldest rows.
        log_found mark = next_mark(store, room, behind, &at, &its, error);
        log_found found = mark == LOG_BAD ? LOG_BAD : look_at(store, at, &it, error);
        if (found == LOG_BAD) return false;
        if (found == LOG_FOUND && it.room != room) found = LOG_NOT_FOUND;
        last = mark == LOG_NOT_FOUND || its >= below;
        behind = its;
        if (found != LOG_FOUND) continue;
        if (removable(store, it, below, error) == LOG_BAD) return false;
        // The oldest first, so that the rows that are left can always be found.
        for (size_t i = log_rows_count(store); i-- > 0;) {
            int64_t which = log_rows_at(store, i);
            log_bind(store, SQL_DELETE_ROW, 1, &which);
            if (!log_exec(store, SQL_DELETE_ROW, error)) return false;
        }
        removed += log_rows_count(store);
    }
    *more = !last;
    return true;
}
