// answer.h: terms in the External Term Format, written into one growing piece of memory: by ei, but for what large
// answers consist of (floats and binaries), which is as short to write here and takes a third of the time.
//
// Writing never fails at once: what does not fit, or finds no memory, is remembered, and asked for at the end.
#ifndef ROOMFOLD_PORT_ANSWER_H
#define ROOMFOLD_PORT_ANSWER_H

#include <roomfold/roomfold.h>

typedef struct port_answer {
    char *bytes;
    size_t len, capacity;
    size_t limit;     // of len; what would go beyond it is RF_TOO_LARGE
    rf_status status; // RF_OK as long as everything was written
} port_answer;

void port_answer_free(port_answer *answer);
// Room for so many bytes more at answer->bytes + answer->len; false (and the status) if there is none.
bool port_reserve(port_answer *answer, size_t count);
// The bytes that may still be put, as a limit for who makes them: at least 1, since 0 would be none.
size_t port_room(const port_answer *answer);

void port_put_version(port_answer *answer);
void port_put_atom(port_answer *answer, const char *atom);
void port_put_bool(port_answer *answer, bool value);
void port_put_int(port_answer *answer, int64_t value);
void port_put_uint(port_answer *answer, uint64_t value);
void port_put_float(port_answer *answer, double value);
void port_put_binary(port_answer *answer, rf_str bytes);
void port_put_tuple(port_answer *answer, int arity);
// A binary whose bytes the caller writes: where they are to go, or NULL. Valid until something else is put.
char *port_put_space(port_answer *answer, size_t len);

// Lists and maps of which nobody knows yet how long they get: begin answers a mark, end takes it and the number of
// elements, or of keys with a value each. A binary has what was put since the mark, a whole term, version and all.
size_t port_begin(port_answer *answer);
void port_end_binary(port_answer *answer, size_t mark);
void port_end_list(port_answer *answer, size_t mark, size_t count);
void port_end_map(port_answer *answer, size_t mark, size_t count);

#endif
