#include "read_nif.h"

#include "nif_functions.h"

#include <stdlib.h>

ERL_NIF_TERM nif_read(ErlNifEnv *env, int argc, const ERL_NIF_TERM argv[], const nif_reader *reader) {
    nif_builder builder;
    nif_world *world;
    uint64_t version;
    ERL_NIF_TERM answer = 0;
    rf_status status = RF_FOLDED_ON;
    if (!nif_world_args(env, argv, &world, &version)) return enif_make_badarg(env);
    nif_builder_start(&builder, env);
    if (!nif_world_lock_read(world, !builder.may_stop))
        return nif_go_dirty(env, reader->name, reader->function, argc, argv);
    if (nif_world_is_newest(world, version)) {
        if (reader->whole && builder.may_stop && nif_world_is_big(world))
            builder.stopped = true;
        else
            status = reader->reading(&builder, world, argv, &answer);
    }
    nif_world_unlock_read(world);
    nif_builder_free(&builder);
    if (builder.stopped) return nif_go_dirty(env, reader->name, reader->function, argc, argv);
    if (builder.may_stop) nif_charge(env, NIF_WORK - builder.work);
    return status == RF_OK ? answer : nif_error(env, status);
}

static ERL_NIF_TERM ok(ErlNifEnv *env, ERL_NIF_TERM value) {
    return enif_make_tuple2(env, nif_atom.ok, value);
}

// --- one entity ------------------------------------------------------------------------------------

static rf_status get(nif_builder *builder, const nif_world *world, const ERL_NIF_TERM argv[], ERL_NIF_TERM *answer) {
    rf_str id;
    rf_entity entity;
    ERL_NIF_TERM components = nif_atom.nil;
    if (!nif_bytes(builder->env, argv[2], &id)) return RF_INVALID_ARGUMENT;
    entity = rf_world_find(world->world, id);
    if (rf_world_alive(world->world, entity) &&
        !nif_build_components(builder, rf_world_components(world->world, entity), &components))
        return RF_NO_MEMORY;
    *answer = ok(builder->env, components);
    return RF_OK;
}

ERL_NIF_TERM nif_world_get(ErlNifEnv *env, int argc, const ERL_NIF_TERM argv[]) {
    return nif_read(env, argc, argv, &(nif_reader){"world_get", nif_world_get, get, false});
}

static rf_status info(nif_builder *builder, const nif_world *world, const ERL_NIF_TERM argv[], ERL_NIF_TERM *answer) {
    ErlNifEnv *env = builder->env;
    const rf_world *it = world->world;
    (void)argv;
    *answer = ok(
        env, enif_make_tuple4(env, enif_make_uint64(env, rf_world_seq(it)), enif_make_uint64(env, rf_world_start(it)),
                              enif_make_uint(env, rf_world_count(it)), enif_make_uint64(env, rf_world_memory(it))));
    return RF_OK;
}

ERL_NIF_TERM nif_world_info(ErlNifEnv *env, int argc, const ERL_NIF_TERM argv[]) {
    return nif_read(env, argc, argv, &(nif_reader){"world_info", nif_world_info, info, false});
}

// --- queries ---------------------------------------------------------------------------------------

static int compare_names(const void *a, const void *b) {
    return nif_compare(*(const rf_str *)a, *(const rf_str *)b);
}

// Reads the requested names, sorted and without duplicates. The caller frees *out.
static rf_status read_names(nif_builder *builder, ERL_NIF_TERM list, rf_str **out, size_t *count) {
    unsigned length;
    ERL_NIF_TERM name;
    rf_str *names;
    size_t kept = 0;
    if (!enif_get_list_length(builder->env, list, &length)) return RF_INVALID_ARGUMENT;
    if (!nif_spend(builder, 5 * (int64_t)length)) return RF_NO_MEMORY;
    names = enif_alloc((length + (size_t)1) * sizeof *names);
    if (!names) return RF_NO_MEMORY;
    for (size_t i = 0; enif_get_list_cell(builder->env, list, &name, &list); i++) {
        if (nif_bytes(builder->env, name, &names[i])) continue;
        enif_free(names);
        return RF_INVALID_ARGUMENT;
    }
    qsort(names, length, sizeof *names, compare_names);
    for (size_t i = 0; i < length; i++)
        if (i == 0 || nif_compare(names[i - 1], names[i]) != 0) names[kept++] = names[i];
    *out = names;
    *count = kept;
    return RF_OK;
}

