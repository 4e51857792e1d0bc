// term_convert.h: converts a world's contents to Erlang terms.
#ifndef ROOMFOLD_NIF_TERM_CONVERT_H
#define ROOMFOLD_NIF_TERM_CONVERT_H

#include "name_cache.h"
#include "term_stack.h"

typedef struct nif_builder {
    ErlNifEnv *env;
    int64_t work;  // left on a normal scheduler (NIF_WORK)
    bool may_stop; // running on a normal scheduler
    bool stopped;  // the work ran out: do the call again on a dirty scheduler
    nif_names names;
    nif_stack keys, values; // scratch stacks
} nif_builder;

// Valid for one NIF call.
void nif_builder_start(nif_builder *builder, ErlNifEnv *env);
void nif_builder_free(nif_builder *builder);

// These return false if the builder stopped or memory ran out.
bool nif_spend(nif_builder *builder, int64_t work);
bool nif_build_string(nif_builder *builder, rf_str string, ERL_NIF_TERM *out);
bool nif_build_value(nif_builder *builder, const rf_component *component, ERL_NIF_TERM *out);
// Pushes their names and values on the scratch stacks; a removed component's value is nil.
bool nif_push_components(nif_builder *builder, rf_component_iter components);
// Builds %{name => value}.
bool nif_build_components(nif_builder *builder, rf_component_iter components, ERL_NIF_TERM *out);

#endif
