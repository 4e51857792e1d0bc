#include "id_table.h"

#define FIRST_SIZE 16

static size_t bytes(const rf_id_table *table) {
    return table->entries ? ((size_t)table->mask + 1) * sizeof *table->entries : 0;
}

void rf_id_table_free(rf_id_table *table, rf_mem *mem) {
    rf_mem_free(mem, table->entries, bytes(table));
    *table = (rf_id_table){0};
}

bool rf_id_table_grow(rf_id_table *table, rf_mem *mem) {
    uint64_t size = table->entries ? (uint64_t)table->mask + 1 : 0;
    uint64_t new_size = size ? size * 2 : FIRST_SIZE;
    rf_id_table grown;
    grown = (rf_id_table){.mask = (uint32_t)(new_size - 1), .count = table->count};
    grown.entries = rf_mem_zero(mem, (size_t)new_size * sizeof *grown.entries);
    if (!grown.entries) return false;
    for (uint64_t i = 0; i < size; i++)
        if (table->entries[i] != 0) rf_id_table_insert(grown.entries, grown.mask, table->entries[i]);
    rf_mem_free(mem, table->entries, bytes(table));
    *table = grown;
    return true;
}

// Moves later entries of the chain into the hole, so that no chain is broken (Knuth, Algorithm 6.4R).
void rf_id_table_remove(rf_id_table *table, uint32_t tag, uint32_t handle) {
    uint64_t entry = (uint64_t)tag << 32 | (handle + 1);
    uint32_t hole = tag & table->mask, at;
    while (table->entries[hole] != entry) hole = (hole + 1) & table->mask;
    for (at = (hole + 1) & table->mask; table->entries[at] != 0; at = (at + 1) & table->mask) {
        uint32_t home = (uint32_t)(table->entries[at] >> 32) & table->mask;
        if (((at - home) & table->mask) >= ((at - hole) & table->mask)) {
            table->entries[hole] = table->entries[at];
            hole = at;
        }
    }
    table->entries[hole] = 0;
    table->count--;
}

bool rf_id_table_copy(rf_id_table *to, const rf_id_table *from, rf_mem *mem) {
    *to = *from;
    if (!from->entries) return true;
    to->entries = rf_mem_alloc(mem, bytes(from));
    if (!to->entries) {
        *to = (rf_id_table){0};
        return false;
    }
    memcpy(to->entries, from->entries, bytes(from));
    return true;
}
