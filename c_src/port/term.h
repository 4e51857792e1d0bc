// term.h: reading terms in the External Term Format, by ei.
//
// ei trusts what it reads. So whatever comes from outside is first checked as a whole, every length of it; after that
// these readers stay inside. They answer false, and stay where they are, if the term is of another type.
#ifndef ROOMFOLD_PORT_TERM_H
#define ROOMFOLD_PORT_TERM_H

#include <roomfold/roomfold.h>

// Where one is in bytes that were checked.
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
    PORT_OTHER, // processes, functions, references, bitstrings ...
} port_type;

// Whether the bytes are exactly one term, with the format's version before it; then *out stands at the term.
bool port_check(rf_str bytes, port_reader *out);

port_type port_type_of(const port_reader *reader);
// Over one term, whatever it is. No recursion.
void port_skip(port_reader *reader);

bool port_read_tuple(port_reader *reader, int arity);    // its elements follow
bool port_read_list(port_reader *reader, int *length);   // its elements follow, and then, if there are any, its tail
bool port_read_tail(port_reader *reader);                // of a list: nothing but []
bool port_read_map(port_reader *reader, int *size);      // its keys and values follow in turn
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
