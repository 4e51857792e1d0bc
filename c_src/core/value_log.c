#include "value_log.h"

bool rf_value_log_init(rf_value_log *log, rf_mem *mem, uint32_t length, uint32_t value_size) {
    *log = (rf_value_log){.entry_size = (uint32_t)sizeof(rf_old_value) + value_size};
    log->entries = rf_mem_zero(mem, (size_t)length * log->entry_size);
    if (log->entries) log->length = length;
    return log->entries != NULL;
}

void rf_value_log_free(rf_value_log *log, rf_mem *mem) {
    rf_mem_free(mem, log->entries, (size_t)log->length * log->entry_size);
    *log = (rf_value_log){0};
}

bool rf_value_log_copy(rf_value_log *to, const rf_value_log *from, rf_mem *mem) {
    size_t size = (size_t)from->length * from->entry_size;
    *to = (rf_value_log){0};
    if (from->length == 0) return true;
    to->entries = rf_mem_alloc(mem, size);
    if (!to->entries) return false;
    memcpy(to->entries, from->entries, size);
    to->length = from->length;
    to->written = from->written;
    to->entry_size = from->entry_size;
    return true;
}
