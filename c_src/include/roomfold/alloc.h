// alloc.h: where the library gets its memory from. Every object takes an allocator when it is made, and uses no other
// memory, apart from what the C library's qsort takes for itself.
#ifndef ROOMFOLD_ALLOC_H
#define ROOMFOLD_ALLOC_H

#include <roomfold/base.h>

RF_BEGIN

// A single function allocates, resizes and frees, as in Lua:
//
//     block NULL: allocates size bytes
//     size 0:     frees the block and returns NULL
//     otherwise:  resizes the block, which may move it
//
// NULL for a size above 0 means that there is not enough memory; the old block is then still valid. Blocks must be
// aligned for any scalar type.
typedef struct rf_allocator {
    void *(*resize)(void *context, void *block, size_t size);
    void *context; // passed to every call of resize
} rf_allocator;

// malloc, realloc and free.
RF_API rf_allocator rf_allocator_default(void);

RF_END

#endif
