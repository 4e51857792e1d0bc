#include "value_log.h"

// Entries of 28 bytes are read 32 bytes at a time (wire_values.h), so the last one needs this padding.
#define SPARE 4

static size_t bytes(const rf_value_log *log) {
    return ((size_t)log->mask + 1) * log->entry_size + SPARE;
}

bool rf_value_log_init(rf_value_log *log, rf_mem *mem, uint32_t length, uint32_t value_size) {
    *log = (rf_value_log){.entry_size = (uint32_t)sizeof(rf_old_value) + value_size};
    while (log->mask < length - 1) log->mask = log->mask * 2 + 1;
    log->entries = rf_mem_zero(mem, bytes(log));
    if (log->entries) log->length = length;
    return log->entries != NULL;
}

void rf_value_log_free(rf_value_log *log, rf_mem *mem) {
    if (log->entries) rf_mem_free(mem, log->entries, bytes(log));
    *log = (rf_value_log){0};
}

bool rf_value_log_copy(rf_value_log *to, const rf_value_log *from, rf_mem *mem) {
    *to = (rf_value_log){0};
    if (from->length == 0) return true;
    to->entries = rf_mem_alloc(mem, bytes(from));
    if (!to->entries) return false;
    memcpy(to->entries, from->entries, bytes(from));
    to->length = from->length;
    to->mask = from->mask;
    to->written = from->written;
    to->entry_size = from->entry_size;
    return true;
}
