#include "store.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

// lock.c: uses flock on a separate file, because SQLite's locking_mode=EXCLUSIVE would also exclude its shell. An flock
// belongs to one opening of the file, so the same VM cannot have two writers either; and it ends with the process,
// however that ends.

static bool fail_system(log_error *error, int number) {
    rf_status status = number == EACCES || number == EPERM || number == EROFS ? RF_LOG_READONLY
                       : number == ENOSPC || number == EDQUOT                 ? RF_LOG_FULL
                                                                              : RF_LOG_FAILED;
    return log_fail(error, status, "its lock file: %.200s", strerror(number));
}

static bool fail_taken(log_error *error, int file) {
    char owner[32] = {0};
    ssize_t len = pread(file, owner, sizeof owner - 1, 0);
    if (len <= 0) return log_fail(error, RF_LOG_LOCKED, "another process has it open");
    return log_fail(error, RF_LOG_LOCKED, "the OS process %d has it open", atoi(owner));
}

int log_lock(const char *path, log_error *error) {
    char *name = log_join(path, ".lock");
    if (!name) {
        log_fail(error, RF_NO_MEMORY, "%s", "");
        return -1;
    }
    int file = open(name, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    int number = errno;
    free(name);
    if (file < 0) {
        fail_system(error, number);
        return -1;
    }
    if (flock(file, LOCK_EX | LOCK_NB) != 0) {
        number = errno;
        if (number == EWOULDBLOCK) {
            fail_taken(error, file);
        } else {
            fail_system(error, number);
        }
        close(file);
        return -1;
    }
    // For people and for the message above; not needed for the lock.
    char owner[32];
    int len = snprintf(owner, sizeof owner, "%d\n", (int)getpid());
    if (ftruncate(file, 0) != 0 || pwrite(file, owner, (size_t)len, 0) != len) {
        fail_system(error, errno);
        close(file);
        return -1;
    }
    return file;
}

static bool identify(const char *path, log_file_id *out) {
    struct stat found;
    if (stat(path, &found) != 0) return false;
    *out = (log_file_id){found.st_dev, found.st_ino};
    return true;
}

bool log_remember_files(log_store *store) {
    return identify(store->path, &store->file) && identify(store->wal_path, &store->wal);
}

bool log_still_there(const log_store *store, log_error *error) {
    log_file_id file, wal;
    if (identify(store->path, &file) && identify(store->wal_path, &wal) && file.inode == store->file.inode &&
        file.device == store->file.device && wal.inode == store->wal.inode && wal.device == store->wal.device) {
        return true;
    }
    return log_fail(error, RF_LOG_FAILED, "its files were deleted, moved or replaced");
}
