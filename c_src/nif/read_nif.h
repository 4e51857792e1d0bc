// read_nif.h: runs calls that only read a world.
#ifndef ROOMFOLD_NIF_READ_NIF_H
#define ROOMFOLD_NIF_READ_NIF_H

#include "term_convert.h"
#include "world_resource.h"

// The part of a call that reads. Runs under the read lock, on the newest version. A status other than RF_OK becomes the
// result of the call.
typedef rf_status nif_reading(nif_builder *builder, const nif_world *world, const ERL_NIF_TERM argv[],
                              ERL_NIF_TERM *answer);

typedef struct nif_reader {
    const char *name;
    nif_function *function; // the NIF itself, to run it again on a dirty scheduler
    nif_reading *reading;
    bool whole; // reads the whole world: goes dirty at once if the world is big
} nif_reader;

// argv: ref, version, ...
ERL_NIF_TERM nif_read(ErlNifEnv *env, int argc, const ERL_NIF_TERM argv[], const nif_reader *reader);

#endif