// {id, %{name => value}}
static bool build_match(nif_builder *builder, const rf_world *world, rf_entity entity, const rf_str *names,
                        size_t count, ERL_NIF_TERM *out) {
    size_t from_key = builder->keys.len, from_value = builder->values.len;
    ERL_NIF_TERM id, value, map;
    rf_component component;
    for (size_t i = 0; i < count; i++) {
        if (!rf_world_get(world, entity, names[i], &component)) continue;
        if (!nif_spend(builder, 4) || !nif_build_value(builder, &component, &value) ||
            !nif_stack_push(&builder->keys, nif_names_get(&builder->names, builder->env, names[i])) ||
            !nif_stack_push(&builder->values, value))
            return false;
    }
    if (!nif_build_string(builder, rf_world_id(world, entity), &id) ||
        !nif_stack_map(builder->env, &builder->keys, from_key, &builder->values, from_value, &map))
        return false;
    *out = enif_make_tuple2(builder->env, id, map);
    return true;
}

static rf_status query(nif_builder *builder, const nif_world *world, const ERL_NIF_TERM argv[], ERL_NIF_TERM *answer) {
    rf_str *names = NULL;
    size_t count = 0;
    rf_entity entity = {0};
    ERL_NIF_TERM match;
    rf_status status = read_names(builder, argv[2], &names, &count);
    if (status != RF_OK) return status;
    while (status == RF_OK && rf_world_next_with(world->world, names, count, &entity))
        if (!build_match(builder, world->world, entity, names, count, &match) ||
            !nif_stack_push(&builder->values, match))
            status = RF_NO_MEMORY;
    if (status == RF_OK) *answer = ok(builder->env, nif_stack_list(builder->env, &builder->values, 0));
    enif_free(names);
    return status;
}

ERL_NIF_TERM nif_world_query(ErlNifEnv *env, int argc, const ERL_NIF_TERM argv[]) {
    return nif_read(env, argc, argv, &(nif_reader){"world_query", nif_world_query, query, true});
}

// --- diffs -----------------------------------------------------------------------------------------

// Collects a diff: ids and components of creates and updates, ids of deletes.
typedef struct nif_changes {
    nif_stack create_ids, creates, update_ids, updates, deletes;
} nif_changes;

static bool collect_change(nif_builder *builder, nif_changes *changes, const rf_change *change) {
    ERL_NIF_TERM id, components;
    if (!nif_build_string(builder, change->id, &id)) return false;
    if (change->kind == RF_CHANGE_DELETE) return nif_stack_push(&changes->deletes, id);
    if (!nif_build_components(builder, change->components, &components)) return false;
    if (change->kind == RF_CHANGE_CREATE)
        return nif_stack_push(&changes->create_ids, id) && nif_stack_push(&changes->creates, components);
    return nif_stack_push(&changes->update_ids, id) && nif_stack_push(&changes->updates, components);
}

static bool build_diff(nif_builder *builder, nif_changes *changes, uint64_t from, uint64_t seq, ERL_NIF_TERM *out) {
    ErlNifEnv *env = builder->env;
    const char *const names[5] = {"from", "seq", "creates", "updates", "deletes"};
    ERL_NIF_TERM keys[5], values[5];
    for (int i = 0; i < 5; i++) keys[i] = nif_binary(env, (rf_str){names[i], i == 0 ? 4 : i == 1 ? 3 : 7});
    values[0] = enif_make_uint64(env, from);
    values[1] = enif_make_uint64(env, seq);
    values[4] = nif_stack_list(env, &changes->deletes, 0);
    return nif_stack_map(env, &changes->create_ids, 0, &changes->creates, 0, &values[2]) &&
           nif_stack_map(env, &changes->update_ids, 0, &changes->updates, 0, &values[3]) &&
           nif_make_map(env, keys, values, 5, out);
}

static rf_status diff(nif_builder *builder, const nif_world *world, const ERL_NIF_TERM argv[], ERL_NIF_TERM *answer) {
    nif_changes changes = {0};
    ErlNifUInt64 from;
    rf_diff *diff = NULL;
    rf_change change;
    rf_status status;
    ERL_NIF_TERM map;
    if (!enif_get_uint64(builder->env, argv[2], &from)) return RF_INVALID_ARGUMENT;
    status = rf_diff_new(world->world, from, &diff);
    if (status != RF_OK) return status;
    while (status == RF_OK && rf_diff_next(diff, &change))
        if (!collect_change(builder, &changes, &change)) status = RF_NO_MEMORY;
    if (status == RF_OK && !build_diff(builder, &changes, from, rf_world_seq(world->world), &map))
        status = RF_NO_MEMORY;
    if (status == RF_OK) *answer = ok(builder->env, map);
    rf_diff_free(diff);
    nif_stack_free(&changes.create_ids);
    nif_stack_free(&changes.creates);
    nif_stack_free(&changes.update_ids);
    nif_stack_free(&changes.updates);
    nif_stack_free(&changes.deletes);
    return status;
}

ERL_NIF_TERM nif_world_diff(ErlNifEnv *env, int argc, const ERL_NIF_TERM argv[]) {
    return nif_read(env, argc, argv, &(nif_reader){"world_diff", nif_world_diff, diff, true});
}
