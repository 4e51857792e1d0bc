#include "term.h"

#include <ei.h>
#include <string.h>

#define VERSION 131

// --- checking --------------------------------------------------------------------------------------

// Bytes that have not been checked yet.
typedef struct unread {
    const uint8_t *at, *end;
} unread;

static bool take(unread *bytes, uint64_t count) {
    if ((uint64_t)(bytes->end - bytes->at) < count) return false;
    bytes->at += count;
    return true;
}

// A big-endian number of `count` bytes.
static bool take_number(unread *bytes, int count, uint64_t *out) {
    *out = 0;
    if (bytes->end - bytes->at < count) return false;
    while (count-- > 0) *out = *out << 8 | *bytes->at++;
    return true;
}

// A length of `width` bytes, and that many bytes.
static bool take_counted(unread *bytes, int width) {
    uint64_t length;
    return take_number(bytes, width, &length) && take(bytes, length);
}

static bool take_atom(unread *bytes) {
    uint64_t tag;
    if (!take_number(bytes, 1, &tag)) return false;
    if (tag == ERL_ATOM_EXT || tag == ERL_ATOM_UTF8_EXT) return take_counted(bytes, 2);
    return (tag == ERL_SMALL_ATOM_EXT || tag == ERL_SMALL_ATOM_UTF8_EXT) && take_counted(bytes, 1);
}

// A node's name, and `count` bytes.
static bool take_from_node(unread *bytes, uint64_t count) {
    return take_atom(bytes) && take(bytes, count);
}

static bool take_reference(unread *bytes, uint64_t creation) {
    uint64_t words;
    return take_number(bytes, 2, &words) && words <= 5 && take_from_node(bytes, creation + 4 * words);
}

// A function begins with its length, which includes the bytes of the length.
static bool take_function(unread *bytes) {
    uint64_t length;
    return take_number(bytes, 4, &length) && length >= 4 && take(bytes, length - 4);
}

// A length of `width` bytes, one more byte, and that many bytes: a big integer, for instance.
static bool take_counted_and_one(unread *bytes, int width) {
    uint64_t length;
    return take_number(bytes, width, &length) && take(bytes, length + 1);
}

static bool take_bits(unread *bytes) {
    uint64_t length, last;
    return take_number(bytes, 4, &length) && take_number(bytes, 1, &last) && (length > 0 ? last - 1 < 8 : last == 0) &&
           take(bytes, length);
}

// The header of a term with terms inside; *inside: how many.
static bool take_header(unread *bytes, uint64_t tag, uint64_t *inside) {
    *inside = 0;
    if (!take_number(bytes, tag == ERL_SMALL_TUPLE_EXT ? 1 : 4, inside) || *inside > INT32_MAX) return false;
    if (tag == ERL_LIST_EXT) *inside += 1; // the tail
    if (tag == ERL_MAP_EXT) *inside *= 2;
    return true;
}

// One term, without the terms inside it, which follow.
static bool take_term(unread *bytes, uint64_t *inside) {
    const uint8_t *start = bytes->at;
    uint64_t tag;
    *inside = 0;
    if (!take_number(bytes, 1, &tag)) return false;
    switch (tag) {
    case ERL_NIL_EXT:
        return true;
    case ERL_SMALL_INTEGER_EXT:
        return take(bytes, 1);
    case ERL_INTEGER_EXT:
        return take(bytes, 4);
    case NEW_FLOAT_EXT:
        return take(bytes, 8);
    case ERL_SMALL_BIG_EXT:
        return take_counted_and_one(bytes, 1);
    case ERL_LARGE_BIG_EXT:
        return take_counted_and_one(bytes, 4);
    case ERL_BINARY_EXT:
        return take_counted(bytes, 4);
    case ERL_BIT_BINARY_EXT:
        return take_bits(bytes);
    case ERL_STRING_EXT:
        return take_counted(bytes, 2);
    case ERL_ATOM_EXT:
    case ERL_ATOM_UTF8_EXT:
    case ERL_SMALL_ATOM_EXT:
    case ERL_SMALL_ATOM_UTF8_EXT:
        bytes->at = start;
        return take_atom(bytes);
    case ERL_SMALL_TUPLE_EXT:
    case ERL_LARGE_TUPLE_EXT:
    case ERL_LIST_EXT:
    case ERL_MAP_EXT:
        return take_header(bytes, tag, inside);
    case ERL_PID_EXT:
        return take_from_node(bytes, 9);
    case ERL_NEW_PID_EXT:
        return take_from_node(bytes, 12);
    case ERL_PORT_EXT:
        return take_from_node(bytes, 5);
    case ERL_NEW_PORT_EXT:
        return take_from_node(bytes, 8);
    case ERL_V4_PORT_EXT:
        return take_from_node(bytes, 12);
    case ERL_NEW_REFERENCE_EXT:
        return take_reference(bytes, 1);
    case ERL_NEWER_REFERENCE_EXT:
        return take_reference(bytes, 4);
    case ERL_NEW_FUN_EXT:
        return take_function(bytes);
    case ERL_EXPORT_EXT:
        *inside = 3;
        return true;
    default: // obsolete types, and compressed terms
        return false;
    }
}

// Takes one complete term by counting the terms still to come. Each has at least one byte, which limits the count.
static bool take_whole(unread *bytes) {
    uint64_t left = 1, inside;
    while (left > 0) {
        if (!take_term(bytes, &inside)) return false;
        left += inside - 1;
        if (left > (uint64_t)(bytes->end - bytes->at)) return false;
    }
    return true;
}

