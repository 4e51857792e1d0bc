// frames.h: what comes in and what goes out: frames of a length (4 bytes, big-endian, of what follows), the number of
// the call (4 bytes) and one term in the External Term Format.
//
// No length is believed: memory grows with what has come, not with what is announced, and a frame that is longer than
// the limit ends the conversation.
#ifndef ROOMFOLD_PORT_FRAMES_H
#define ROOMFOLD_PORT_FRAMES_H

#include "answer.h"

#define PORT_HEADER 8
#define PORT_LIMIT_DEFAULT ((size_t)64 << 20) // of a frame, its length not counted
#define PORT_LIMIT_MAX ((size_t)1 << 30)

// --- in

typedef struct port_input {
    char *bytes;
    size_t start, end, capacity; // what has come and was not taken yet
    size_t limit;
} port_input;

typedef struct port_frame {
    uint32_t call;
    rf_str term; // valid until the next bytes come
} port_frame;

typedef enum port_next {
    PORT_FRAME,
    PORT_MORE, // it has not come as a whole yet
    // There is no way to find the next one:
    PORT_TOO_LONG,
    PORT_TOO_SHORT, // for the call's number
} port_next;

void port_input_free(port_input *input);
// Where the next bytes may be written, and how many; NULL: there is no memory.
char *port_input_room(port_input *input, size_t *count);
void port_input_came(port_input *input, size_t count);
port_next port_input_next(port_input *input, port_frame *out);

// --- out: an answer's frame is begun, its term put, and the frame ended.

// The mark for port_frame_end; the frame may be up to `limit` bytes long, its length not counted.
size_t port_frame_begin(port_answer *out, uint32_t call, size_t limit);
// What was put since is taken back, to put something else.
void port_frame_again(port_answer *out, size_t mark);
// With what was put being whole; else (out->status) it is to be begun again.
void port_frame_end(port_answer *out, size_t mark);

#endif
