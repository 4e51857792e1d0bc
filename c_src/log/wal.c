#include "store.h"

#include "big_endian.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// wal.c: checks a WAL file. SQLite documents its format ("WAL File Format"): a header, then frames, each a header and a
// page. A frame's checksum continues that of the previous frame, and for SQLite the file ends at the first wrong one.
// If complete commits follow it that began after another one was finished, and so synced, then this is damage and not
// the torn end that a power failure leaves.

typedef struct sums {
    uint32_t first, second;
    bool big_endian;
} sums;

static uint32_t little(const unsigned char *at) {
    return (uint32_t)at[3] << 24 | (uint32_t)at[2] << 16 | (uint32_t)at[1] << 8 | (uint32_t)at[0];
}

static void add(sums *it, const unsigned char *at, size_t len) {
    for (; len >= 8; len -= 8, at += 8) {
        it->first += (it->big_endian ? log_load_u32(at) : little(at)) + it->second;
        it->second += (it->big_endian ? log_load_u32(at + 4) : little(at + 4)) + it->first;
    }
}

static bool all_zero(const unsigned char *at, size_t len) {
    for (size_t i = 0; i < len; i++) {
        if (at[i]) return false;
    }
    return true;
}

static bool header_is_whole(const unsigned char *header, uint32_t *page_size, sums *running) {
    uint32_t magic = log_load_u32(header);
    *running = (sums){.big_endian = (magic & 1) != 0};
    add(running, header, 24);
    *page_size = log_load_u32(header + 8);
    return (magic | 1) == 0x377f0683 && *page_size >= 512 && *page_size <= 65536 &&
           (*page_size & (*page_size - 1)) == 0 && running->first == log_load_u32(header + 24) &&
           running->second == log_load_u32(header + 28);
}

static bool frames_are_whole(FILE *file, const unsigned char *salts, sums running, unsigned char *frame, size_t len) {
    bool broken = false, commit_beyond = false;
    while (fread(frame, 1, len, file) == len) {
        bool ours = memcmp(frame + 8, salts, 8) == 0;
        if (!broken) {
            add(&running, frame, 8);
            add(&running, frame + LOG_WAL_FRAME_HEADER, len - LOG_WAL_FRAME_HEADER);
            broken = !ours || running.first != log_load_u32(frame + 16) || running.second != log_load_u32(frame + 20);
        }
        if (broken && ours) {
            if (commit_beyond) return false;
            commit_beyond = log_load_u32(frame + 4) != 0;
        }
    }
    return true;
}

bool log_wal_is_whole(const char *path, log_error *error) {
    unsigned char header[LOG_WAL_HEADER], *frame = NULL;
    uint32_t page_size;
    sums running;
    bool whole = true;
    FILE *file = fopen(path, "rb");
    if (!file) return true; // there is none, or SQLite will report the error
    if (fread(header, 1, LOG_WAL_HEADER, file) < LOG_WAL_HEADER || all_zero(header, LOG_WAL_HEADER)) goto out;
    if (!header_is_whole(header, &page_size, &running)) {
        // An unfinished header has nothing after it.
        whole = fgetc(file) == EOF;
        goto out;
    }
    frame = malloc(LOG_WAL_FRAME_HEADER + page_size);
    whole = !frame || frames_are_whole(file, header + 16, running, frame, LOG_WAL_FRAME_HEADER + page_size);
out:
    free(frame);
    fclose(file);
    return whole ||
           log_fail(error, RF_LOG_DAMAGED, "its -wal file is damaged in the middle, so commits of all rooms are lost");
}
