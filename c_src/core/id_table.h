// id_table.h: id -> handle. Open addressing with linear probing; an entry is 8 bytes: 32 bits of the id's
// hash, which also say where it belongs, and the handle plus one. So a look-up usually touches one
// line of the table and then the entity it was looking for, and growing touches no entity at all.
#ifndef RF_CORE_ID_TABLE_H
#define RF_CORE_ID_TABLE_H

#include "alloc.h"

#define RF_NO_HANDLE UINT32_MAX

typedef struct rf_id_table {
    uint64_t *entries;
    uint32_t mask; // entries minus one
    uint32_t count;
} rf_id_table;

static inline uint32_t rf_id_table_tag(uint64_t hash) {
    return (uint32_t)(hash >> 32);
}

void rf_id_table_free(rf_id_table *table, rf_mem *mem);
// Room for one more; false when out of memory.
bool rf_id_table_reserve(rf_id_table *table, rf_mem *mem);
// The handle must not be there yet, and room must be reserved.
void rf_id_table_add(rf_id_table *table, uint32_t tag, uint32_t handle);
void rf_id_table_remove(rf_id_table *table, uint32_t tag, uint32_t handle);
bool rf_id_table_copy(rf_id_table *to, const rf_id_table *from, rf_mem *mem);

#endif
