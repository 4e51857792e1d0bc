// frames.h: splits the input into frames and writes frames: a length (4 bytes, big-endian, of what follows), the number
// of the call (4 bytes) and one term in the External Term Format.
//
// Lengths are not trusted: memory grows with the bytes received, not with the announced length. A frame longer than the
// limit ends the program.
#ifndef ROOMFOLD_PORT_FRAMES_H
#define ROOMFOLD_PORT_FRAMES_H

#include "answer.h"

#define PORT_HEADER 8
#define PORT_LIMIT_DEFAULT ((size_t)64 << 20) // of a frame, its length not counted
#define PORT_LIMIT_MAX ((size_t)1 << 30)

// --- in

typedef struct port_input {
    char *bytes;
    size_t start, end, capacity; // received bytes that have not been used yet
    size_t limit;
} port_input;

typedef struct port_frame {
    uint32_t call;
    rf_str term; // valid until port_input_room
} port_frame;

typedef enum port_next {
    PORT_FRAME,
    PORT_MORE, // the next frame is not complete yet
    // The next frame cannot be found:
    PORT_TOO_LONG,
    PORT_TOO_SHORT, // for the call's number
} port_next;

void port_input_free(port_input *input);
// Where to write the next bytes, and how many fit; NULL: no memory.
char *port_input_room(port_input *input, size_t *count);
void port_input_came(port_input *input, size_t count);
port_next port_input_next(port_input *input, port_frame *out);

// --- out: begin a frame, put its term, end it.

// Returns a mark for the other two. limit: bytes of the frame without its length.
size_t port_frame_begin(port_answer *out, uint32_t call, size_t limit);
// Drops what was put since the mark, to put something else.
void port_frame_again(port_answer *out, size_t mark);
// If out->status is not RF_OK, the term is incomplete: call port_frame_again instead.
void port_frame_end(port_answer *out, size_t mark);

#endif
