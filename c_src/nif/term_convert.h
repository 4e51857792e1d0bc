// term_convert.h: Erlang terms from what a world holds.
#ifndef ROOMFOLD_NIF_TERM_CONVERT_H
#define ROOMFOLD_NIF_TERM_CONVERT_H

#include "name_cache.h"
#include "term_stack.h"

typedef struct nif_builder {
    ErlNifEnv *env;
    int64_t work;  // what may still be done on a normal scheduler (NIF_WORK)
    bool may_stop; // on a normal scheduler
    bool stopped;  // more work than that: to be done again on a dirty scheduler
    nif_names names;
    nif_stack keys, values; // scratch: what is above the current length is free
} nif_builder;

// For one NIF call.
void nif_builder_start(nif_builder *builder, ErlNifEnv *env);
void nif_builder_free(nif_builder *builder);

// These return false if the builder stopped or there is no memory.
bool nif_spend(nif_builder *builder, int64_t work);
bool nif_build_string(nif_builder *builder, rf_str string, ERL_NIF_TERM *out);
bool nif_build_value(nif_builder *builder, const rf_component *component, ERL_NIF_TERM *out);
// Their names and values, on top of the scratch; a removed component's value is nil.
bool nif_push_components(nif_builder *builder, rf_component_iter components);
// %{name => value} of them.
bool nif_build_components(nif_builder *builder, rf_component_iter components, ERL_NIF_TERM *out);

#endif
