#include "store.h"

// wal_space.c: extends the WAL some hundred pages at a time, because syncing a file that has grown also waits for the
// file system's journal, and syncing only new bytes does not. The zeros after the last frame are not a frame, neither
// for SQLite (their salts are wrong) nor for log_wal_is_whole.
#define FRAME (LOG_WAL_FRAME_HEADER + LOG_PAGE_BYTES)
#define LEAST ((sqlite3_int64)64 << 10)
#define MOST ((sqlite3_int64)1 << 20)

static const char zeros[1 << 16];

void log_wal_reserve(log_store *store) {
    if (store->wal_pages == 0) return; // SQLite makes the file's header first
    sqlite3_int64 used = LOG_WAL_HEADER + (sqlite3_int64)store->wal_pages * FRAME;
    if (used + LEAST <= store->wal_bytes) return;
    sqlite3_file *file = NULL;
    if (sqlite3_file_control(store->db, NULL, SQLITE_FCNTL_JOURNAL_POINTER, &file) != SQLITE_OK || !file ||
        !file->pMethods || file->pMethods->xFileSize(file, &store->wal_bytes) != SQLITE_OK) {
        return;
    }
    if (used + LEAST <= store->wal_bytes) return;
    sqlite3_int64 more = used < LEAST ? LEAST : used > MOST ? MOST : used;
    // If the disk is full, a commit that needs space reports it.
    for (sqlite3_int64 wanted = used + LEAST + more; store->wal_bytes < wanted;) {
        sqlite3_int64 left = wanted - store->wal_bytes;
        int piece = (int)(left < (sqlite3_int64)sizeof zeros ? left : (sqlite3_int64)sizeof zeros);
        if (file->pMethods->xWrite(file, zeros, piece, store->wal_bytes) != SQLITE_OK) return;
        store->wal_bytes += piece;
    }
}
