// worlds.h: the worlds of this process, by the numbers that the VM gives them.
//
// As in the NIF, a world has a version: each fold increments it, and calls with an older version are refused. A call
// with a newer version means that this process has lost changes (call.h, `lost`).
#ifndef ROOMFOLD_PORT_WORLDS_H
#define ROOMFOLD_PORT_WORLDS_H

#include "pieces.h"

#include <roomfold/roomfold.h>

typedef struct port_world {
    uint64_t number, version;
    rf_world *world;
    rf_scene *scene;         // NULL until it is needed
    struct port_world *next; // in the table
} port_world;

typedef struct port_worlds {
    port_world **slots;
    size_t count, capacity;      // capacity: 0 or a power of two
    port_pieces *pieces;         // of worlds to come: of one that is there, only of newer versions
    rf_definitions *definitions; // the schemas and rules that they share; NULL until there is a world
} port_worlds;

void port_worlds_free(port_worlds *worlds);
port_world *port_worlds_find(const port_worlds *worlds, uint64_t number);
// Takes ownership of the world, even if it fails. Replaces a world with the same number.
rf_status port_worlds_add(port_worlds *worlds, uint64_t number, uint64_t version, rf_world *world);
// The world's version is the next one. Whoever still restores it at that one comes too late.
void port_worlds_raise(port_worlds *worlds, port_world *world);
// And the pieces of what would become it.
void port_worlds_remove(port_worlds *worlds, uint64_t number);

#endif
