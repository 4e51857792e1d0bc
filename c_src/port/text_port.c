// text_port.c: converts packed input and packed events to JSON text for rf_admit.
#include "call.h"

#include <stdlib.h>

static rf_status put_text(port_call *call, rf_status status, uint8_t *text, size_t len) {
    if (status == RF_OK) {
        port_put_tuple(call->out, 2);
        port_put_ok(call);
        port_put_binary(call->out, (rf_str){(const char *)text, len});
    }
    free(text);
    return status;
}

// argument: {frame, user, move}. {:ok, text}
rf_status port_world_input_text(port_call *call) {
    rf_str frame, user, move;
    uint8_t *text = NULL;
    size_t len = 0;
    rf_status status;
    if (!port_read_tuple(&call->argument, 3) || !port_read_binary(&call->argument, &frame) ||
        !port_read_binary(&call->argument, &user) || !port_read_binary(&call->argument, &move))
        return RF_INVALID_ARGUMENT;
    status = rf_input_text(rf_world_schema(call->world->world), frame, user, move, rf_allocator_default(), &text, &len,
                           &call->error);
    return put_text(call, status, text, len);
}

// argument: a frame. {:ok, text}
rf_status port_world_events_text(port_call *call) {
    rf_str frame;
    uint8_t *text = NULL;
    size_t len = 0;
    rf_status status;
    if (!port_read_binary(&call->argument, &frame)) return RF_INVALID_ARGUMENT;
    status = rf_events_text(call->world->world, frame, rf_allocator_default(), &text, &len, &call->error);
    return put_text(call, status, text, len);
}
