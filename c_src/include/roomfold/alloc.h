// alloc.h: where memory comes from.
#ifndef ROOMFOLD_ALLOC_H
#define ROOMFOLD_ALLOC_H

#include <roomfold/base.h>

RF_BEGIN

// One function does it all, as in Lua: with block NULL it allocates, with size 0 it frees (and returns
// NULL), else it resizes. NULL for a size above 0 means that there is no memory; the old block is then
// still valid. Blocks are aligned for any scalar type.
typedef struct rf_allocator {
    void *(*resize)(void *context, void *block, size_t size);
    void *context;
} rf_allocator;

// malloc, realloc and free.
RF_API rf_allocator rf_allocator_default(void);

RF_END

#endif
