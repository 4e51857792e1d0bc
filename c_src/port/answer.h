// answer.h: writes terms in the External Term Format into a growing buffer. It uses ei, except for floats and binaries,
// of which large answers consist: writing those directly takes a third of the time.
//
// Writing functions do not return errors. The first error is kept in `status`, to be checked at the end.
#ifndef ROOMFOLD_PORT_ANSWER_H
#define ROOMFOLD_PORT_ANSWER_H

#include <roomfold/roomfold.h>

typedef struct port_answer {
    char *bytes;
    size_t len, capacity;
    size_t limit;     // of len; beyond it the status is RF_TOO_LARGE
    rf_status status; // RF_OK, or the first error
} port_answer;

void port_answer_free(port_answer *answer);
// Makes room for `count` more bytes at answer->bytes + answer->len; false if it fails, which sets the status.
bool port_reserve(port_answer *answer, size_t count);
// Whether all that was put since then is in the buffer; otherwise, if it is too large, takes it back. len: as it was.
bool port_keep(port_answer *answer, size_t len);
// How many bytes may still be put, as a limit for encoders: at least 1, since 0 would mean no limit.
size_t port_room(const port_answer *answer);

void port_put_version(port_answer *answer);
void port_put_atom(port_answer *answer, const char *atom);
void port_put_bool(port_answer *answer, bool value);
void port_put_int(port_answer *answer, int64_t value);
void port_put_uint(port_answer *answer, uint64_t value);
void port_put_float(port_answer *answer, double value);
void port_put_binary(port_answer *answer, rf_str bytes);
void port_put_tuple(port_answer *answer, int arity);
// Puts a binary whose bytes the caller writes: returns where to, or NULL. Valid until something else is put.
char *port_put_space(port_answer *answer, size_t len);

// Lists, maps and binaries of unknown length: begin returns a mark, which end takes together with the number of
// elements or of key-value pairs. port_end_binary makes a binary of all that was put since the mark: one term with its
// version.
size_t port_begin(port_answer *answer);
void port_end_binary(port_answer *answer, size_t mark);
void port_end_list(port_answer *answer, size_t mark, size_t count);
void port_end_map(port_answer *answer, size_t mark, size_t count);

#endif
