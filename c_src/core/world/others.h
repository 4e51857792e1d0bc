// others.h: an entity's undeclared components: terms, sorted by name in byte order.
#ifndef RF_CORE_OTHERS_H
#define RF_CORE_OTHERS_H

#include "base/alloc.h"

typedef struct rf_other {
    uint32_t stamp; // revision of the last change
    uint32_t value_len;
    uint32_t capacity; // for the value
    uint8_t name_len;
    bool present; // otherwise it was removed at `stamp`, and is kept for diffs
    char bytes[]; // the name, then the value as a term
} rf_other;

typedef struct rf_others {
    uint32_t count, capacity, live;
    rf_other *items[];
} rf_others;

static inline rf_str rf_other_name(const rf_other *other) {
    return (rf_str){other->bytes, other->name_len};
}

static inline rf_str rf_other_value(const rf_other *other) {
    return (rf_str){other->bytes + other->name_len, other->value_len};
}

rf_other *rf_other_new(rf_mem *mem, rf_str name, rf_str value);
void rf_other_free(rf_mem *mem, rf_other *other);

// The index of the name (*found), or the index to insert it at. others may be NULL.
uint32_t rf_others_find(const rf_others *others, rf_str name, bool *found);
// Makes room for `more` components; false when out of memory.
bool rf_others_reserve(rf_others **others, rf_mem *mem, uint32_t more);
void rf_others_insert(rf_others *others, uint32_t at, rf_other *other);
void rf_others_erase(rf_others *others, rf_mem *mem, uint32_t at);
// Drops components that were removed before this revision.
void rf_others_purge(rf_others *others, rf_mem *mem, uint32_t before);
void rf_others_free(rf_others *others, rf_mem *mem);
// False when out of memory; *to is then NULL.
bool rf_others_copy(rf_others **to, const rf_others *from, rf_mem *mem);

#endif
