// name_cache.h: makes the binary of a frequent name once per call, and then reuses the term.
#ifndef ROOMFOLD_NIF_NAME_CACHE_H
#define ROOMFOLD_NIF_NAME_CACHE_H

#include "common.h"

#define NIF_NAMES 64

// Set `filled` to 0 before use. Valid within one NIF call.
typedef struct nif_names {
    uint64_t filled; // a bit for each entry in use
    struct {
        rf_str bytes; // the term's own bytes
        ERL_NIF_TERM term;
    } entries[NIF_NAMES];
} nif_names;

ERL_NIF_TERM nif_names_get(nif_names *names, ErlNifEnv *env, rf_str name);

#endif
