#include "call.h"

#include <string.h>

typedef struct operation {
    const char *name;
    port_operation *run;
    bool on_world; // needs the world, at the version asked for
} operation;

static const operation operations[] = {
    {"ping", port_ping, false},
    {"new", port_world_new, false},
    {"restore", port_world_restore, false},
    {"free", port_world_free, false},
    {"replay", port_world_replay, false},
    {"copy", port_world_copy, true},
    {"info", port_world_info, true},
    {"checkpoint", port_world_checkpoint, true},
    {"get", port_world_get, true},
    {"query", port_world_query, true},
    {"snapshot", port_world_snapshot, true},
    {"diff", port_world_diff, true},
    {"encode", port_world_encode, true},
    {"encode_packed", port_world_encode_packed, true},
    {"admit", port_world_admit, true},
    {"input_text", port_world_input_text, true},
    {"events_text", port_world_events_text, true},
    {"cast", port_hits_cast, true},
    {"overlap", port_hits_overlap, true},
};

rf_status port_ping(port_call *call) {
    port_put_tuple(call->out, 2);
    port_put_ok(call);
    port_put_atom(call->out, "nil");
    return RF_OK;
}

// --- answers ---------------------------------------------------------------------------------------

void port_put_ok(port_call *call) {
    port_put_atom(call->out, "ok");
}

void port_put_about(port_answer *out, const char *about, size_t len) {
    if (about && len > 0)
        port_put_binary(out, (rf_str){about, len});
    else
        port_put_atom(out, "nil");
}

void port_put_offset(port_answer *out, uint64_t offset) {
    if (offset == RF_NOWHERE)
        port_put_atom(out, "nil");
    else
        port_put_uint(out, offset);
}

static void put_error(port_answer *out, const char *reason, const rf_error *error) {
    port_put_tuple(out, 2);
    port_put_atom(out, "error");
    port_put_tuple(out, 3);
    port_put_atom(out, reason);
    port_put_about(out, error->about, strlen(error->about));
    port_put_offset(out, error->offset);
}

// --- running ---------------------------------------------------------------------------------------

bool port_read_inner(port_reader *reader, port_reader *out) {
    port_reader next = *reader;
    rf_str bytes;
    if (!port_read_binary(&next, &bytes) || !port_check(bytes, out)) return false;
    *reader = next;
    return true;
}

static rf_status run(port_call *call, const char *name) {
    const port_change *change = port_change_find(name);
    const operation *found = NULL;
    for (size_t i = 0; !change && i < sizeof operations / sizeof *operations; i++)
        if (strcmp(operations[i].name, name) == 0) found = &operations[i];
    if (!change && !found) return RF_INVALID_ARGUMENT;
    if (change || found->on_world) {
        call->world = port_worlds_find(call->worlds, call->number);
        call->lost = !call->world || call->world->version < call->version;
        if (call->lost || call->world->version > call->version) return RF_FOLDED_ON;
    }
    return change ? port_change_run(call, change) : found->run(call);
}

void port_run(port_worlds *worlds, rf_str term, uint32_t number, size_t limit, port_answer *out) {
    port_call call = {.worlds = worlds, .out = out, .error = {.offset = RF_NOWHERE}};
    char name[PORT_ATOM_MAX + 1];
    port_reader reader;
    rf_status status = RF_INVALID_ARGUMENT;
    size_t mark = port_frame_begin(out, number, limit);
    if (port_check(term, &reader) && port_read_tuple(&reader, 4) && port_read_atom(&reader, name) &&
        port_read_uint(&reader, &call.number) && port_read_uint(&reader, &call.version)) {
        call.argument = reader;
        status = run(&call, name);
    }
    if (status == RF_OK) status = out->status;
    if (status != RF_OK) {
        port_frame_again(out, mark);
        put_error(out, call.lost ? "lost" : rf_status_name(status), &call.error);
    }
    port_frame_end(out, mark);
}
