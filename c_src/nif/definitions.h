// definitions.h: the schemas and rules that worlds share. Each library has its own, as private data: a newer one
// takes over the worlds of an older one, but makes its definitions anew.
#ifndef ROOMFOLD_NIF_DEFINITIONS_H
#define ROOMFOLD_NIF_DEFINITIONS_H

#include "common.h"

typedef struct nif_definitions nif_definitions;

// NULL: no memory.
nif_definitions *nif_definitions_new(void);
// NULL is allowed.
void nif_definitions_free(nif_definitions *definitions);

// Those of the library that is called. False: not kept, to be made. The lock is held for as long as it takes to compare
// texts, so that normal schedulers may call this.
bool nif_definitions_find(ErlNifEnv *env, rf_str schema, const rf_str *rules, rf_definition *out);
// Compiles them, and keeps them for others. As rf_definition_from_json.
rf_status nif_definitions_make(ErlNifEnv *env, rf_str schema, const rf_str *rules, rf_definition *out, rf_error *error);

#endif
