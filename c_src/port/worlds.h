// worlds.h: the worlds of this process, by numbers that the VM gives them.
//
// As in the NIF a world has a version: each fold raises it, and a call that names an older one is refused. A newer one
// means that this world is not yet (or not any more) what the caller has.
#ifndef ROOMFOLD_PORT_WORLDS_H
#define ROOMFOLD_PORT_WORLDS_H

#include <roomfold/roomfold.h>

typedef struct port_world {
    uint64_t number, version;
    rf_world *world;
    rf_scene *scene;         // NULL until somebody asks who is hit
    bool mirror;             // its handles are another world's: it was loaded packed, and nothing else was folded
    struct port_world *next; // in the table
} port_world;

typedef struct port_worlds {
    port_world **slots;
    size_t count, capacity; // capacity: 0 or a power of two
} port_worlds;

void port_worlds_free(port_worlds *worlds);
port_world *port_worlds_find(const port_worlds *worlds, uint64_t number);
// Takes the world, also if it fails. In place of one that has the number.
rf_status port_worlds_add(port_worlds *worlds, uint64_t number, uint64_t version, rf_world *world);
void port_worlds_remove(port_worlds *worlds, uint64_t number);

#endif
