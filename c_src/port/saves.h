// saves.h: a world that is being made of a checkpoint (checkpoint_port.c): reads its pieces, and creates its entities
// in the order in which they came to be, which is not the order that they are saved in. So all of it is read first.
#ifndef ROOMFOLD_PORT_SAVES_H
#define ROOMFOLD_PORT_SAVES_H

#include "term.h"

// What all pieces of a checkpoint begin with.
typedef struct port_moment {
    uint64_t seq, oldest;
    bool mirror;
} port_moment;

typedef struct port_saved {
    uint32_t handle1;
    uint64_t since;
    rf_str id;
    port_reader components; // to their end
} port_saved;

// Starts zeroed.
typedef struct port_saves {
    port_moment moment;
    port_saved *entities;
    uint32_t *free1; // the free handles, each plus one
    size_t count, free_count, created, capacity, free_capacity;
    rf_world *world; // NULL until all is read
} port_saves;

void port_saves_free(port_saves *saves);
// Moves from the start of a piece to its entities.
bool port_moment_read(port_reader *piece, port_moment *out);
// Reads the entities and free handles of a piece, in place.
rf_status port_saves_read(port_saves *saves, port_reader piece);
// Makes the world, which must be new and at the seq `oldest`, ready for its entities. Takes ownership of it, even if it
// fails.
rf_status port_saves_begin(port_saves *saves, rf_world *world);
// Creates entities until so many bytes of them have been used; *all: there are no more, and the world is as it was.
rf_status port_saves_create(port_saves *saves, size_t bytes, bool *all);

#endif
