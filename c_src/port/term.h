// term.h: reads terms in the External Term Format, with ei.
//
// ei trusts its input. Therefore every term from outside is first checked completely, with all its lengths; after that,
// these functions cannot leave it. They return false, without moving, if the term has another type.
#ifndef ROOMFOLD_PORT_TERM_H
#define ROOMFOLD_PORT_TERM_H

#include <roomfold/roomfold.h>

// A position in checked bytes.
typedef struct port_reader {
    const char *bytes;
    int at, end;
} port_reader;

#define PORT_ATOM_MAX 255 // bytes of an atom that we know, and a zero

typedef enum port_type {
    PORT_ATOM,
    PORT_INTEGER,
    PORT_FLOAT,
    PORT_BINARY, // whole bytes only
    PORT_TUPLE,
    PORT_LIST,  // also the empty one
    PORT_BYTES, // a list of integers from 0 to 255, which the format writes as a string
    PORT_MAP,
    PORT_OTHER, // pids, functions, references, bitstrings and so on
} port_type;

// Whether the bytes are the format's version and exactly one term. *out is then positioned at the term.
bool port_check(rf_str bytes, port_reader *out);

port_type port_type_of(const port_reader *reader);
// Moves past one term of any type. No recursion.
void port_skip(port_reader *reader);

bool port_read_tuple(port_reader *reader, int arity);    // its elements follow
bool port_read_list(port_reader *reader, int *length);   // its elements follow; then its tail, unless it is empty
bool port_read_tail(port_reader *reader);                // of a list: only [] is accepted
bool port_read_map(port_reader *reader, int *size);      // its keys and values follow, alternating
bool port_read_binary(port_reader *reader, rf_str *out); // in place
bool port_read_bytes(port_reader *reader, rf_str *out);  // PORT_BYTES, in place
bool port_read_atom(port_reader *reader, char out[PORT_ATOM_MAX + 1]);
bool port_read_this_atom(port_reader *reader, const char *atom);
bool port_read_bool(port_reader *reader, bool *out);
bool port_read_int(port_reader *reader, int64_t *out);
bool port_read_uint(port_reader *reader, uint64_t *out);
bool port_read_u32(port_reader *reader, uint32_t *out);
bool port_read_float(port_reader *reader, double *out);  // a float, finite
bool port_read_number(port_reader *reader, double *out); // a float, or an integer of 64 bits

#endif
