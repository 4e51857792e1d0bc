#include <roomfold/alloc.h>
#include <stdlib.h>

static void *default_resize(void *context, void *block, size_t size) {
    (void)context;
    if (size == 0) {
        free(block);
        return NULL;
    }
    return realloc(block, size);
}

rf_allocator rf_allocator_default(void) {
    return (rf_allocator){.resize = default_resize, .context = NULL};
}
