// grow.h: lists that grow by doubling.
#ifndef RF_CORE_GROW_H
#define RF_CORE_GROW_H

#include "alloc.h"

// Reserves `need` items of `size` bytes; `items` points to the list's pointer. False when out of memory.
static inline bool rf_grow(rf_mem *mem, void *items, uint32_t *capacity, uint64_t need, size_t size) {
    uint64_t grown = *capacity ? *capacity : 8;
    void *block;
    if (need <= *capacity) return true;
    if (need > INT32_MAX) return false;
    while (grown < need) grown *= 2;
    if (grown > SIZE_MAX / size) return false;
    memcpy(&block, items, sizeof block);
    block = rf_mem_resize(mem, block, *capacity * size, (size_t)grown * size);
    if (!block) return false;
    memcpy(items, &block, sizeof block);
    *capacity = (uint32_t)grown;
    return true;
}

#define RF_GROW(mem, list, need) rf_grow(mem, &(list)->items, &(list)->capacity, need, sizeof *(list)->items)

#endif
