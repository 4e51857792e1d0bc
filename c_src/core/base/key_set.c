#include "key_set.h"

#include "hash.h"
#include "str.h"

#define LINEAR_MAX 8 // keys of a level that are compared one by one

void rf_key_set_init(rf_key_set *set, rf_allocator allocator, uint64_t seed) {
    *set = (rf_key_set){.allocator = allocator, .seed = seed};
}

void rf_key_set_free(rf_key_set *set) {
    rf_free(set->allocator, set->entries);
    rf_free(set->allocator, set->table);
    rf_key_set_init(set, set->allocator, set->seed);
}

void rf_key_set_reset(rf_key_set *set) {
    while (set->depth > 0) rf_key_set_pop(set);
}

void rf_key_set_push(rf_key_set *set) {
    set->levels[set->depth++] = (rf_key_level){.first = set->count};
}

void rf_key_set_pop(rf_key_set *set) {
    rf_key_level *level = &set->levels[--set->depth];
    if (level->hashed) {
        for (uint32_t i = level->first; i < set->count; i++) set->table[set->entries[i].place - 1] = 0;
        set->table_count -= set->count - level->first;
    }
    set->count = level->first;
}

static void place(rf_key_set *set, uint32_t index) {
    uint32_t mask = set->table_size - 1, at = set->entries[index].hash & mask;
    while (set->table[at] != 0) at = (at + 1) & mask;
    set->table[at] = index + 1;
    set->entries[index].place = at + 1;
}

// Doubles the table. Entries are inserted in their order, so that they can still be removed in reverse.
static bool grow_table(rf_key_set *set) {
    uint32_t size = set->table_size ? set->table_size * 2 : 64;
    uint32_t *table = rf_alloc_zero(set->allocator, size * sizeof *table);
    if (!table) return false;
    rf_free(set->allocator, set->table);
    set->table = table;
    set->table_size = size;
    for (uint32_t i = 0; i < set->count; i++)
        if (set->entries[i].place != 0) place(set, i);
    return true;
}

static bool grow_entries(rf_key_set *set) {
    uint32_t capacity = set->capacity ? set->capacity * 2 : 32;
    rf_key_entry *entries;
    if (capacity > UINT32_MAX / 4) return false;
    entries = set->allocator.resize(set->allocator.context, set->entries, capacity * sizeof *entries);
    if (!entries) return false;
    set->entries = entries;
    set->capacity = capacity;
    return true;
}

static bool reserve_table(rf_key_set *set, uint32_t more) {
    while ((set->table_count + more) * 2 > set->table_size)
        if (!grow_table(set)) return false;
    return true;
}

static uint32_t hash_of(const rf_key_set *set, rf_str key) {
    return (uint32_t)rf_hash(key, set->seed + set->depth);
}

// The level has become large: inserts all its keys into the table.
static bool start_hashing(rf_key_set *set, rf_key_level *level) {
    if (!reserve_table(set, set->count - level->first)) return false;
    for (uint32_t i = level->first; i < set->count; i++) {
        set->entries[i].hash = hash_of(set, set->entries[i].key);
        place(set, i);
        set->table_count++;
    }
    level->hashed = true;
    return true;
}

static bool in_table(const rf_key_set *set, const rf_key_level *level, rf_str key, uint32_t hash) {
    uint32_t mask = set->table_size - 1;
    for (uint32_t at = hash & mask; set->table[at] != 0; at = (at + 1) & mask) {
        uint32_t index = set->table[at] - 1;
        if (index >= level->first && set->entries[index].hash == hash && rf_str_eq(set->entries[index].key, key))
            return true;
    }
    return false;
}

rf_status rf_key_set_add(rf_key_set *set, rf_str key) {
    rf_key_level *level = &set->levels[set->depth - 1];
    uint32_t count = set->count - level->first;
    rf_key_entry entry = {.key = key};
    if (set->count == set->capacity && !grow_entries(set)) return RF_NO_MEMORY;
    if (count == LINEAR_MAX && !level->hashed && !start_hashing(set, level)) return RF_NO_MEMORY;
    if (level->hashed) {
        if (!reserve_table(set, 1)) return RF_NO_MEMORY;
        entry.hash = hash_of(set, key);
        if (in_table(set, level, key, entry.hash)) return RF_DUPLICATE_KEY;
        set->entries[set->count] = entry;
        place(set, set->count);
        set->table_count++;
    } else {
        for (uint32_t i = level->first; i < set->count; i++)
            if (rf_str_eq(set->entries[i].key, key)) return RF_DUPLICATE_KEY;
        set->entries[set->count] = entry;
    }
    set->count++;
    return RF_OK;
}
