// read_nif.h: how calls that only read a world run.
#ifndef ROOMFOLD_NIF_READ_NIF_H
#define ROOMFOLD_NIF_READ_NIF_H

#include "term_convert.h"
#include "world_resource.h"

// The call's own part: runs under the read lock, on the newest version. Any status but RF_OK is the answer.
typedef rf_status nif_reading(nif_builder *builder, const nif_world *world, const ERL_NIF_TERM argv[],
                              ERL_NIF_TERM *answer);

typedef struct nif_reader {
    const char *name;
    nif_function *function; // the NIF itself, to start it anew on a dirty scheduler
    nif_reading *reading;
    bool whole; // it walks the whole world: goes dirty at once if that is big
} nif_reader;

// argv: ref, version, ...
ERL_NIF_TERM nif_read(ErlNifEnv *env, int argc, const ERL_NIF_TERM argv[], const nif_reader *reader);

#endif
