// snapshot_port.c: snapshots of a world as terms: by entity, by component, by kind.
#include "call.h"
#include "term_convert.h"

#include <stdlib.h>

// An item of a group; items keep the order of handles.
typedef struct port_row {
    rf_str group;
    size_t at;
    rf_entity entity;
} port_row;

typedef struct port_rows {
    port_row *items;
    size_t len, capacity;
} port_rows;

static bool add_row(port_rows *rows, rf_str group, rf_entity entity) {
    if (rows->len == rows->capacity) {
        size_t capacity = rows->capacity ? rows->capacity * 2 : 64;
        port_row *items = realloc(rows->items, capacity * sizeof *items);
        if (!items) return false;
        rows->items = items;
        rows->capacity = capacity;
    }
    rows->items[rows->len] = (port_row){group, rows->len, entity};
    rows->len++;
    return true;
}

static int compare_rows(const void *a, const void *b) {
    const port_row *left = a, *right = b;
    int order = port_compare(left->group, right->group);
    return order != 0 ? order : (left->at > right->at) - (left->at < right->at);
}

static void sort_rows(port_rows *rows) {
    if (rows->len > 1) qsort(rows->items, rows->len, sizeof *rows->items, compare_rows);
}

// The end of the group that starts at `from`. The rows are sorted.
static size_t group_end(const port_rows *rows, size_t from) {
    size_t end = from + 1;
    while (end < rows->len && port_compare(rows->items[from].group, rows->items[end].group) == 0) end++;
    return end;
}

// --- by entity: id -> components -------------------------------------------------------------------

static rf_status by_entity(port_answer *out, const rf_world *world) {
    size_t mark = port_begin(out), count = 0;
    rf_entity entity = {0};
    for (; out->status == RF_OK && rf_world_next(world, &entity); count++) {
        port_put_binary(out, rf_world_id(world, entity));
        port_put_components(out, rf_world_components(world, entity));
    }
    port_end_map(out, mark, count);
    return RF_OK;
}

// --- by component: component -> id -> value --------------------------------------------------------

// Puts name => %{id => value}; false if no entity has the component.
static bool put_column(port_answer *out, const rf_world *world, rf_str name) {
    size_t start = out->len, mark, count = 0;
    rf_entity entity = {0};
    rf_component component;
    port_put_binary(out, name);
    mark = port_begin(out);
    while (out->status == RF_OK && rf_world_next_with(world, &name, 1, &entity)) {
        rf_world_get(world, entity, name, &component);
        port_put_binary(out, rf_world_id(world, entity));
        port_put_value(out, &component);
        count++;
    }
    port_end_map(out, mark, count);
    if (count == 0 && out->status == RF_OK) out->len = start;
    return count > 0;
}

static bool collect_others(const rf_world *world, port_rows *rows) {
    rf_entity entity = {0};
    rf_component component;
    while (rf_world_next(world, &entity)) {
        rf_component_iter components = rf_world_components(world, entity);
        while (rf_component_next(&components, &component))
            if (component.index < 0 && !add_row(rows, component.name, entity)) return false;
    }
    sort_rows(rows);
    return true;
}

static void put_group(port_answer *out, const rf_world *world, const port_row *from, const port_row *end) {
    size_t mark;
    rf_component component;
    port_put_binary(out, from->group);
    mark = port_begin(out);
    for (const port_row *at = from; at < end; at++) {
        rf_world_get(world, at->entity, from->group, &component);
        port_put_binary(out, rf_world_id(world, at->entity));
        port_put_value(out, &component);
    }
    port_end_map(out, mark, (size_t)(end - from));
}

static rf_status by_component(port_answer *out, const rf_world *world) {
    const rf_schema *schema = rf_world_schema(world);
    size_t mark = port_begin(out), count = 0;
    port_rows others = {0};
    rf_status status = collect_others(world, &others) ? RF_OK : RF_NO_MEMORY;
    for (size_t i = 0; i < rf_schema_count(schema) && status == RF_OK; i++)
        if (put_column(out, world, rf_schema_at(schema, i)->name)) count++;
    for (size_t from = 0, end; from < others.len && status == RF_OK && out->status == RF_OK; from = end, count++) {
        end = group_end(&others, from);
        put_group(out, world, others.items + from, others.items + end);
    }
    port_end_map(out, mark, count);
    free(others.items);
    return status;
}

// --- by kind: kind <> "s" -> list of components with "id" -------------------------------------------

static void put_item(port_answer *out, const rf_world *world, rf_entity entity) {
    size_t mark = port_begin(out);
    port_put_binary(out, (rf_str){"id", 2});
    port_put_binary(out, rf_world_id(world, entity));
    port_end_map(out, mark, 1 + port_put_entries(out, rf_world_components(world, entity)));
}

static void put_plural(port_answer *out, rf_str kind) {
    char *at = port_put_space(out, kind.len + 1);
    if (!at) return;
    for (size_t i = 0; i < kind.len; i++) at[i] = kind.data[i];
    at[kind.len] = 's';
}

static void put_kinds(port_answer *out, const rf_world *world, const port_rows *rows) {
    size_t mark = port_begin(out), count = 0;
    for (size_t from = 0, end; from < rows->len && out->status == RF_OK; from = end, count++) {
        size_t list;
        end = group_end(rows, from);
        put_plural(out, rows->items[from].group);
        list = port_begin(out);
        for (size_t i = from; i < end; i++) put_item(out, world, rows->items[i].entity);
        port_end_list(out, list, end - from);
    }
    port_end_map(out, mark, count);
}

static rf_status by_kind(port_answer *out, const rf_world *world) {
    port_rows rows = {0};
    rf_entity entity = {0};
    bool ok = true;
    while (ok && rf_world_next(world, &entity))
        ok = add_row(&rows, rf_world_kind(world, entity, RF_KIND_OTHER), entity);
    sort_rows(&rows);
    if (ok) put_kinds(out, world, &rows);
    free(rows.items);
    return ok ? RF_OK : RF_NO_MEMORY;
}

// ---------------------------------------------------------------------------------------------------

rf_status port_world_snapshot(port_call *call) {
    port_put_tuple(call->out, 2);
    port_put_ok(call);
    if (port_read_this_atom(&call->argument, "entity")) return by_entity(call->out, call->world->world);
    if (port_read_this_atom(&call->argument, "component")) return by_component(call->out, call->world->world);
    if (port_read_this_atom(&call->argument, "kind")) return by_kind(call->out, call->world->world);
    return RF_INVALID_ARGUMENT;
}
