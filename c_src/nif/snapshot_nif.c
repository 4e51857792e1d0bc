// snapshot_nif.c: snapshots of a world as terms: by entity, by component, by kind.
#include "nif_functions.h"
#include "read_nif.h"

#include <stdlib.h>
#include <string.h>

// An item of a group; items keep the order of handles.
typedef struct row {
    rf_str group;
    size_t at;
    ERL_NIF_TERM key, value;
} row;

typedef struct nif_rows {
    row *items;
    size_t len, capacity;
} nif_rows;

static bool add_row(nif_rows *rows, rf_str group, ERL_NIF_TERM key, ERL_NIF_TERM value) {
    if (rows->len == rows->capacity) {
        size_t capacity = rows->capacity ? rows->capacity * 2 : 64;
        row *items =
            rows->items ? enif_realloc(rows->items, capacity * sizeof *items) : enif_alloc(capacity * sizeof *items);
        if (!items) return false;
        rows->items = items;
        rows->capacity = capacity;
    }
    rows->items[rows->len] = (row){group, rows->len, key, value};
    rows->len++;
    return true;
}

static void free_rows(nif_rows *rows) {
    if (rows->items) enif_free(rows->items);
}

static int compare_rows(const void *a, const void *b) {
    const row *left = a, *right = b;
    int order = nif_compare(left->group, right->group);
    return order != 0 ? order : (left->at > right->at) - (left->at < right->at);
}

// The end of the group that starts at `from`. The rows are sorted.
static size_t group_end(const nif_rows *rows, size_t from) {
    size_t end = from + 1;
    while (end < rows->len && nif_compare(rows->items[from].group, rows->items[end].group) == 0) end++;
    return end;
}

static void sort_rows(nif_rows *rows) {
    if (rows->len > 1) qsort(rows->items, rows->len, sizeof *rows->items, compare_rows);
}

// --- by entity: id -> components -------------------------------------------------------------------

static bool by_entity(nif_builder *builder, const rf_world *world, ERL_NIF_TERM *out) {
    nif_stack ids = {0}, entities = {0};
    rf_entity entity = {0};
    ERL_NIF_TERM id, components;
    bool ok = true;
    while (ok && rf_world_next(world, &entity))
        ok = nif_build_string(builder, rf_world_id(world, entity), &id) &&
             nif_build_components(builder, rf_world_components(world, entity), &components) &&
             nif_stack_push(&ids, id) && nif_stack_push(&entities, components);
    ok = ok && nif_stack_map(builder->env, &ids, 0, &entities, 0, out);
    nif_stack_free(&ids);
    nif_stack_free(&entities);
    return ok;
}

// --- by component: component -> id -> value --------------------------------------------------------

// Declared components have a list each; the others are rows, to be sorted by name.
typedef struct nif_columns {
    nif_stack ids[RF_SCHEMA_MAX], values[RF_SCHEMA_MAX];
    nif_rows others;
} nif_columns;

static bool collect_components(nif_builder *builder, const rf_world *world, rf_entity entity, nif_columns *columns) {
    rf_component_iter components = rf_world_components(world, entity);
    rf_component component;
    ERL_NIF_TERM id, value;
    if (!nif_build_string(builder, rf_world_id(world, entity), &id)) return false;
    while (rf_component_next(&components, &component)) {
        int i = component.index;
        if (!nif_spend(builder, 4) || !nif_build_value(builder, &component, &value)) return false;
        if (i >= 0 ? !nif_stack_push(&columns->ids[i], id) || !nif_stack_push(&columns->values[i], value)
                   : !add_row(&columns->others, component.name, id, value))
            return false;
    }
    return true;
}

// Pushes name => %{id => value} on the builder's stacks.
static bool push_column(nif_builder *builder, rf_str name, nif_stack *ids, nif_stack *values) {
    ERL_NIF_TERM map;
    return ids->len == 0 ||
           (nif_stack_map(builder->env, ids, 0, values, 0, &map) &&
            nif_stack_push(&builder->keys, nif_binary(builder->env, name)) && nif_stack_push(&builder->values, map));
}

static bool push_others(nif_builder *builder, nif_rows *rows) {
    nif_stack ids = {0}, values = {0};
    bool ok = true;
    sort_rows(rows);
    for (size_t from = 0, end; ok && from < rows->len; from = end) {
        end = group_end(rows, from);
        for (size_t i = from; ok && i < end; i++)
            ok = nif_stack_push(&ids, rows->items[i].key) && nif_stack_push(&values, rows->items[i].value);
        ok = ok && push_column(builder, rows->items[from].group, &ids, &values);
    }
    nif_stack_free(&ids);
    nif_stack_free(&values);
    return ok;
}

