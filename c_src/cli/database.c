#include "database.h"
#include "command.h"
#include "json_slices.h"
#include "output.h"
#include "printable.h"

#include <inttypes.h>
#include <roomfold/log.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PIECE ((size_t)1 << 18)
#define BUSY_MS 5000
#define ROOMS 256 // names per call

typedef struct database {
    rf_log *log;
    char *room;
    uint64_t first, next, last; // seqs
    output begin;               // the snapshot it starts from, as a line
} database;

static void close_database(void *context) {
    database *db = context;
    rf_log_close(db->log);
    output_free(&db->begin);
    free(db->room);
    free(db);
}

static double share(const void *context) {
    const database *db = context;
    uint64_t count = db->last + 1 - db->first;
    return count > 0 ? (double)(db->next - db->first) / (double)count : 1;
}

static rf_str room_of(const database *db) {
    return (rf_str){db->room, strlen(db->room)};
}

static const char *colon(const rf_log_error *error) {
    return *error->detail ? ": " : "";
}

static rf_str first_lines(rf_str text, uint64_t count) {
    size_t end = 0;
    for (; count > 0; count--)
        end = (size_t)((const char *)memchr(text.data + end, '\n', text.len - end) - text.data) + 1;
    return (rf_str){text.data, end};
}

static bool more(void *context, input *into) {
    database *db = context;
    rf_log_error error;
    rf_str records;
    uint64_t next;
    if (db->begin.len > 0) {
        bool fine = input_put(into, db->begin.data, db->begin.len);
        db->begin.len = 0;
        return fine;
    }
    if (db->next > db->last) return false;
    if (rf_log_read(db->log, room_of(db), db->next, PIECE, &records, &next, &error) != RF_OK)
        return input_fail(into, "%s%s%s", rf_status_message(error.status), colon(&error), error.detail);
    if (next == db->next) return input_fail(into, "the room was deleted and made again while it was read");
    // Records that were appended after the log was opened are not used. (A transaction from first to last would keep
    // the rooms from reusing their WAL.)
    if (next > db->last + 1) {
        records = first_lines(records, db->last + 1 - db->next);
        next = db->last + 1;
    }
    db->next = next;
    return input_put(into, records.data, records.len);
}

// ---- which room -----------------------------------------------------------------------------------

static int fail(const char *who, const char *path, const rf_log_error *error) {
    return complain(who, FAILED, "%s: %s%s%s", path, rf_status_message(error->status), colon(error), error->detail);
}

static void tell_room(database *db, rf_str name) {
    rf_log_span span;
    rf_log_error error;
    char shown[RF_NAME_MAX];
    size_t len = printable(name, shown, sizeof shown);
    fprintf(stderr, "  %.*s", (int)len, shown);
    if (rf_log_room(db->log, name, &span, &error) != RF_OK)
        fprintf(stderr, "  (%s)\n", rf_status_message(error.status));
    else if (span.first > span.last)
        fputs("  (no events)\n", stderr);
    else
        fprintf(stderr, "  (seq %" PRIu64 " to %" PRIu64 ")\n", span.first, span.last);
}

// Reads all names, each followed by a zero byte.
static int read_names(database *db, const char *who, const char *path, output *names) {
    char last[RF_NAME_MAX + 1] = "";
    rf_log_error error;
    rf_str some;
    do {
        size_t start = 0;
        if (rf_log_rooms(db->log, (rf_str){last, strlen(last)}, ROOMS, &some, &error) != RF_OK)
            return fail(who, path, &error);
        output_bytes(names, some);
        for (size_t i = 0; i + 1 < some.len; i++)
            if (some.data[i] == '\0') start = i + 1;
        if (some.len > 0) snprintf(last, sizeof last, "%s", some.data + start);
    } while (some.len > 0 && !names->error);
    return names->error ? complain(who, FAILED, "there is not enough memory") : DONE;
}

static int choose_room(database *db, const char *who, const char *path) {
    output names;
    size_t count = 0;
    int code;
    output_keep(&names);
    code = read_names(db, who, path, &names);
    for (size_t i = 0; i < names.len; i++) count += names.data[i] == '\0';
    if (code == DONE && count == 0) code = complain(who, FAILED, "%s: this log has no rooms", path);
    if (code == DONE && count == 1 && !(db->room = strdup(names.data)))
        code = complain(who, FAILED, "there is not enough memory");
    if (code == DONE && count > 1) {
        code = complain(who, MISUSED, "%s: this log has %zu rooms; --room ID says which:", path, count);
        for (size_t at = 0; at < names.len; at += strlen(names.data + at) + 1)
            tell_room(db, (rf_str){names.data + at, strlen(names.data + at)});
    }
    output_free(&names);
    return code;
}

// ---- where it begins ------------------------------------------------------------------------------

