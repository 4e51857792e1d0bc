// value_log.h: the replaced values of a quantised component, so that a diff can encode a number relative to the value
// that the receiver has. A ring of the last `length` values, each linked to the previous value of the same entity.
#ifndef RF_CORE_VALUE_LOG_H
#define RF_CORE_VALUE_LOG_H

#include "base/alloc.h"

typedef struct rf_old_value {
    uint32_t stamp;    // revision at which it was set
    uint32_t until;    // revision at which it was replaced or removed
    uint32_t previous; // number of the entity's previous entry; 0: none
    uint32_t handle;
    uint8_t value[];
} rf_old_value;

typedef struct rf_value_log {
    uint32_t length;  // entries that are valid; 0: nothing is remembered
    uint32_t mask;    // allocated entries, a power of two, minus one
    uint32_t written; // the number of the newest entry, from 1; wraps around
    uint32_t entry_size;
    uint8_t *entries;
} rf_value_log;

static inline rf_old_value *rf_value_log_entry(const rf_value_log *log, uint32_t number) {
    return (rf_old_value *)(void *)(log->entries + (size_t)(number & log->mask) * log->entry_size);
}

bool rf_value_log_init(rf_value_log *log, rf_mem *mem, uint32_t length, uint32_t value_size);
void rf_value_log_free(rf_value_log *log, rf_mem *mem);
// On failure, `to` is empty.
bool rf_value_log_copy(rf_value_log *to, const rf_value_log *from, rf_mem *mem);

// Adds a value and returns its number.
static inline uint32_t rf_value_log_add(rf_value_log *log, uint32_t handle, uint32_t previous, uint32_t stamp,
                                        uint32_t until, const void *value, size_t size) {
    uint32_t number = ++log->written;
    rf_old_value *entry = rf_value_log_entry(log, number);
    entry->stamp = stamp;
    entry->until = until;
    entry->previous = previous;
    entry->handle = handle;
    memcpy(entry->value, value, size);
    return number;
}

// The value the entity had before revision `since`. newest: the number of its newest entry. NULL: it had none, or it
// has been overwritten.
static inline const void *rf_value_log_before(const rf_value_log *log, uint32_t handle, uint32_t newest,
                                              uint32_t since) {
    for (uint32_t number = newest; number != 0 && log->written - number < log->length;) {
        const rf_old_value *entry = rf_value_log_entry(log, number);
        if (entry->handle != handle) return NULL;
        if (entry->stamp < since) return entry->until >= since ? entry->value : NULL;
        number = entry->previous;
    }
    return NULL;
}

#endif
