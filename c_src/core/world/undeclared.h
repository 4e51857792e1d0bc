// undeclared.h: an entity's undeclared components: terms, sorted by name in byte order.
#ifndef RF_CORE_UNDECLARED_H
#define RF_CORE_UNDECLARED_H

#include "base/alloc.h"

typedef struct rf_undeclared {
    uint32_t stamp; // revision of the last change
    uint32_t value_len;
    uint32_t capacity; // for the value
    uint8_t name_len;
    bool present; // otherwise it was removed at `stamp`, and is kept for diffs
    char bytes[]; // the name, then the value as a term
} rf_undeclared;

typedef struct rf_undeclared_list {
    uint32_t count, capacity, live;
    rf_undeclared *items[];
} rf_undeclared_list;

static inline rf_str rf_undeclared_name(const rf_undeclared *component) {
    return (rf_str){component->bytes, component->name_len};
}

static inline rf_str rf_undeclared_value(const rf_undeclared *component) {
    return (rf_str){component->bytes + component->name_len, component->value_len};
}

rf_undeclared *rf_undeclared_new(rf_mem *mem, rf_str name, rf_str value);
void rf_undeclared_free(rf_mem *mem, rf_undeclared *component);

// The index of the name (*found), or the index to insert it at. The list may be NULL.
uint32_t rf_undeclared_find(const rf_undeclared_list *list, rf_str name, bool *found);
// Reserves `more` components; false when out of memory.
bool rf_undeclared_reserve(rf_undeclared_list **list, rf_mem *mem, uint32_t more);
void rf_undeclared_insert(rf_undeclared_list *list, uint32_t at, rf_undeclared *component);
void rf_undeclared_erase(rf_undeclared_list *list, rf_mem *mem, uint32_t at);
// Drops components that were removed before this revision.
void rf_undeclared_purge(rf_undeclared_list *list, rf_mem *mem, uint32_t before);
void rf_undeclared_list_free(rf_undeclared_list *list, rf_mem *mem);
// False when out of memory; *to is then NULL.
bool rf_undeclared_list_copy(rf_undeclared_list **to, const rf_undeclared_list *from, rf_mem *mem);

#endif
