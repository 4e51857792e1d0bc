// encode_port.c: encodes a world as JSON text or in the packed format.
#include "call.h"

#include <stdlib.h>

static bool read_text(port_reader *reader, rf_str *out) {
    *out = (rf_str){0};
    return port_read_this_atom(reader, "nil") || port_read_binary(reader, out);
}

// {join_ref, ref, topic, event}, or nil.
static bool read_frame(port_reader *reader, rf_phoenix_frame *out, const rf_phoenix_frame **frame) {
    *frame = NULL;
    if (port_read_this_atom(reader, "nil")) return true;
    *frame = out;
    return port_read_tuple(reader, 4) && read_text(reader, &out->join_ref) && read_text(reader, &out->ref) &&
           port_read_binary(reader, &out->topic) && port_read_binary(reader, &out->event);
}

static bool read_shape(port_reader *reader, rf_by *out) {
    static const char *const shapes[] = {"entity", "component", "kind"};
    for (int i = 0; i < 3; i++) {
        *out = (rf_by)i;
        if (port_read_this_atom(reader, shapes[i])) return true;
    }
    return false;
}

// The seq a diff starts from, or nil for a snapshot.
static bool read_from(port_reader *reader, bool *diff, uint64_t *from) {
    *from = 0;
    *diff = !port_read_this_atom(reader, "nil");
    return !*diff || port_read_uint(reader, from);
}

static void put_bytes(port_call *call, void *bytes, size_t len) {
    port_put_tuple(call->out, 2);
    port_put_ok(call);
    port_put_binary(call->out, (rf_str){bytes, len});
    free(bytes);
}

// argument: {from | nil, shape, frame | nil}
rf_status port_world_encode(port_call *call) {
    rf_encode_def def = {.limit = port_room(call->out)};
    rf_phoenix_frame frame;
    rf_status status;
    char *text;
    size_t len;
    if (!port_read_tuple(&call->argument, 3) || !read_from(&call->argument, &def.diff, &def.from) ||
        !read_shape(&call->argument, &def.by) || !read_frame(&call->argument, &frame, &def.frame))
        return RF_INVALID_ARGUMENT;
    status = rf_encode_json(call->world->world, &def, rf_allocator_default(), &text, &len);
    if (status == RF_OK) put_bytes(call, text, len);
    return status;
}

// argument: from | nil
rf_status port_world_encode_packed(port_call *call) {
    rf_status status;
    uint64_t from;
    uint8_t *bytes;
    size_t len;
    bool diff;
    if (!read_from(&call->argument, &diff, &from)) return RF_INVALID_ARGUMENT;
    status =
        rf_encode_packed(call->world->world, diff, from, port_room(call->out), rf_allocator_default(), &bytes, &len);
    if (status == RF_OK) put_bytes(call, bytes, len);
    return status;
}
