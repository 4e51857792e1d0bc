// change.h: create, update and delete. Each is done completely, or not at all if memory runs out.
#ifndef RF_CORE_CHANGE_H
#define RF_CORE_CHANGE_H

#include "world_state.h"

// A component to set or remove. image: its bytes in a column (value.h), or a term.
typedef struct rf_assign {
    int column; // in the schema, or -1
    bool remove;
    bool same;   // set by the change: nothing to do
    rf_str name; // only used if undeclared
    rf_str image;
    void *fresh; // set by the change: the new blob or rf_undeclared
} rf_assign;

// Creates an entity (handle: RF_NO_HANDLE) or replaces an existing one. Undeclared components must be sorted by name
// and unique. RF_NO_MEMORY, RF_WORLD_FULL.
rf_status rf_change_create(rf_world *world, uint32_t handle, rf_str id, uint64_t hash, rf_assign *assigns,
                           size_t count);
// The handle that the next new entity gets.
uint32_t rf_change_free_handle(const rf_world *world);
// Creates an entity with that handle; in a mirror, any free handle. Otherwise like rf_change_create.
rf_status rf_change_create_at(rf_world *world, uint32_t handle, rf_str id, uint64_t hash, rf_assign *assigns,
                              size_t count);
// Merges components into an existing entity. RF_NO_MEMORY.
rf_status rf_change_update(rf_world *world, uint32_t handle, rf_assign *assigns, size_t count);
// RF_NO_MEMORY.
rf_status rf_change_delete(rf_world *world, uint32_t handle, uint64_t hash);

#endif
