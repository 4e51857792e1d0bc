// open.c: opens, configures and closes a database.
#include "room.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *const texts[] = {
#define X(name, readers, text) text,
#include "statements.inl"
#undef X
};

static const bool for_readers[] = {
#define X(name, readers, text) readers,
#include "statements.inl"
#undef X
};

static const char schema[] =
#include "schema.inl"
    ;

// Runs a query that returns one number.
static bool ask(log_store *store, const char *sql, int64_t *out, log_error *error) {
    sqlite3_stmt *statement = NULL;
    int code = sqlite3_prepare_v2(store->db, sql, -1, &statement, NULL);
    if (code == SQLITE_OK) code = sqlite3_step(statement);
    bool found = code == SQLITE_ROW;
    if (found) *out = sqlite3_column_int64(statement, 0);
    sqlite3_finalize(statement);
    return found || log_fail_sql(store, error, code);
}

static bool run(log_store *store, const char *sql, log_error *error) {
    int code = sqlite3_exec(store->db, sql, NULL, NULL, NULL);
    return code == SQLITE_OK || log_fail_sql(store, error, code);
}

static bool set(log_store *store, const char *pragma, int64_t value, log_error *error) {
    char sql[100];
    snprintf(sql, sizeof sql, "PRAGMA %s = %lld", pragma, (long long)value);
    return run(store, sql, error);
}

