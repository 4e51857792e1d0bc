#include "frames.h"
#include "big_endian.h"

#include <stdlib.h>
#include <string.h>

// For one read, where a frame may be as long. With more, the bytes and the worlds push each other out of the cache.
#define ROOM ((size_t)64 << 10)
#define KEPT ((size_t)1 << 20) // of memory, while no bytes are waiting
#define LENGTH 4               // bytes of a frame's length

void port_input_free(port_input *input) {
    free(input->bytes);
    input->bytes = NULL;
    input->start = input->end = input->capacity = 0;
}

char *port_input_room(port_input *input, size_t *count) {
    size_t waiting = input->end - input->start, capacity = input->capacity;
    size_t room = input->limit < ROOM - LENGTH ? input->limit + LENGTH : ROOM;
    if (waiting == 0 && capacity > KEPT) port_input_free(input), capacity = 0;
    if (input->start > 0 && waiting > 0) memmove(input->bytes, input->bytes + input->start, waiting);
    input->start = 0;
    input->end = waiting;
    if (capacity - waiting < room) {
        // Twice what has been received.
        char *bytes = realloc(input->bytes, waiting * 2 + room);
        if (!bytes) return NULL;
        input->bytes = bytes;
        input->capacity = waiting * 2 + room;
    }
    *count = input->capacity - waiting;
    return input->bytes + waiting;
}

void port_input_came(port_input *input, size_t count) {
    input->end += count;
}

port_next port_input_next(port_input *input, port_frame *out) {
    size_t waiting = input->end - input->start, len;
    const char *at = input->bytes + input->start;
    if (waiting < LENGTH) return PORT_MORE;
    len = port_load_u32(at);
    if (len < PORT_HEADER - LENGTH) return PORT_TOO_SHORT;
    if (len > input->limit) return PORT_TOO_LONG;
    if (waiting - LENGTH < len) return PORT_MORE;
    out->call = port_load_u32(at + LENGTH);
    out->term = (rf_str){at + PORT_HEADER, len - (PORT_HEADER - LENGTH)};
    input->start += LENGTH + len;
    return PORT_FRAME;
}

size_t port_frame_begin(port_answer *out, uint32_t call, size_t limit) {
    size_t mark = out->len;
    out->status = RF_OK;
    out->limit = mark + LENGTH + limit;
    if (!port_reserve(out, PORT_HEADER)) return mark;
    port_store_u32(out->bytes + mark + LENGTH, call);
    out->len += PORT_HEADER;
    port_put_version(out);
    return mark;
}

void port_frame_again(port_answer *out, size_t mark) {
    // Without even room for the header there is nothing to answer.
    if (out->len < mark + PORT_HEADER) return;
    out->status = RF_OK;
    out->len = mark + PORT_HEADER;
    port_put_version(out);
}

void port_frame_end(port_answer *out, size_t mark) {
    if (out->status == RF_OK) port_store_u32(out->bytes + mark, (uint32_t)(out->len - mark - LENGTH));
}
