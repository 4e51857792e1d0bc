#include "read.h"

#include "big_endian.h"
#include "rows.h"

#include <string.h>

// One row of `appends`.
typedef struct append_row {
    int64_t seq, count;
    rf_str text, sums;
} append_row;

typedef struct reading {
    log_store *store;
    rf_str name;
    const log_room *room;
    log_range range;
    int64_t next; // the next seq
    bool full;
    log_error *error;
} reading;

static uint32_t sum_at(rf_str sums, int64_t index) {
    return log_load_u32(sums.data + 4 * index);
}

static bool add_record(reading *it, rf_str record) {
    log_text *out = &it->store->out;
    size_t len = out->len + record.len + 1;
    if (out->len > 0 && len > (uint64_t)it->range.max_bytes) {
        it->full = true;
        return true;
    }
    it->next++;
    return (log_text_add(out, record) && log_text_add(out, (rf_str){"\n", 1})) ||
           log_fail(it->error, RF_NO_MEMORY, "%s", "");
}

// Adds the row's records from it->next on.
static bool add_row(reading *it, const append_row *row) {
    const char *at = row->text.data, *end = row->text.data + row->text.len;
    for (int64_t i = 0; i < row->count && !it->full; i++) {
        int64_t seq = row->seq + i;
        // Records beyond the range are not checked.
        if (seq > it->range.to || seq - it->range.from >= it->range.max_events) {
            it->full = true;
            break;
        }
        const char *stop = at < end ? memchr(at, '\n', (size_t)(end - at)) : NULL;
        // The last record of a row has no line feed.
        if (i == row->count - 1) {
            if (stop) return log_damaged(it->error, it->name, seq, "its row has too many records");
            stop = end;
        }
        if (!stop || stop <= at) return log_damaged(it->error, it->name, seq, "it is missing in its row");
        rf_str record = {at, (size_t)(stop - at)};
        if (sum_at(row->sums, i) != log_record_sum(it->room->id, seq, record)) {
            return log_damaged(it->error, it->name, seq, "its checksum is wrong");
        }
        if (seq >= it->next && !add_record(it, record)) return false;
        at = stop + 1;
    }
    return true;
}

static bool take_row(reading *it, sqlite3_stmt *statement) {
    append_row row = {.seq = sqlite3_column_int64(statement, 0), .count = sqlite3_column_int64(statement, 1)};
    if (!log_column(statement, 2, &row.text) || !log_column(statement, 3, &row.sums)) {
        return log_fail(it->error, RF_NO_MEMORY, "%s", "");
    }
    // The first row may begin before the range; every other row must follow the previous one.
    bool first = it->next == it->range.from;
    if (row.seq > it->next || (!first && row.seq < it->next)) {
        return log_damaged(it->error, it->name, it->next, "it is missing");
    }
    if (row.count < 1 || (uint64_t)row.count != row.sums.len / 4 || row.sums.len % 4 != 0 ||
        row.seq + row.count <= it->next || row.seq + row.count - 1 > it->room->last) {
        return log_damaged(it->error, it->name, it->next, "its row has a wrong number of records");
    }
    return add_row(it, &row);
}

// Adds the rows that were found, the oldest first.
static bool take_rows(reading *it) {
    log_store *store = it->store;
    bool good = true;
    for (size_t i = log_rows_count(store); good && !it->full && it->next <= it->range.to && i-- > 0;) {
        int64_t at = log_rows_at(store, i);
        log_bind(store, SQL_READ_ROW, 1, &at);
        int code = log_step(store, SQL_READ_ROW);
        good = code == SQLITE_ROW    ? take_row(it, store->sql[SQL_READ_ROW])
               : code == SQLITE_DONE ? log_damaged(it->error, it->name, it->next, "it is missing")
                                     : log_fail_sql(store, it->error, code);
        sqlite3_reset(store->sql[SQL_READ_ROW]);
    }
    return good;
}

static bool read_rows(reading *it) {
    while (!it->full && it->next <= it->range.to) {
        int64_t before = it->next;
        log_found found = log_rows_find(it->store, it->room, it->next, it->error);
        if (found == LOG_BAD) return false;
        if (found == LOG_NOT_FOUND && !log_rows_scan(it->store, it->room, it->next, it->range.to, it->error))
            return false;
        if (!take_rows(it)) return false;
        if (it->next == before && !it->full) return log_damaged(it->error, it->name, it->next, "it is missing");
    }
    return true;
}

static bool read_room(log_store *store, rf_str name, const log_range *range, int64_t *last, log_error *error) {
    log_room room;
    if (log_room_find(store, name, &room, error) != LOG_FOUND) return false;
    if (range->from < room.first) {
        return log_fail(error, RF_LOG_TRIMMED, "the first is %lld", (long long)room.first);
    }
    reading it = {store, name, &room, *range, range->from, false, error};
    if (it.range.to > room.last) it.range.to = room.last;
    if (it.next <= it.range.to && !read_rows(&it)) {
        bool some = range->until_damage && error->status == RF_LOG_DAMAGED && it.next > range->from;
        if (!some) return false;
    }
    *last = it.next - 1;
    return true;
}

bool log_read(log_store *store, rf_str name, const log_range *range, int64_t *last, log_error *error) {
    store->out.len = 0;
    if (!log_begin_read(store, error)) return false;
    bool good = read_room(store, name, range, last, error);
    log_rollback(store);
    if (!good) log_name_room(name, range->from, error);
    return good;
}

bool log_head_get(log_store *store, rf_str name, log_head *out, log_error *error) {
    log_room room;
    *out = (log_head){0};
    if (!log_begin_read(store, error)) return false;
    log_found found = log_room_find(store, name, &room, error);
    bool good = found == LOG_NOT_FOUND || (found == LOG_FOUND && log_head_read(store, name, &room, out, error));
    log_rollback(store);
    if (!good) log_name_room(name, 0, error);
    return good;
}