bool port_check(rf_str bytes, port_reader *out) {
    unread rest = {(const uint8_t *)bytes.data, (const uint8_t *)bytes.data + bytes.len};
    uint64_t version;
    *out = (port_reader){bytes.data, 1, bytes.len <= INT32_MAX ? (int)bytes.len : 0};
    return out->end > 0 && take_number(&rest, 1, &version) && version == VERSION && take_whole(&rest) &&
           rest.at == rest.end;
}

void port_skip(port_reader *reader) {
    unread rest = {(const uint8_t *)reader->bytes + reader->at, (const uint8_t *)reader->bytes + reader->end};
    if (take_whole(&rest)) reader->at = (int)((const char *)rest.at - reader->bytes);
}

// --- reading ---------------------------------------------------------------------------------------

port_type port_type_of(const port_reader *reader) {
    switch ((uint8_t)reader->bytes[reader->at]) {
    case ERL_ATOM_EXT:
    case ERL_ATOM_UTF8_EXT:
    case ERL_SMALL_ATOM_EXT:
    case ERL_SMALL_ATOM_UTF8_EXT:
        return PORT_ATOM;
    case ERL_SMALL_INTEGER_EXT:
    case ERL_INTEGER_EXT:
    case ERL_SMALL_BIG_EXT:
    case ERL_LARGE_BIG_EXT:
        return PORT_INTEGER;
    case NEW_FLOAT_EXT:
        return PORT_FLOAT;
    case ERL_BINARY_EXT:
        return PORT_BINARY;
    case ERL_SMALL_TUPLE_EXT:
    case ERL_LARGE_TUPLE_EXT:
        return PORT_TUPLE;
    case ERL_LIST_EXT:
    case ERL_NIL_EXT:
        return PORT_LIST;
    case ERL_STRING_EXT:
        return PORT_BYTES;
    case ERL_MAP_EXT:
        return PORT_MAP;
    default:
        return PORT_OTHER;
    }
}

bool port_read_tuple(port_reader *reader, int arity) {
    port_reader next = *reader;
    int found;
    if (port_type_of(reader) != PORT_TUPLE || ei_decode_tuple_header(next.bytes, &next.at, &found) != 0 ||
        found != arity)
        return false;
    *reader = next;
    return true;
}

bool port_read_list(port_reader *reader, int *length) {
    return port_type_of(reader) == PORT_LIST && ei_decode_list_header(reader->bytes, &reader->at, length) == 0;
}

bool port_read_tail(port_reader *reader) {
    if ((uint8_t)reader->bytes[reader->at] != ERL_NIL_EXT) return false;
    reader->at++;
    return true;
}

bool port_read_map(port_reader *reader, int *size) {
    return port_type_of(reader) == PORT_MAP && ei_decode_map_header(reader->bytes, &reader->at, size) == 0;
}

bool port_read_binary(port_reader *reader, rf_str *out) {
    const char *data;
    unsigned offset;
    size_t bits;
    if (port_type_of(reader) != PORT_BINARY ||
        ei_decode_bitstring(reader->bytes, &reader->at, &data, &offset, &bits) != 0)
        return false;
    *out = (rf_str){data, bits / 8};
    return true;
}

bool port_read_bytes(port_reader *reader, rf_str *out) {
    const uint8_t *at = (const uint8_t *)reader->bytes + reader->at;
    if (*at != ERL_STRING_EXT) return false;
    // Without a copy, unlike ei.
    *out = (rf_str){(const char *)at + 3, (size_t)at[1] << 8 | at[2]};
    reader->at += 3 + (int)out->len;
    return true;
}

bool port_read_atom(port_reader *reader, char out[PORT_ATOM_MAX + 1]) {
    return port_type_of(reader) == PORT_ATOM &&
           ei_decode_atom_as(reader->bytes, &reader->at, out, PORT_ATOM_MAX + 1, ERLANG_UTF8, NULL, NULL) == 0;
}

bool port_read_this_atom(port_reader *reader, const char *atom) {
    port_reader next = *reader;
    char found[PORT_ATOM_MAX + 1];
    if (!port_read_atom(&next, found) || strcmp(found, atom) != 0) return false;
    *reader = next;
    return true;
}

bool port_read_bool(port_reader *reader, bool *out) {
    *out = port_read_this_atom(reader, "true");
    return *out || port_read_this_atom(reader, "false");
}

bool port_read_int(port_reader *reader, int64_t *out) {
    long long value;
    if (port_type_of(reader) != PORT_INTEGER || ei_decode_longlong(reader->bytes, &reader->at, &value) != 0)
        return false;
    *out = value;
    return true;
}

bool port_read_uint(port_reader *reader, uint64_t *out) {
    unsigned long long value;
    if (port_type_of(reader) != PORT_INTEGER || ei_decode_ulonglong(reader->bytes, &reader->at, &value) != 0)
        return false;
    *out = value;
    return true;
}

bool port_read_u32(port_reader *reader, uint32_t *out) {
    port_reader next = *reader;
    uint64_t value;
    if (!port_read_uint(&next, &value) || value > UINT32_MAX) return false;
    *out = (uint32_t)value;
    *reader = next;
    return true;
}

bool port_read_float(port_reader *reader, double *out) {
    return port_type_of(reader) == PORT_FLOAT && ei_decode_double(reader->bytes, &reader->at, out) == 0;
}

bool port_read_number(port_reader *reader, double *out) {
    int64_t integer;
    if (port_read_float(reader, out)) return true;
    if (!port_read_int(reader, &integer)) return false;
    *out = (double)integer;
    return true;
}
