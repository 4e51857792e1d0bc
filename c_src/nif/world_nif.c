// world_nif.c: makes and copies worlds.
#include "definitions.h"
#include "nif_functions.h"
#include "read_nif.h"
#include "world_resource.h"

#define LONG_DEFINITION (16 << 10) // bytes of schema and rules

static bool read_limit(ErlNifEnv *env, ERL_NIF_TERM term, uint32_t *out) {
    unsigned value;
    if (!enif_get_uint(env, term, &value)) return false;
    *out = value;
    return true;
}

// {seq, hash_seed, max_entities, max_value_bytes, max_undeclared, history}
static bool read_options(ErlNifEnv *env, ERL_NIF_TERM term, rf_world_def *def) {
    const ERL_NIF_TERM *options;
    int arity;
    ErlNifUInt64 seq, hash_seed;
    if (!enif_get_tuple(env, term, &arity, &options) || arity != 6 || !enif_get_uint64(env, options[0], &seq) ||
        !enif_get_uint64(env, options[1], &hash_seed))
        return false;
    def->seq = seq;
    def->hash_seed = hash_seed;
    return read_limit(env, options[2], &def->max_entities) && read_limit(env, options[3], &def->max_value_bytes) &&
           read_limit(env, options[4], &def->max_undeclared) && read_limit(env, options[5], &def->history);
}

// The world shares the definition, which the caller keeps.
static ERL_NIF_TERM make_world(ErlNifEnv *env, const rf_definition *definition, rf_world_def *def) {
    rf_world *world;
    def->allocator = nif_allocator();
    def->schema = definition->schema;
    def->rules = definition->rules;
    rf_status status = rf_world_new(def, &world);
    return status == RF_OK ? nif_world_answer(env, world) : nif_error(env, status);
}

ERL_NIF_TERM nif_world_new(ErlNifEnv *env, int argc, const ERL_NIF_TERM argv[]) {
    rf_world_def def = rf_world_def_default();
    rf_definition definition;
    rf_str schema, text = {0}, *rules = enif_is_identical(argv[1], nif_atom.nil) ? NULL : &text;
    if (!nif_bytes(env, argv[0], &schema) || (rules && !nif_bytes(env, argv[1], rules)) ||
        !read_options(env, argv[2], &def))
        return enif_make_badarg(env);
    int64_t bytes = (int64_t)(schema.len + text.len);
    if (nif_definitions_find(env, schema, rules, &definition)) {
        nif_charge(env, bytes / NIF_WORK_BYTES);
    } else {
        rf_error error = {.offset = RF_NOWHERE};
        if (nif_on_normal_scheduler()) {
            if (bytes > LONG_DEFINITION) return nif_go_dirty(env, "world_new", nif_world_new, argc, argv);
            nif_charge(env, bytes);
        }
        if (nif_definitions_make(env, schema, rules, &definition, &error) != RF_OK) return nif_error_at(env, &error);
    }
    ERL_NIF_TERM answer = make_world(env, &definition, &def);
    rf_definition_release(&definition);
    return answer;
}

static rf_status copy(nif_builder *builder, const nif_world *world, const ERL_NIF_TERM argv[], ERL_NIF_TERM *answer) {
    rf_world *duplicate = NULL;
    rf_status status = rf_world_copy(world->world, &duplicate);
    (void)argv;
    if (status != RF_OK) return status;
    builder->work -= 10 * (int64_t)rf_world_count(duplicate);
    *answer = nif_world_answer(builder->env, duplicate);
    return RF_OK;
}

ERL_NIF_TERM nif_world_copy(ErlNifEnv *env, int argc, const ERL_NIF_TERM argv[]) {
    return nif_read(env, argc, argv, &(nif_reader){"world_copy", nif_world_copy, copy, true});
}
