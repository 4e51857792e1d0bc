// key_set.h: finds duplicate keys in nested objects. Keys are kept on a stack, level by level; a level with more than a
// few keys also uses a hash table that all levels share. Keys are removed in reverse order, so no chain of the table
// ever breaks.
#ifndef RF_CORE_KEY_SET_H
#define RF_CORE_KEY_SET_H

#include "alloc.h"
#include <roomfold/world.h>

typedef struct rf_key_entry {
    rf_str key;
    uint32_t hash;
    uint32_t place; // its index in the table, plus one; 0: not in it
} rf_key_entry;

typedef struct rf_key_level {
    uint32_t first; // entry
    bool hashed;
} rf_key_level;

typedef struct rf_key_set {
    rf_allocator allocator;
    uint64_t seed; // of the hash
    rf_key_entry *entries;
    uint32_t count, capacity;
    uint32_t *table; // entry plus one
    uint32_t table_size, table_count;
    uint32_t depth;
    rf_key_level levels[RF_DEPTH_MAX + 1];
} rf_key_set;

void rf_key_set_init(rf_key_set *set, rf_allocator allocator, uint64_t seed);
void rf_key_set_free(rf_key_set *set);
// Removes all levels.
void rf_key_set_reset(rf_key_set *set);
void rf_key_set_push(rf_key_set *set);
void rf_key_set_pop(rf_key_set *set);
// RF_OK, RF_DUPLICATE_KEY, RF_NO_MEMORY. The key's bytes must stay valid until its level is popped.
rf_status rf_key_set_add(rf_key_set *set, rf_str key);

#endif