static bool open_as(log_store *store, const char *name, int flags, const log_options *options, log_error *error) {
    int code = sqlite3_open_v2(name, &store->db, flags | SQLITE_OPEN_NOMUTEX, NULL);
    if (!store->db) return log_fail(error, RF_NO_MEMORY, "%s", "");
    sqlite3_extended_result_codes(store->db, 1);
    if (code != SQLITE_OK) return log_fail_sql(store, error, sqlite3_extended_errcode(store->db));
    sqlite3_busy_timeout(store->db, options->busy_ms);
    // The resource's destructor closes it on any scheduler, so closing must not do I/O.
    sqlite3_db_config(store->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
    // The schema of an untrusted file must not be able to do harm.
    sqlite3_db_config(store->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    return run(store, "PRAGMA cell_size_check = ON; PRAGMA trusted_schema = OFF", error);
}

static bool open_file(log_store *store, const log_options *options, log_error *error) {
    int flags = SQLITE_OPEN_READWRITE | (options->writer ? SQLITE_OPEN_CREATE : 0);
    return open_as(store, store->path, flags, options, error);
}

// Who has it open has a WAL, even if nothing is in it yet.
static bool is_closed(const log_store *store) {
    struct stat found;
    return stat(store->path, &found) == 0 && stat(store->wal_path, &found) != 0;
}

// For a reader who may not make SQLite's files in the folder. A log that is closed needs none, while nobody opens it;
// if somebody does, the checksums tell.
static bool open_closed(log_store *store, const log_options *options, log_error *error) {
    static const char before[] = "file:", after[] = "?immutable=1", digits[] = "0123456789ABCDEF";
    char *uri = malloc(sizeof before + sizeof after + 3 * strlen(store->path)), *at = uri;
    if (!uri) return log_fail(error, RF_NO_MEMORY, "%s", "");
    at = memcpy(at, before, sizeof before - 1);
    at += sizeof before - 1;
    for (const char *from = store->path; *from; from++) {
        if (strchr("%?#", *from)) {
            *at++ = '%';
            *at++ = digits[*from >> 4];
            *at++ = digits[*from & 15];
        } else {
            *at++ = *from;
        }
    }
    memcpy(at, after, sizeof after);
    sqlite3_close_v2(store->db);
    store->db = NULL;
    bool opened = open_as(store, uri, SQLITE_OPEN_READONLY | SQLITE_OPEN_URI, options, error);
    free(uri);
    return opened;
}

static bool create(log_store *store, log_error *error) {
    log_counters none = {0, 0};
    char *sql = sqlite3_mprintf(schema, (sqlite3_int64)log_counters_sum(&none), LOG_APPLICATION_ID, LOG_USER_VERSION);
    if (!sql) return log_fail(error, RF_NO_MEMORY, "%s", "");
    bool done = run(store, "BEGIN IMMEDIATE", error) && run(store, sql, error) && run(store, "COMMIT", error);
    sqlite3_free(sql);
    return done;
}

// Creates the tables in an empty file; any other file must be a log.
static bool recognise(log_store *store, const log_options *options, log_error *error) {
    int64_t id = 0, version = 0, things = 0;
    if (!ask(store, "PRAGMA application_id", &id, error) || !ask(store, "PRAGMA user_version", &version, error) ||
        !ask(store, "SELECT count(*) FROM sqlite_master", &things, error)) {
        return false;
    }
    if (id == 0 && version == 0 && things == 0 && options->writer) {
        return set(store, "page_size", LOG_PAGE_BYTES, error) && run(store, "PRAGMA journal_mode = WAL", error) &&
               create(store, error);
    }
    if (things == 0) // what is new in a log stands in its -wal for a while
        return log_fail(error, RF_LOG_FORMAT,
                        "there is nothing in it; is it a copy without the file with -wal behind its name?");
    if (id != LOG_APPLICATION_ID) return log_fail(error, RF_LOG_FORMAT, "it is another program's database");
    if (version != LOG_USER_VERSION) {
        return log_fail(error, RF_LOG_FORMAT, "it has version %lld, this reads version %d", (long long)version,
                        LOG_USER_VERSION);
    }
    return true;
}

// The pragma returns the actual mode instead of an error.
static bool use_wal(log_store *store, log_error *error) {
    sqlite3_stmt *statement = NULL;
    int code = sqlite3_prepare_v2(store->db, "PRAGMA journal_mode = WAL", -1, &statement, NULL);
    if (code == SQLITE_OK) code = sqlite3_step(statement);
    const char *mode = code == SQLITE_ROW ? (const char *)sqlite3_column_text(statement, 0) : NULL;
    bool is_wal = mode && strcmp(mode, "wal") == 0;
    sqlite3_finalize(statement);
    if (code != SQLITE_ROW) return log_fail_sql(store, error, code);
    return is_wal || log_fail(error, RF_LOG_FAILED, "this file system can't have a database in WAL mode");
}

static bool limit(log_store *store, int64_t max_bytes, log_error *error) {
    int64_t page_size = 4096;
    if (max_bytes == 0) return true;
    return ask(store, "PRAGMA page_size", &page_size, error) &&
           set(store, "max_page_count", max_bytes / page_size + 1, error);
}

#define WAIT_MS 2
#define MOST_WAIT_MS 2000

// A checkpoint is impossible while another one is running, and SQLite then calls no busy handler. So the commit waits,
// which keeps the WAL from growing if the disk is slower than the writers. If another process blocks it for longer (a
// stopped shell), only the first commit waits; later ones just try.
static void bring_home(log_store *store, sqlite3 *db, const char *name) {
    int left = store->held_up ? 0 : MOST_WAIT_MS;
    while (sqlite3_wal_checkpoint_v2(db, name, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL) == SQLITE_BUSY) {
        if (left <= 0) {
            store->held_up = true;
            return;
        }
        // It returns how long it really slept.
        int slept = sqlite3_sleep(WAIT_MS);
        left -= slept > WAIT_MS ? slept : WAIT_MS;
    }
    store->held_up = false;
}

static int after_commit(void *context, sqlite3 *db, const char *name, int pages) {
    log_store *store = context;
    store->wal_pages = pages;
    if (pages >= LOG_WAL_PAGES) bring_home(store, db, name);
    return SQLITE_OK;
}

bool log_checkpoint(log_store *store, int *left, log_error *error) {
    int pages = -1, done = -1;
    int code = sqlite3_wal_checkpoint_v2(store->db, NULL, SQLITE_CHECKPOINT_PASSIVE, &pages, &done);
    // Another checkpoint is running: nothing has been done.
    *left = pages < 0 || done < 0 ? LOG_WAL_PAGES : pages - done;
    return code == SQLITE_OK || code == SQLITE_BUSY || log_fail_sql(store, error, code);
}

static bool configure(log_store *store, const log_options *options, log_error *error) {
    if (!options->writer) {
        return set(store, "query_only", 1, error) && set(store, "checkpoint_fullfsync", 1, error) &&
               set(store, "wal_autocheckpoint", 0, error);
    }
    sqlite3_wal_hook(store->db, after_commit, store);
    return use_wal(store, error) && set(store, "synchronous", options->synchronous, error) &&
           set(store, "fullfsync", options->synchronous == 2, error) && set(store, "checkpoint_fullfsync", 1, error) &&
           set(store, "journal_size_limit", INT64_C(64) << 20, error) && limit(store, options->max_bytes, error);
}

static bool prepare(log_store *store, log_error *error) {
    for (int i = 0; i < SQL_COUNT; i++) {
        if (!store->writer && !for_readers[i]) continue;
        int code = sqlite3_prepare_v3(store->db, texts[i], -1, SQLITE_PREPARE_PERSISTENT, &store->sql[i], NULL);
        // The version is right, so wrong tables are damage.
        if (code == SQLITE_ERROR) return log_fail(error, RF_LOG_DAMAGED, "its tables are not those of a log");
        if (code != SQLITE_OK) return log_fail_sql(store, error, code);
    }
    return true;
}

static bool start(log_store *store, const log_options *options, log_error *error) {
    if (!sqlite3_threadsafe() || sqlite3_libversion_number() < 3020000) {
        return log_fail(error, RF_LOG_FAILED, "this needs SQLite 3.20 or later, built for threads");
    }
    if (options->writer && ((store->lock = log_lock(store->path, error)) < 0 ||
                            // Without syncs, later commits may be on the disk and earlier ones not. That is no damage:
                            // SQLite reads up to the gap.
                            (options->synchronous == 2 && !log_wal_is_whole(store->wal_path, error)))) {
        return false;
    }
    bool known = open_file(store, options, error) && recognise(store, options, error);
    // On a file system that is read-only, SQLite only says that a file is not there.
    bool unmade = !known && (error->status == RF_LOG_READONLY || error->status == RF_LOG_FAILED);
    if (unmade && !options->writer && is_closed(store)) {
        known = open_closed(store, options, error) && recognise(store, options, error);
    }
    log_counters counters;
    if (!known || !configure(store, options, error) || !prepare(store, error) || !log_begin_read(store, error) ||
        !log_counters_read(store, &counters, error)) {
        return false;
    }
    log_rollback(store);
    return !options->writer || log_remember_files(store) ||
           log_fail(error, RF_LOG_FAILED, "its files were deleted, moved or replaced");
}

// The path without links, as SQLite takes it, so that all paths to a file lead to one lock. A link may lead to where
// there is no file yet: a writer makes it. NULL: there is none.
static char *resolve(const char *path, bool writer) {
    struct stat link;
    char *real = realpath(path, NULL);
    if (real || !writer || lstat(path, &link) != 0) return real;
    // Nobody else here can have it open: closing it would end their locks.
    int file = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    if (file >= 0) close(file);
    return realpath(path, NULL);
}

bool log_open(const char *path, const log_options *options, log_store **out, log_error *error) {
    log_store *store = calloc(1, sizeof *store);
    if (!store) return log_fail(error, RF_NO_MEMORY, "%s", "");
    store->lock = -1;
    store->writer = options->writer;
    char *real = resolve(path, options->writer);
    store->path = log_join(real ? real : path, "");
    store->wal_path = log_join(real ? real : path, "-wal");
    free(real);
    bool opened =
        store->path && store->wal_path ? start(store, options, error) : log_fail(error, RF_NO_MEMORY, "%s", "");
    if (!opened) {
        log_close(store, false);
        return false;
    }
    *out = store;
    return true;
}

void log_close(log_store *store, bool tidy) {
    for (int i = 0; i < SQL_COUNT; i++) {
        sqlite3_finalize(store->sql[i]);
    }
    if (store->db) {
        if (tidy && store->writer) sqlite3_db_config(store->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 0, NULL);
        sqlite3_close_v2(store->db);
    }
    if (store->lock >= 0) close(store->lock);
    log_text_free(&store->sums);
    log_text_free(&store->rows);
    log_text_free(&store->out);
    free(store->path);
    free(store->wal_path);
    free(store);
}
