// world_port.c: makes, copies and frees worlds.
#include "call.h"

// {seq, hash_seed, max_entities, max_value_bytes, max_undeclared, history}
static bool read_limits(port_reader *reader, rf_world_def *def) {
    return port_read_tuple(reader, 6) && port_read_uint(reader, &def->seq) && port_read_uint(reader, &def->hash_seed) &&
           port_read_u32(reader, &def->max_entities) && port_read_u32(reader, &def->max_value_bytes) &&
           port_read_u32(reader, &def->max_undeclared) && port_read_u32(reader, &def->history);
}

// Worlds of the same texts share their schema and rules.
static rf_status get_definition(port_call *call, rf_str schema, const rf_str *rules, rf_definition *out) {
    rf_definitions **kept = &call->worlds->definitions;
    rf_status status = *kept ? RF_OK : rf_definitions_new(rf_allocator_default(), kept);
    return status == RF_OK ? rf_definitions_get(*kept, schema, rules, out, &call->error) : status;
}

// {schema, rules | nil, limits}
rf_status port_read_world(port_call *call, uint64_t seq, rf_world **out) {
    port_reader *reader = &call->argument;
    rf_world_def def = rf_world_def_default();
    rf_definition definition;
    rf_str schema, rules;
    rf_status status;
    bool without_rules;
    *out = NULL;
    if (!port_read_tuple(reader, 3) || !port_read_binary(reader, &schema)) return RF_INVALID_ARGUMENT;
    without_rules = port_read_this_atom(reader, "nil");
    if ((!without_rules && !port_read_binary(reader, &rules)) || !read_limits(reader, &def)) return RF_INVALID_ARGUMENT;
    if (seq != PORT_OWN_SEQ) def.seq = seq;
    status = get_definition(call, schema, without_rules ? NULL : &rules, &definition);
    if (status != RF_OK) return status;
    def.schema = definition.schema;
    def.rules = definition.rules;
    status = rf_world_new(&def, out);
    rf_definition_release(&definition);
    return status;
}

rf_status port_put_version_of(port_call *call) {
    port_put_tuple(call->out, 2);
    port_put_ok(call);
    port_put_uint(call->out, call->version);
    return RF_OK;
}

// {:ok, version}. An existing world of this or a later version is kept: another call has recreated it in the meantime.
rf_status port_world_new(port_call *call) {
    const port_world *there = port_worlds_find(call->worlds, call->number);
    rf_world *world;
    rf_status status;
    if (there && there->version >= call->version) return port_put_version_of(call);
    status = port_read_world(call, PORT_OWN_SEQ, &world);
    if (status == RF_OK) status = port_worlds_add(call->worlds, call->number, call->version, world);
    return status == RF_OK ? port_put_version_of(call) : status;
}

// argument: the copy's number. {:ok, version}
rf_status port_world_copy(port_call *call) {
    rf_world *copy;
    uint64_t number;
    rf_status status;
    if (!port_read_uint(&call->argument, &number) || number == call->number) return RF_INVALID_ARGUMENT;
    status = rf_world_copy(call->world->world, &copy);
    if (status == RF_OK) status = port_worlds_add(call->worlds, number, call->version, copy);
    return status == RF_OK ? port_put_version_of(call) : status;
}

// {:ok, nil}, even if the world does not exist. argument: nil, or a list of further numbers.
rf_status port_world_free(port_call *call) {
    uint64_t number;
    int count = 0;
    port_worlds_remove(call->worlds, call->number);
    if (port_read_list(&call->argument, &count))
        while (count-- > 0 && port_read_uint(&call->argument, &number)) port_worlds_remove(call->worlds, number);
    return port_ping(call);
}

rf_status port_world_info(port_call *call) {
    const rf_world *world = call->world->world;
    port_put_tuple(call->out, 2);
    port_put_ok(call);
    port_put_tuple(call->out, 4);
    port_put_uint(call->out, rf_world_seq(world));
    port_put_uint(call->out, rf_world_start(world));
    port_put_uint(call->out, rf_world_count(world));
    port_put_uint(call->out, rf_world_memory(world));
    return RF_OK;
}
