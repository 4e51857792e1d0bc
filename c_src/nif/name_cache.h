// name_cache.h: binaries for names that come again and again, made once per call and shared.
#ifndef ROOMFOLD_NIF_NAME_CACHE_H
#define ROOMFOLD_NIF_NAME_CACHE_H

#include "common.h"

#define NIF_NAMES 64

// Set `filled` to 0 before use; valid within one call.
typedef struct nif_names {
    uint64_t filled; // a bit for each entry that says something
    struct {
        rf_str bytes; // of the term itself
        ERL_NIF_TERM term;
    } entries[NIF_NAMES];
} nif_names;

ERL_NIF_TERM nif_names_get(nif_names *names, ErlNifEnv *env, rf_str name);

#endif
