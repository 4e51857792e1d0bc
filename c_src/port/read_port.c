// read_port.c: reads a world: one entity, queries, diffs.
#include "call.h"
#include "term_convert.h"

#include <stdlib.h>
#include <string.h>

static void begin_ok(port_call *call) {
    port_put_tuple(call->out, 2);
    port_put_ok(call);
}

rf_status port_world_get(port_call *call) {
    const rf_world *world = call->world->world;
    rf_entity entity;
    rf_str id;
    if (!port_read_binary(&call->argument, &id)) return RF_INVALID_ARGUMENT;
    entity = rf_world_find(world, id);
    begin_ok(call);
    if (rf_world_alive(world, entity))
        port_put_components(call->out, rf_world_components(world, entity));
    else
        port_put_atom(call->out, "nil");
    return RF_OK;
}

// --- queries ---------------------------------------------------------------------------------------

static int compare_names(const void *a, const void *b) {
    return port_compare(*(const rf_str *)a, *(const rf_str *)b);
}

// Reads the requested names, sorted and without duplicates. The caller frees *out.
static rf_status read_names(port_reader *reader, rf_str **out, size_t *count) {
    size_t kept = 0;
    rf_str *names;
    int length;
    if (!port_read_list(reader, &length)) return RF_INVALID_ARGUMENT;
    names = malloc(((size_t)length + 1) * sizeof *names);
    if (!names) return RF_NO_MEMORY;
    for (int i = 0; i < length; i++) {
        if (port_read_binary(reader, &names[i])) continue;
        free(names);
        return RF_INVALID_ARGUMENT;
    }
    qsort(names, (size_t)length, sizeof *names, compare_names);
    for (int i = 0; i < length; i++)
        if (kept == 0 || port_compare(names[kept - 1], names[i]) != 0) names[kept++] = names[i];
    *out = names;
    *count = kept;
    return RF_OK;
}

// {id, %{name => value}}
static void put_match(port_answer *out, const rf_world *world, rf_entity entity, const rf_str *names, size_t count) {
    rf_component component;
    size_t mark, found = 0;
    port_put_tuple(out, 2);
    port_put_binary(out, rf_world_id(world, entity));
    mark = port_begin(out);
    for (size_t i = 0; i < count; i++) {
        if (!rf_world_get(world, entity, names[i], &component)) continue;
        port_put_binary(out, names[i]);
        port_put_value(out, &component);
        found++;
    }
    port_end_map(out, mark, found);
}

rf_status port_world_query(port_call *call) {
    const rf_world *world = call->world->world;
    rf_str *names = NULL;
    rf_entity entity = {0};
    size_t count = 0, matches = 0, mark;
    rf_status status = read_names(&call->argument, &names, &count);
    if (status != RF_OK) return status;
    begin_ok(call);
    mark = port_begin(call->out);
    for (; call->out->status == RF_OK && rf_world_next_with(world, names, count, &entity); matches++)
        put_match(call->out, world, entity, names, count);
    port_end_list(call->out, mark, matches);
    free(names);
    return RF_OK;
}

// --- diffs -----------------------------------------------------------------------------------------

// The diff is iterated once for each of the three kinds, which is cheaper than storing it.
static rf_status put_changes(port_call *call, uint64_t from, rf_change_kind kind) {
    size_t mark = port_begin(call->out), count = 0;
    rf_diff *diff;
    rf_change change;
    rf_status status = rf_diff_new(call->world->world, from, &diff);
    if (status != RF_OK) return status;
    while (call->out->status == RF_OK && rf_diff_next(diff, &change)) {
        if (change.kind != kind) continue;
        port_put_binary(call->out, change.id);
        if (kind != RF_CHANGE_DELETE) port_put_components(call->out, change.components);
        count++;
    }
    rf_diff_free(diff);
    if (kind == RF_CHANGE_DELETE)
        port_end_list(call->out, mark, count);
    else
        port_end_map(call->out, mark, count);
    return RF_OK;
}

static void put_key(port_answer *out, const char *key) {
    port_put_binary(out, (rf_str){key, strlen(key)});
}

// %{"from", "seq", "creates", "updates", "deletes"}
rf_status port_world_diff(port_call *call) {
    uint64_t from;
    rf_status status;
    size_t mark;
    if (!port_read_uint(&call->argument, &from)) return RF_INVALID_ARGUMENT;
    begin_ok(call);
    mark = port_begin(call->out);
    put_key(call->out, "from");
    port_put_uint(call->out, from);
    put_key(call->out, "seq");
    port_put_uint(call->out, rf_world_seq(call->world->world));
    put_key(call->out, "creates");
    status = put_changes(call, from, RF_CHANGE_CREATE);
    put_key(call->out, "updates");
    if (status == RF_OK) status = put_changes(call, from, RF_CHANGE_UPDATE);
    put_key(call->out, "deletes");
    if (status == RF_OK) status = put_changes(call, from, RF_CHANGE_DELETE);
    port_end_map(call->out, mark, 5);
    return status;
}
