// alloc.h: shorthands for an allocator, and a counting allocator.
#ifndef RF_CORE_ALLOC_H
#define RF_CORE_ALLOC_H

#include <roomfold/alloc.h>
#include <string.h>

static inline void *rf_alloc(rf_allocator allocator, size_t size) {
    return allocator.resize(allocator.context, NULL, size);
}

static inline void *rf_alloc_zero(rf_allocator allocator, size_t size) {
    void *block = rf_alloc(allocator, size);
    return block ? memset(block, 0, size) : NULL;
}

static inline void rf_free(rf_allocator allocator, void *block) {
    if (block) allocator.resize(allocator.context, block, 0);
}

// An allocator and the number of bytes in use. To free a block, its size must be given.
typedef struct rf_mem {
    rf_allocator allocator;
    size_t used;
} rf_mem;

static inline void *rf_mem_resize(rf_mem *mem, void *block, size_t old_size, size_t new_size) {
    void *out = mem->allocator.resize(mem->allocator.context, block, new_size);
    if (out || new_size == 0) mem->used = mem->used - old_size + new_size;
    return out;
}

static inline void *rf_mem_alloc(rf_mem *mem, size_t size) {
    return rf_mem_resize(mem, NULL, 0, size);
}

static inline void *rf_mem_zero(rf_mem *mem, size_t size) {
    void *block = rf_mem_alloc(mem, size);
    return block ? memset(block, 0, size) : NULL;
}

static inline void rf_mem_free(rf_mem *mem, void *block, size_t size) {
    if (block) rf_mem_resize(mem, block, size, 0);
}

#endif
