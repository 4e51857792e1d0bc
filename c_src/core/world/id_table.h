// id_table.h: a hash table from ids to handles. Open addressing with linear probing; an entry has 8 bytes: 32 bits of
// the id's hash, which also determine its position, and the handle plus one. A look-up usually touches one cache line
// of the table and then the entity, and growing the table touches no entities.
#ifndef RF_CORE_ID_TABLE_H
#define RF_CORE_ID_TABLE_H

#include "base/alloc.h"

#define RF_NO_HANDLE UINT32_MAX

typedef struct rf_id_table {
    uint64_t *entries;
    uint32_t mask; // entries minus one
    uint32_t count;
} rf_id_table;

static inline uint32_t rf_id_table_tag(uint64_t hash) {
    return (uint32_t)(hash >> 32);
}

// At most 13/16 full. A table that the processor's cache holds only half or a quarter, so that its chains are short:
// where one is longer than the one before, the processor has guessed wrong, and waits for the entry.
static inline bool rf_id_table_has_space(const rf_id_table *table) {
    uint32_t most = table->mask < 4096 ? 4 : table->mask < 8192 ? 8 : 13;
    return table->entries && (table->count + UINT64_C(1)) * 16 <= (table->mask + UINT64_C(1)) * most;
}

void rf_id_table_free(rf_id_table *table, rf_mem *mem);
bool rf_id_table_grow(rf_id_table *table, rf_mem *mem);
void rf_id_table_remove(rf_id_table *table, uint32_t tag, uint32_t handle);
bool rf_id_table_copy(rf_id_table *to, const rf_id_table *from, rf_mem *mem);

// Reserves one more entry; false when out of memory.
static inline bool rf_id_table_reserve(rf_id_table *table, rf_mem *mem) {
    return rf_id_table_has_space(table) || rf_id_table_grow(table, mem);
}

static inline void rf_id_table_insert(uint64_t *entries, uint32_t mask, uint64_t entry) {
    uint32_t at = (uint32_t)(entry >> 32) & mask;
    while (entries[at] != 0) at = (at + 1) & mask;
    entries[at] = entry;
}

// The handle must not be in the table, and an entry must be reserved.
static inline void rf_id_table_add(rf_id_table *table, uint32_t tag, uint32_t handle) {
    rf_id_table_insert(table->entries, table->mask, (uint64_t)tag << 32 | (handle + 1));
    table->count++;
}

#endif
