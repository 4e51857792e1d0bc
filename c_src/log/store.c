#include "store.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool log_fail(log_error *error, rf_status status, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    error->status = status;
    vsnprintf(error->detail, sizeof error->detail, format, arguments);
    va_end(arguments);
    return false;
}

static rf_status from_errno(int number) {
    switch (number) {
    case EACCES:
    case EPERM:
    case EROFS:
        return RF_LOG_READONLY;
    case ENOSPC:
    case EDQUOT:
        return RF_LOG_FULL;
    default:
        return RF_LOG_FAILED;
    }
}

static rf_status from_sqlite(sqlite3 *db, int code) {
    switch (code & 0xFF) {
    case SQLITE_NOMEM:
        return RF_NO_MEMORY;
    case SQLITE_TOOBIG:
        return RF_TOO_LARGE;
    case SQLITE_FULL:
        return RF_LOG_FULL;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return RF_LOG_LOCKED;
    case SQLITE_PERM:
        return RF_LOG_READONLY;
    case SQLITE_READONLY:
        return code == SQLITE_READONLY_DBMOVED ? RF_LOG_FAILED : RF_LOG_READONLY;
    case SQLITE_CORRUPT:
    case SQLITE_CONSTRAINT: // never violated by valid writes
    case SQLITE_MISMATCH:
        return RF_LOG_DAMAGED;
    case SQLITE_NOTADB:
        return RF_LOG_FORMAT;
    case SQLITE_CANTOPEN:
    case SQLITE_IOERR:
        // What of it is on the disk is not known, whatever the system says.
        if (code == SQLITE_IOERR_FSYNC || code == SQLITE_IOERR_DIR_FSYNC) return RF_LOG_FAILED;
        return from_errno(sqlite3_system_errno(db));
    default:
        return RF_LOG_FAILED;
    }
}

bool log_fail_sql(log_store *store, log_error *error, int code) {
    int number = sqlite3_system_errno(store->db);
    bool is_system = (code & 0xFF) == SQLITE_IOERR || (code & 0xFF) == SQLITE_CANTOPEN;
    return log_fail(error, from_sqlite(store->db, code), "SQLite says: %.300s (%d)%s%.100s", sqlite3_errstr(code), code,
                    is_system && number ? ", the system: " : "", is_system && number ? strerror(number) : "");
}

// How many bytes a character of UTF-8 has, the first of `len`; 0: they are none.
static size_t character(const unsigned char *at, size_t len) {
    static const uint32_t lowest[] = {0, 0, 0x80, 0x800, 0x10000};
    size_t size = at[0] < 0x80 ? 1 : at[0] < 0xC0 ? 0 : at[0] < 0xE0 ? 2 : at[0] < 0xF0 ? 3 : at[0] < 0xF8 ? 4 : 0;
    if (size < 2) return size;
    if (size > len) return 0;
    uint32_t code = at[0] & (0x7Fu >> size);
    for (size_t i = 1; i < size; i++) {
        if ((at[i] & 0xC0) != 0x80) return 0;
        code = code << 6 | (at[i] & 0x3F);
    }
    return code < lowest[size] || code > 0x10FFFF || (code >= 0xD800 && code < 0xE000) ? 0 : size;
}

// A room's name may come from anywhere, and be what is damaged: control characters, and bytes that are not UTF-8,
// become question marks.
static void readable(rf_str name, char *out, size_t size) {
    size_t used = 0;
    for (size_t i = 0; i < name.len;) {
        const unsigned char *at = (const unsigned char *)name.data + i;
        size_t len = character(at, name.len - i);
        bool control = len == 1 ? at[0] < 0x20 || at[0] == 0x7F : len == 2 && at[0] == 0xC2 && at[1] < 0xA0;
        size_t shown = len == 0 || control ? 1 : len;
        if (used + shown >= size) break;
        memcpy(out + used, len == 0 || control ? "?" : name.data + i, shown);
        used += shown;
        i += len > 0 ? len : 1;
    }
    out[used] = 0;
}

bool log_damaged(log_error *error, rf_str room, int64_t seq, const char *what) {
    char name[256];
    readable(room, name, sizeof name);
    if (seq == 0) return log_fail(error, RF_LOG_DAMAGED, "room \"%s\": %s", name, what);
    return log_fail(error, RF_LOG_DAMAGED, "room \"%s\", seq %lld: %s", name, (long long)seq, what);
}

void log_name_room(rf_str room, int64_t seq, log_error *error) {
    log_error before = *error;
    if (error->status == RF_LOG_DAMAGED && strncmp(error->detail, "SQLite", 6) == 0) {
        log_damaged(error, room, seq, before.detail);
    }
}

int log_step(log_store *store, log_sql sql) {
    int code = sqlite3_step(store->sql[sql]);
    if (code != SQLITE_ROW) sqlite3_reset(store->sql[sql]);
    return code;
}

bool log_exec(log_store *store, log_sql sql, log_error *error) {
    int code = sqlite3_step(store->sql[sql]);
    sqlite3_reset(store->sql[sql]);
    return code == SQLITE_DONE || code == SQLITE_ROW || log_fail_sql(store, error, code);
}

// Binding integers cannot fail. Binding a text fails only without memory; the missing text then violates NOT NULL.
void log_bind(log_store *store, log_sql sql, int count, const int64_t *values) {
    for (int i = 0; i < count; i++) {
        sqlite3_bind_int64(store->sql[sql], i + 1, values[i]);
    }
}

void log_bind_text(log_store *store, log_sql sql, int parameter, rf_str text) {
    sqlite3_bind_text64(store->sql[sql], parameter, text.len ? text.data : "", text.len, SQLITE_STATIC, SQLITE_UTF8);
}

void log_bind_blob(log_store *store, log_sql sql, int parameter, rf_str bytes) {
    sqlite3_bind_blob64(store->sql[sql], parameter, bytes.len ? bytes.data : "", bytes.len, SQLITE_STATIC);
}

bool log_column(sqlite3_stmt *statement, int column, rf_str *out) {
    const void *data = sqlite3_column_blob(statement, column);
    int len = sqlite3_column_bytes(statement, column);
    if (!data && len > 0) return false;
    *out = (rf_str){data ? data : "", (size_t)len};
    return true;
}

bool log_begin_read(log_store *store, log_error *error) {
    return log_exec(store, SQL_BEGIN_READ, error);
}

void log_rollback(log_store *store) {
    // Some errors have already rolled the transaction back.
    if (!sqlite3_get_autocommit(store->db)) {
        log_error ignored;
        log_exec(store, SQL_ROLLBACK, &ignored);
    }
}

bool log_text_add(log_text *text, rf_str bytes) {
    if (bytes.len > text->capacity - text->len) {
        if (bytes.len > SIZE_MAX / 4 - text->len) return false;
        size_t capacity = text->capacity * 2 > text->len + bytes.len ? text->capacity * 2 : text->len + bytes.len + 256;
        char *data = realloc(text->data, capacity);
        if (!data) return false;
        text->data = data;
        text->capacity = capacity;
    }
    if (bytes.len > 0) memcpy(text->data + text->len, bytes.data, bytes.len);
    text->len += bytes.len;
    return true;
}

char *log_join(const char *path, const char *suffix) {
    size_t len = strlen(path), more = strlen(suffix) + 1;
    char *out = malloc(len + more);
    if (out) {
        memcpy(out, path, len);
        memcpy(out + len, suffix, more);
    }
    return out;
}

void log_text_free(log_text *text) {
    free(text->data);
    *text = (log_text){0};
}
