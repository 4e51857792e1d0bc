// store.h: an open database of events, without the VM. One thread at a time: whoever shares a store locks it.
//
// The tables are described in docs/event-log.md. Whatever is read is checked: every row has a checksum over itself and
// over what it belongs to, and every row that must be there is known from another one, so that nothing can be missing
// unnoticed.
#ifndef ROOMFOLD_LOG_STORE_H
#define ROOMFOLD_LOG_STORE_H

#include <sqlite3.h>
#include <sys/types.h>

#include <roomfold/status.h>

#define LOG_APPLICATION_ID 0x52464C47 // "RFLG"
#define LOG_USER_VERSION 2
// Beyond so many pages the commit itself brings home what nobody did before it, so that the WAL begins anew.
#define LOG_WAL_PAGES 6000
// What the WAL's file and each page in it begin with, as SQLite documents it.
#define LOG_WAL_HEADER 32
#define LOG_WAL_FRAME_HEADER 24
#define LOG_PAGE_BYTES 4096 // of the databases we make
#define LOG_MAX_SEQ INT64_C(9007199254740991)

typedef enum log_sql {
#define X(name, readers, text) SQL_##name,
#include "statements.inl"
#undef X
    SQL_COUNT
} log_sql;

// A reason and what there is to say behind its sentence: UTF-8, perhaps empty.
typedef struct log_error {
    rf_status status;
    char detail[512];
} log_error;

// Bytes that grow.
typedef struct log_text {
    char *data;
    size_t len, capacity;
} log_text;

typedef struct log_file_id {
    dev_t device;
    ino_t inode;
} log_file_id;

typedef struct log_store {
    sqlite3 *db;
    sqlite3_stmt *sql[SQL_COUNT]; // NULL: readers don't have it
    bool writer;
    int lock; // the lock file; -1 for readers
    char *path, *wal_path;
    log_file_id file, wal;   // a commit into a deleted file is none
    int wal_pages;           // in the WAL after the last commit
    sqlite3_int64 wal_bytes; // of its file, as far as we know
    bool held_up;            // somebody has held a checkpoint for longer than a commit waits
    bool checked;            // whether all rooms are there; looked at when the first one is not found
    log_error missing;       // RF_OK: they are
    log_text sums;           // of the records of one row
    log_text rows;           // where they are (rows.h)
    log_text out;            // what the last read gave
} log_store;

typedef struct log_options {
    bool writer;
    int synchronous;   // 1: NORMAL, 2: FULL
    int busy_ms;       // how long to wait for others' locks
    int64_t max_bytes; // of the database, 0: no limit
} log_options;

// Opens a database; a writer makes it if it is not there, and is the only one on this machine. False: *error says why.
bool log_open(const char *path, const log_options *options, log_store **store, log_error *error);
// With the WAL brought home and deleted if it is a writer's and `tidy`, which takes its time.
void log_close(log_store *store, bool tidy);

// Brings home what the WAL has, as far as nobody reads it; commits go on meanwhile. *left: so many pages are in the WAL
// only.
bool log_checkpoint(log_store *store, int *left, log_error *error);

// Makes the WAL's file longer before it is needed.
void log_wal_reserve(log_store *store);

// Whether commits still go where others will look for them.
bool log_still_there(const log_store *store, log_error *error);
// Remembers which files those are.
bool log_remember_files(log_store *store);

// Looks at the WAL a crash has left, before SQLite does, which takes damage for the end. False: it is damaged.
bool log_wal_is_whole(const char *path, log_error *error);

// One file only: the lock that keeps a second writer out. -1 and *error if it is taken.
int log_lock(const char *path, log_error *error);

// --- errors

// printf-like; always false.
bool log_fail(log_error *error, rf_status status, const char *format, ...) __attribute__((format(printf, 3, 4)));
// What SQLite's code means to us. Always false.
bool log_fail_sql(log_store *store, log_error *error, int code);
// The same for damage: names the room, and the seq unless it is 0. Always false.
bool log_damaged(log_error *error, rf_str room, int64_t seq, const char *what);

// --- statements

// Runs one that gives no row. The bindings stay until the next.
bool log_exec(log_store *store, log_sql sql, log_error *error);
// SQLITE_ROW, SQLITE_DONE, or an error. Whoever got anything but SQLITE_DONE calls sqlite3_reset.
int log_step(log_store *store, log_sql sql);
// Integers for the parameters 1, 2 and so on.
void log_bind(log_store *store, log_sql sql, int count, const int64_t *values);
void log_bind_text(log_store *store, log_sql sql, int parameter, rf_str text);
void log_bind_blob(log_store *store, log_sql sql, int parameter, rf_str bytes);
// A column's bytes, valid until the next step. False without memory.
bool log_column(sqlite3_stmt *statement, int column, rf_str *out);

bool log_begin_read(log_store *store, log_error *error);
// Ends a transaction without a change.
void log_rollback(log_store *store);

// --- texts

bool log_text_add(log_text *text, rf_str bytes);
void log_text_free(log_text *text);

// Malloced. NULL: no memory.
char *log_join(const char *path, const char *suffix);

#endif