static bool push_columns(nif_builder *builder, const rf_schema *schema, nif_columns *columns) {
    for (size_t i = 0; i < rf_schema_count(schema); i++)
        if (!push_column(builder, rf_schema_at(schema, i)->name, &columns->ids[i], &columns->values[i])) return false;
    return push_others(builder, &columns->others);
}

static bool by_component(nif_builder *builder, const rf_world *world, ERL_NIF_TERM *out) {
    nif_columns *columns = enif_alloc(sizeof *columns);
    rf_entity entity = {0};
    bool ok = true;
    if (!columns) return false;
    memset(columns, 0, sizeof *columns);
    while (ok && rf_world_next(world, &entity)) ok = collect_components(builder, world, entity, columns);
    ok = ok && push_columns(builder, rf_world_schema(world), columns) &&
         nif_stack_map(builder->env, &builder->keys, 0, &builder->values, 0, out);
    for (size_t i = 0; i < RF_SCHEMA_MAX; i++) {
        nif_stack_free(&columns->ids[i]);
        nif_stack_free(&columns->values[i]);
    }
    free_rows(&columns->others);
    enif_free(columns);
    return ok;
}

// --- by kind: kind <> "s" -> list of components with "id" -------------------------------------------

static bool build_item(nif_builder *builder, const rf_world *world, rf_entity entity, ERL_NIF_TERM *out) {
    ERL_NIF_TERM id;
    size_t from_key = builder->keys.len, from_value = builder->values.len;
    return nif_build_string(builder, rf_world_id(world, entity), &id) &&
           nif_stack_push(&builder->keys, nif_names_get(&builder->names, builder->env, (rf_str){"id", 2})) &&
           nif_stack_push(&builder->values, id) && nif_push_components(builder, rf_world_components(world, entity)) &&
           nif_stack_map(builder->env, &builder->keys, from_key, &builder->values, from_value, out);
}

static ERL_NIF_TERM plural(ErlNifEnv *env, rf_str kind) {
    ERL_NIF_TERM term;
    unsigned char *bytes = enif_make_new_binary(env, kind.len + 1, &term);
    if (kind.len > 0) memcpy(bytes, kind.data, kind.len);
    bytes[kind.len] = 's';
    return term;
}

static bool push_kinds(nif_builder *builder, nif_rows *rows) {
    sort_rows(rows);
    for (size_t from = 0, end; from < rows->len; from = end) {
        ERL_NIF_TERM list = enif_make_list(builder->env, 0);
        end = group_end(rows, from);
        for (size_t i = end; i-- > from;) list = enif_make_list_cell(builder->env, rows->items[i].value, list);
        if (!nif_stack_push(&builder->keys, plural(builder->env, rows->items[from].group)) ||
            !nif_stack_push(&builder->values, list))
            return false;
    }
    return true;
}

static bool by_kind(nif_builder *builder, const rf_world *world, ERL_NIF_TERM *out) {
    nif_rows rows = {0};
    rf_entity entity = {0};
    ERL_NIF_TERM item;
    bool ok = true;
    while (ok && rf_world_next(world, &entity))
        ok = build_item(builder, world, entity, &item) &&
             add_row(&rows, rf_world_kind(world, entity, RF_KIND_OTHER), 0, item);
    ok = ok && push_kinds(builder, &rows) && nif_stack_map(builder->env, &builder->keys, 0, &builder->values, 0, out);
    free_rows(&rows);
    return ok;
}

// ---------------------------------------------------------------------------------------------------

static rf_status snapshot(nif_builder *builder, const nif_world *world, const ERL_NIF_TERM argv[],
                          ERL_NIF_TERM *answer) {
    bool (*build)(nif_builder *, const rf_world *, ERL_NIF_TERM *) = NULL;
    ERL_NIF_TERM map;
    if (enif_is_identical(argv[2], nif_atom.entity)) build = by_entity;
    if (enif_is_identical(argv[2], nif_atom.component)) build = by_component;
    if (enif_is_identical(argv[2], nif_atom.kind)) build = by_kind;
    if (!build) return RF_INVALID_ARGUMENT;
    if (!build(builder, world->world, &map)) return RF_NO_MEMORY;
    *answer = enif_make_tuple2(builder->env, nif_atom.ok, map);
    return RF_OK;
}

ERL_NIF_TERM nif_world_snapshot(ErlNifEnv *env, int argc, const ERL_NIF_TERM argv[]) {
    return nif_read(env, argc, argv, &(nif_reader){"world_snapshot", nif_world_snapshot, snapshot, true});
}
