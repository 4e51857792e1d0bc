// pieces.h: the pieces of long checkpoints that are being restored. Until all of them have come and the world has been
// made of them, the world is not there.
//
// They belong to the number of the world, and go when it does, or when it is as new as they are. Callers that restore
// the same checkpoint at once add to the same pieces; those that restore another one (of the same world at another
// version, or of what it had forgotten more of) to others.
#ifndef ROOMFOLD_PORT_PIECES_H
#define ROOMFOLD_PORT_PIECES_H

#include "saves.h"

typedef struct port_piece {
    struct port_piece *before;
    char bytes[];
} port_piece;

typedef struct port_pieces {
    uint64_t number, version; // of the world
    port_saves saves;         // of all pieces
    port_piece *last;
    size_t count, longest; // longest: bytes of the longest one
    struct port_pieces *next;
} port_pieces;

// NULL: none has come.
port_pieces *port_pieces_find(port_pieces *list, uint64_t number, uint64_t version, const port_moment *moment);
// An element without pieces, at the front of the list. NULL: no memory.
port_pieces *port_pieces_begin(port_pieces **list, uint64_t number, uint64_t version, const port_moment *moment);
// Adds a copy of a piece, which the reader is in, before its entities.
rf_status port_pieces_add(port_pieces *pieces, const port_reader *piece);
// Removes all that would become the world at this or an older version.
void port_pieces_remove(port_pieces **list, uint64_t number, uint64_t version);
void port_pieces_free(port_pieces **list);

#endif
