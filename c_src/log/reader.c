// reader.c: implements <roomfold/log.h> with a store that only reads.
#include <roomfold/log.h>

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "batch.h"
#include "crc32c.h"
#include "read.h"

struct rf_log {
    log_store *store;
};

_Static_assert(sizeof(rf_log_error) == sizeof(log_error), "errors are copied as they are");

static rf_status answer(bool good, const log_error *from, rf_log_error *to) {
    if (good) return RF_OK;
    if (to) memcpy(to, from, sizeof *to);
    return from->status;
}

static rf_str out_of(const rf_log *log) {
    const log_text *out = &log->store->out;
    return (rf_str){out->len > 0 ? out->data : "", out->len};
}

// SQLite's integers are signed.
static int64_t seq_of(uint64_t seq) {
    return seq > (uint64_t)LOG_MAX_SEQ ? LOG_MAX_SEQ : (int64_t)seq;
}

rf_status rf_log_open(const char *path, int busy_ms, rf_log **out, rf_log_error *error) {
    static pthread_once_t tables = PTHREAD_ONCE_INIT;
    log_options options = {.busy_ms = busy_ms};
    log_error why = {.status = RF_NO_MEMORY};
    rf_log *log = calloc(1, sizeof *log);
    *out = NULL;
    pthread_once(&tables, log_crc32c_init);
    if (!log) return answer(false, &why, error);
    if (!log_open(path, &options, &log->store, &why)) {
        free(log);
        return answer(false, &why, error);
    }
    *out = log;
    return RF_OK;
}

void rf_log_close(rf_log *log) {
    if (!log) return;
    log_close(log->store, false);
    free(log);
}

rf_status rf_log_rooms(rf_log *log, rf_str after, int limit, rf_str *names, rf_log_error *error) {
    log_error why = {0};
    bool good = log_rooms_list(log->store, after, limit, &why);
    *names = good ? out_of(log) : (rf_str){"", 0};
    return answer(good, &why, error);
}

rf_status rf_log_room(rf_log *log, rf_str room, rf_log_span *out, rf_log_error *error) {
    log_error why = {0};
    log_head head = {0};
    bool good = log_head_get(log->store, room, &head, &why);
    log_text_free(&head.versions);
    if (good && head.term == 0) good = log_fail(&why, RF_NO_ROOM, "%s", "");
    *out = (rf_log_span){(uint64_t)head.first, (uint64_t)head.seq};
    return answer(good, &why, error);
}

rf_status rf_log_read(rf_log *log, rf_str room, uint64_t from, size_t max_bytes, rf_str *records, uint64_t *next,
                      rf_log_error *error) {
    log_error why = {0};
    log_range range = {.from = seq_of(from), .to = LOG_MAX_SEQ, .max_events = LOG_MAX_SEQ, .until_damage = true};
    int64_t last = range.from - 1;
    bool good;
    range.max_bytes = max_bytes > (size_t)INT32_MAX ? INT32_MAX : (int64_t)max_bytes;
    good = log_read(log->store, room, &range, &last, &why);
    *records = good ? out_of(log) : (rf_str){"", 0};
    *next = good ? (uint64_t)last + 1 : 0;
    return answer(good, &why, error);
}

rf_status rf_log_snapshot(rf_log *log, rf_str room, uint64_t at_most, rf_str *data, uint64_t *seq,
                          rf_log_error *error) {
    log_error why = {0};
    int64_t found = 0;
    bool good = log_snapshot_get(log->store, room, seq_of(at_most), &found, &why);
    *data = good && found > 0 ? out_of(log) : (rf_str){"", 0};
    *seq = (uint64_t)found;
    return answer(good, &why, error);
}
