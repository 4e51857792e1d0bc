// arena.h: scratch memory that never moves and is freed all at once.
#ifndef RF_CORE_ARENA_H
#define RF_CORE_ARENA_H

#include "alloc.h"

typedef struct rf_arena_block rf_arena_block;

typedef struct rf_arena {
    rf_allocator allocator;
    rf_arena_block *blocks; // newest first
    uint8_t *at, *end;
} rf_arena;

void rf_arena_init(rf_arena *arena, rf_allocator allocator);
void rf_arena_free(rf_arena *arena);
// Frees everything but one block, which is reused.
void rf_arena_reset(rf_arena *arena);
void *rf_arena_grow(rf_arena *arena, size_t size);

// 8-byte aligned; NULL when out of memory.
static inline void *rf_arena_alloc(rf_arena *arena, size_t size) {
    size = (size + 7) & ~(size_t)7;
    if ((size_t)(arena->end - arena->at) >= size) {
        void *out = arena->at;
        arena->at += size;
        return out;
    }
    return rf_arena_grow(arena, size);
}

#endif
