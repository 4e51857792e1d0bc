#include "arena.h"

#define FIRST_BLOCK 1024
#define LARGEST_BLOCK (1 << 20)

struct rf_arena_block {
    rf_arena_block *older;
    size_t size; // of the bytes after this header
};

static uint8_t *block_bytes(rf_arena_block *block) {
    return (uint8_t *)(block + 1);
}

void rf_arena_init(rf_arena *arena, rf_allocator allocator) {
    *arena = (rf_arena){.allocator = allocator};
}

static void free_from(rf_arena *arena, rf_arena_block *block) {
    while (block) {
        rf_arena_block *older = block->older;
        rf_free(arena->allocator, block);
        block = older;
    }
}

void rf_arena_free(rf_arena *arena) {
    free_from(arena, arena->blocks);
    rf_arena_init(arena, arena->allocator);
}

void rf_arena_reset(rf_arena *arena) {
    rf_arena_block *block = arena->blocks;
    if (!block) return;
    free_from(arena, block->older);
    block->older = NULL;
    if (block->size > LARGEST_BLOCK) {
        rf_arena_free(arena);
        return;
    }
    arena->at = block_bytes(block);
    arena->end = arena->at + block->size;
}

void *rf_arena_grow(rf_arena *arena, size_t size) {
    size_t wanted = arena->blocks ? arena->blocks->size * 2 : FIRST_BLOCK;
    rf_arena_block *block;
    if (wanted > LARGEST_BLOCK) wanted = LARGEST_BLOCK;
    if (wanted < size) wanted = size;
    if (size > SIZE_MAX / 4) return NULL;
    block = rf_alloc(arena->allocator, sizeof *block + wanted);
    if (!block) return NULL;
    block->older = arena->blocks;
    block->size = wanted;
    arena->blocks = block;
    arena->at = block_bytes(block) + size;
    arena->end = block_bytes(block) + wanted;
    return block_bytes(block);
}
