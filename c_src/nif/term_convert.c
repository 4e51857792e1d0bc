#include "term_convert.h"

#include <string.h>

void nif_builder_start(nif_builder *builder, ErlNifEnv *env) {
    builder->env = env;
    builder->work = NIF_WORK;
    builder->may_stop = nif_on_normal_scheduler();
    builder->stopped = false;
    builder->names.filled = 0;
    builder->keys = builder->values = (nif_stack){0};
}

void nif_builder_free(nif_builder *builder) {
    nif_stack_free(&builder->keys);
    nif_stack_free(&builder->values);
}

bool nif_spend(nif_builder *builder, int64_t work) {
    builder->work -= work;
    if (builder->work < 0 && builder->may_stop) builder->stopped = true;
    return !builder->stopped;
}

bool nif_build_string(nif_builder *builder, rf_str string, ERL_NIF_TERM *out) {
    if (!nif_spend(builder, 2 + (int64_t)(string.len / NIF_WORK_BYTES))) return false;
    *out = nif_binary(builder->env, string);
    return true;
}

// --- terms: nested at most RF_DEPTH_MAX levels deep by the core --------------------------------------

static bool build_term(nif_builder *builder, rf_term_reader *reader, ERL_NIF_TERM *out);

static bool build_list(nif_builder *builder, rf_term_reader *reader, uint64_t count, ERL_NIF_TERM *out) {
    size_t from = builder->values.len;
    ERL_NIF_TERM value;
    while (count-- > 0)
        if (!build_term(builder, reader, &value) || !nif_stack_push(&builder->values, value)) return false;
    *out = nif_stack_list(builder->env, &builder->values, from);
    return true;
}

static bool build_map(nif_builder *builder, rf_term_reader *reader, uint64_t count, ERL_NIF_TERM *out) {
    size_t from_key = builder->keys.len, from_value = builder->values.len;
    ERL_NIF_TERM value;
    while (count-- > 0) {
        rf_str key = rf_term_key(reader);
        if (!nif_spend(builder, 2) ||
            !nif_stack_push(&builder->keys, nif_names_get(&builder->names, builder->env, key)) ||
            !build_term(builder, reader, &value) || !nif_stack_push(&builder->values, value))
            return false;
    }
    return nif_stack_map(builder->env, &builder->keys, from_key, &builder->values, from_value, out);
}

static bool build_term(nif_builder *builder, rf_term_reader *reader, ERL_NIF_TERM *out) {
    rf_term term = rf_term_next(reader);
    if (!nif_spend(builder, 1)) return false;
    switch (term.kind) {
    case RF_TERM_INT:
        *out = enif_make_int64(builder->env, term.as.integer);
        return true;
    case RF_TERM_FLOAT:
        *out = enif_make_double(builder->env, term.as.number);
        return true;
    case RF_TERM_STRING:
        return nif_build_string(builder, term.as.string, out);
    case RF_TERM_LIST:
        return build_list(builder, reader, term.as.count, out);
    case RF_TERM_MAP:
        return build_map(builder, reader, term.as.count, out);
    case RF_TERM_FALSE:
        *out = nif_atom.false_;
        return true;
    case RF_TERM_TRUE:
        *out = nif_atom.true_;
        return true;
    case RF_TERM_NULL:
    case RF_TERM_END:
        break;
    }
    *out = nif_atom.nil;
    return true;
}

// --- components ------------------------------------------------------------------------------------

static double number_at(const rf_component *component, uint32_t i) {
    return component->type == RF_TYPE_F32 ? (double)component->as.f32[i] : component->as.f64[i];
}

static ERL_NIF_TERM numbers(ErlNifEnv *env, const rf_component *component) {
    ERL_NIF_TERM list;
    if (component->count == 1) return enif_make_double(env, number_at(component, 0));
    list = enif_make_list(env, 0);
    for (uint32_t i = component->count; i-- > 0;)
        list = enif_make_list_cell(env, enif_make_double(env, number_at(component, i)), list);
    return list;
}

bool nif_build_value(nif_builder *builder, const rf_component *component, ERL_NIF_TERM *out) {
    rf_term_reader reader;
    *out = nif_atom.nil;
    if (component->removed) return nif_spend(builder, 1);
    switch (component->type) {
    case RF_TYPE_F32:
    case RF_TYPE_F64:
        *out = numbers(builder->env, component);
        return nif_spend(builder, 2 * component->count);
    case RF_TYPE_I64:
        *out = enif_make_int64(builder->env, component->as.i64);
        return nif_spend(builder, 1);
    case RF_TYPE_BOOL:
        *out = component->as.boolean ? nif_atom.true_ : nif_atom.false_;
        return nif_spend(builder, 1);
    case RF_TYPE_STRING:
        return nif_build_string(builder, component->as.string, out);
    case RF_TYPE_TERM:
        break;
    }
    rf_term_read(&reader, component->as.term);
    return build_term(builder, &reader, out);
}

bool nif_push_components(nif_builder *builder, rf_component_iter components) {
    rf_component component;
    ERL_NIF_TERM value;
    while (rf_component_next(&components, &component)) {
        ERL_NIF_TERM name = nif_names_get(&builder->names, builder->env, component.name);
        if (!nif_spend(builder, 4) || !nif_build_value(builder, &component, &value) ||
            !nif_stack_push(&builder->keys, name) || !nif_stack_push(&builder->values, value))
            return false;
    }
    return true;
}

bool nif_build_components(nif_builder *builder, rf_component_iter components, ERL_NIF_TERM *out) {
    size_t from_key = builder->keys.len, from_value = builder->values.len;
    return nif_push_components(builder, components) &&
           nif_stack_map(builder->env, &builder->keys, from_key, &builder->values, from_value, out);
}
