// wire_value_in.h: reads a component's value from a snapshot or diff (docs/wire-format.md, "Values").
#ifndef RF_CORE_WIRE_VALUE_IN_H
#define RF_CORE_WIRE_VALUE_IN_H

#include "base/arena.h"
#include "frame/wire_in.h"
#include "world/world_state.h"

// Reads the value of a declared component as the bytes that its column keeps, in the arena or the schema. update: it is
// a changed value, perhaps relative to the one that the entity with this handle has. RF_INVALID_FRAME, RF_TOO_LARGE,
// RF_NO_MEMORY.
rf_str rf_wire_get_value(rf_wire_in *in, const rf_world *world, uint32_t column, uint32_t handle, bool update,
                         rf_arena *arena);

#endif
