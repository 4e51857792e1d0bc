// change.h: the three things that can happen to an entity. Each is done wholly, or not at all when memory runs out.
#ifndef RF_CORE_CHANGE_H
#define RF_CORE_CHANGE_H

#include "world_state.h"

// One component to be set or removed. The image is what a column keeps (value.h), or a term.
typedef struct rf_assign {
    int column; // in the schema, or -1
    bool remove;
    bool same;   // filled in: nothing to do
    rf_str name; // only used if undeclared
    rf_str image;
    void *fresh; // filled in: a blob or rf_other that will hold the value
} rf_assign;

// Creates the entity or replaces the one that is there (handle, or RF_NO_HANDLE). Undeclared components must come
// sorted by name, without repeats. RF_NO_MEMORY, RF_WORLD_FULL.
rf_status rf_change_create(rf_world *world, uint32_t handle, rf_str id, uint64_t hash, rf_assign *assigns,
                           size_t count);
// The handle that the next new entity gets.
uint32_t rf_change_free_handle(const rf_world *world);
// Creates an entity with that handle; in a world that mirrors another, with any that nobody has. The same.
rf_status rf_change_create_at(rf_world *world, uint32_t handle, rf_str id, uint64_t hash, rf_assign *assigns,
                              size_t count);
// Merges into a living entity. RF_NO_MEMORY.
rf_status rf_change_update(rf_world *world, uint32_t handle, rf_assign *assigns, size_t count);
// RF_NO_MEMORY.
rf_status rf_change_delete(rf_world *world, uint32_t handle, uint64_t hash);

#endif
