// store.h: an open database of events, independent of the VM. Use it from one thread at a time; to share it, lock it.
//
// The tables are described in docs/event-log.md. Everything that is read is checked: each row has a checksum over its
// content and over what it belongs to, and each row is referred to by another one, so that a missing row is noticed.
#ifndef ROOMFOLD_LOG_STORE_H
#define ROOMFOLD_LOG_STORE_H

#include <sqlite3.h>
#include <sys/types.h>

#include <roomfold/status.h>

#define LOG_APPLICATION_ID 0x52464C47 // "RFLG"
#define LOG_USER_VERSION 2
// If the WAL is longer than this, a commit itself makes a checkpoint, so that the WAL restarts.
#define LOG_WAL_PAGES 6000
// Sizes of the headers of the WAL and of its frames, as documented by SQLite.
#define LOG_WAL_HEADER 32
#define LOG_WAL_FRAME_HEADER 24
#define LOG_PAGE_BYTES 4096 // of databases that this library creates
#define LOG_MAX_SEQ INT64_C(9007199254740991)

typedef enum log_sql {
#define X(name, readers, text) SQL_##name,
#include "statements.inl"
#undef X
    SQL_COUNT
} log_sql;

// A reason, and details to print after its message: UTF-8, perhaps empty.
typedef struct log_error {
    rf_status status;
    char detail[512];
} log_error;

// A growing buffer of bytes.
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
    sqlite3_stmt *sql[SQL_COUNT]; // NULL: not needed by readers
    bool writer;
    int lock; // the lock file; -1 for readers
    char *path, *wal_path;
    log_file_id file, wal;   // to notice that a file was deleted: a commit into it would be lost
    int wal_pages;           // in the WAL after the last commit
    sqlite3_int64 wal_bytes; // the size of its file, as far as known
    bool held_up;            // another process has blocked a checkpoint for longer than a commit waits
    bool checked;            // all rooms have been checked, which happens when a room is first not found
    log_error missing;       // the result of that check; RF_OK: no room is missing
    log_text sums;           // checksums of a row's records
    log_text rows;           // positions of rows (rows.h)
    log_text out;            // the result of the last read
} log_store;

typedef struct log_options {
    bool writer;
    int synchronous;   // 1: NORMAL, 2: FULL
    int busy_ms;       // how long to wait for locks held by others
    int64_t max_bytes; // of the database; 0: no limit
} log_options;

// Opens a database. A writer creates it if it does not exist; there can be only one writer on a machine. False: *error
// is the reason.
bool log_open(const char *path, const log_options *options, log_store **store, log_error *error);
// tidy: a writer also makes a checkpoint and deletes the WAL, which can take long.
void log_close(log_store *store, bool tidy);

// Makes a checkpoint: copies the WAL to the database, except what readers still need. Commits can continue meanwhile.
// *left: how many pages are only in the WAL.
bool log_checkpoint(log_store *store, int *left, log_error *error);

// Extends the WAL's file in advance. Only in a transaction that writes: else another process, such as a shell with
// VACUUM, could write its commit to where this writes zeros.
void log_wal_reserve(log_store *store);

// Whether the files are still those that were opened, so that commits are not lost.
bool log_still_there(const log_store *store, log_error *error);
// Remembers the files' identities for log_still_there.
bool log_remember_files(log_store *store);

// Checks the WAL that a crash has left. (SQLite would take damage for its end.) False: it is damaged.
bool log_wal_is_whole(const char *path, log_error *error);

// Takes the lock file, which excludes a second writer. -1, with *error set, if it is taken.
int log_lock(const char *path, log_error *error);

// --- errors

// printf-like; always false.
bool log_fail(log_error *error, rf_status status, const char *format, ...) __attribute__((format(printf, 3, 4)));
// Converts SQLite's error code. Always false.
bool log_fail_sql(log_store *store, log_error *error, int code);
// The same for damage: names the room, and the seq unless it is 0. Always false.
bool log_damaged(log_error *error, rf_str room, int64_t seq, const char *what);
// SQLite's report of damage names no room: adds the one that was being read or written.
void log_name_room(rf_str room, int64_t seq, log_error *error);

// --- statements

// Runs a statement without result rows. Its bindings stay.
bool log_exec(log_store *store, log_sql sql, log_error *error);
// SQLITE_ROW, SQLITE_DONE, or an error. After anything but SQLITE_DONE, call sqlite3_reset.
int log_step(log_store *store, log_sql sql);
// Binds integers to the parameters 1, 2 and so on.
void log_bind(log_store *store, log_sql sql, int count, const int64_t *values);
void log_bind_text(log_store *store, log_sql sql, int parameter, rf_str text);
void log_bind_blob(log_store *store, log_sql sql, int parameter, rf_str bytes);
// A column's bytes, valid until the next step. False: no memory.
bool log_column(sqlite3_stmt *statement, int column, rf_str *out);

bool log_begin_read(log_store *store, log_error *error);
// Ends a transaction without changes.
void log_rollback(log_store *store);

// --- texts

bool log_text_add(log_text *text, rf_str bytes);
void log_text_free(log_text *text);

// Concatenates; the caller frees the result. NULL: no memory.
char *log_join(const char *path, const char *suffix);

#endif