static const json_slice *member(const json_slices *of, const char *key) {
    for (size_t i = 0; i < of->count; i++)
        if (json_slices_compare(json_slices_key(of, &of->items[i]), (rf_str){key, strlen(key)}) == 0)
            return &of->items[i];
    return NULL;
}

static bool write_entities(output *out, rf_str entities) {
    json_slices list = {0};
    size_t end;
    bool fine = json_slices_read(&list, entities, &end);
    output_text(out, "{\"others\":[");
    for (size_t i = 0; fine && i < list.count; i++) {
        rf_str components = list.items[i].value;
        size_t at = 1;
        output_text(out, i == 0 ? "{\"id\":" : ",{\"id\":");
        output_string(out, json_slices_key(&list, &list.items[i]));
        fine = list.items[i].kind == RF_JSON_OPEN_MAP;
        while (fine && memchr(" \t\r\n", components.data[at], 4)) at++;
        if (fine && components.data[at] != '}') output_text(out, ",");
        if (fine) output_bytes(out, (rf_str){components.data + at, components.len - at});
    }
    output_text(out, "]");
    json_slices_free(&list);
    return fine;
}

// Converts a room's snapshot (a line of its own, then {"seq": n, "entities": {id: components}}) to one line of a log.
static bool write_begin(output *out, rf_str data, uint64_t seq) {
    const char *feed = data.len > 0 ? memchr(data.data, '\n', data.len) : NULL;
    json_slices top = {0};
    const json_slice *entities;
    size_t end, skip = feed ? (size_t)(feed - data.data) + 1 : 0;
    bool fine = feed && json_slices_read(&top, (rf_str){data.data + skip, data.len - skip}, &end);
    entities = fine ? member(&top, "entities") : NULL;
    fine = entities && entities->kind == RF_JSON_OPEN_MAP && write_entities(out, entities->value);
    output_format(out, ",\"seq\":%" PRIu64 "}\n", seq);
    json_slices_free(&top);
    return fine;
}

// The oldest snapshot after which all records are still there; *seq is 0 if there is none.
static rf_status find_snapshot(database *db, rf_str *data, uint64_t *seq, rf_log_error *error) {
    uint64_t found, at_most = db->last;
    rf_status status;
    *seq = 0;
    do {
        status = rf_log_snapshot(db->log, room_of(db), at_most, data, &found, error);
        if (status != RF_OK || found + 1 < db->first || found == 0) break;
        *seq = found;
        at_most = found - 1;
    } while (found >= db->first);
    if (status == RF_OK && *seq > 0) status = rf_log_snapshot(db->log, room_of(db), *seq, data, &found, error);
    return status;
}

static int find_begin(database *db, const char *who, const char *path) {
    rf_log_error error;
    uint64_t seq;
    rf_str data;
    if (find_snapshot(db, &data, &seq, &error) != RF_OK) return fail(who, path, &error);
    if (seq == 0)
        return complain(who, FAILED, "%s: its first records are gone, and there is no snapshot to begin with", path);
    output_keep(&db->begin);
    if (!write_begin(&db->begin, data, seq))
        return complain(who, FAILED, "%s: the snapshot at seq %" PRIu64 " is none of a room", path, seq);
    if (db->begin.error) return complain(who, FAILED, "there is not enough memory");
    if (seq >= db->first)
        complain(who, DONE,
                 "%s: this begins at seq %" PRIu64 ", with the first snapshot; from %" PRIu64 " on there are records",
                 path, seq, db->first);
    db->first = db->next = seq + 1;
    return DONE;
}

static int find_room(database *db, const char *who, const char *path, const char *room) {
    rf_log_span span;
    rf_log_error error;
    int code = DONE;
    if (room && !(db->room = strdup(room))) return complain(who, FAILED, "there is not enough memory");
    if (!room) code = choose_room(db, who, path);
    if (code != DONE) return code;
    if (rf_log_room(db->log, room_of(db), &span, &error) != RF_OK)
        return error.status == RF_NO_ROOM ? complain(who, FAILED, "%s: there is no room %s in it", path, db->room)
                                          : fail(who, path, &error);
    db->first = db->next = span.first;
    db->last = span.last;
    return span.first > 1 ? find_begin(db, who, path) : DONE;
}

int database_open(const char *who, const char *path, const char *room, input **out, bool *begins) {
    static const input_source source = {.more = more, .share = share, .close = close_database};
    database *db = calloc(1, sizeof *db);
    rf_log_error error;
    int code;
    *out = NULL;
    if (!db) return complain(who, FAILED, "there is not enough memory");
    code = rf_log_open(path, BUSY_MS, &db->log, &error) == RF_OK ? DONE : fail(who, path, &error);
    if (code == DONE) code = find_room(db, who, path, room);
    if (code != DONE) {
        close_database(db);
        return code;
    }
    *begins = db->begin.len > 0;
    *out = input_from(&source, db);
    return *out ? DONE : complain(who, FAILED, "there is not enough memory");
}
