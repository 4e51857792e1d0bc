#include "answer.h"
#include "big_endian.h"

#include <ei.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define SMALL 64 // bytes; more than any number, header or atom that we write
#define HEADER 5 // bytes of a list's, map's or binary's header
#define FLOAT 9  // bytes of a float
#define FIRST 4096

void port_answer_free(port_answer *answer) {
    free(answer->bytes);
    answer->bytes = NULL;
    answer->len = answer->capacity = 0;
}

static bool give_up(port_answer *answer, rf_status status) {
    if (answer->status == RF_OK) answer->status = status;
    return false;
}

bool port_reserve(port_answer *answer, size_t count) {
    size_t capacity = answer->capacity > 0 ? answer->capacity : FIRST;
    char *bytes;
    if (answer->status != RF_OK) return false;
    if (count > answer->limit || answer->len > answer->limit - count) return give_up(answer, RF_TOO_LARGE);
    if (answer->len + count <= answer->capacity) return true;
    while (capacity < answer->len + count) capacity *= 2; // the limit is far below SIZE_MAX / 2
    bytes = realloc(answer->bytes, capacity);
    if (!bytes) return give_up(answer, RF_NO_MEMORY);
    answer->bytes = bytes;
    answer->capacity = capacity;
    return true;
}

bool port_keep(port_answer *answer, size_t len) {
    if (answer->status != RF_TOO_LARGE) return answer->status == RF_OK;
    answer->status = RF_OK;
    answer->len = len;
    return false;
}

size_t port_room(const port_answer *answer) {
    return answer->limit > answer->len ? answer->limit - answer->len : 1;
}

// Runs one of ei's encoders at the end of the buffer.
#define PUT(answer, room, encoder, ...)                                                                                \
    do {                                                                                                               \
        int written = 0;                                                                                               \
        if (!port_reserve(answer, room)) return;                                                                       \
        if (encoder((answer)->bytes + (answer)->len, &written, __VA_ARGS__) != 0)                                      \
            give_up(answer, RF_UNSUPPORTED_VALUE);                                                                     \
        else                                                                                                           \
            (answer)->len += (size_t)written;                                                                          \
    } while (0)

void port_put_version(port_answer *answer) {
    int written = 0;
    if (!port_reserve(answer, SMALL)) return;
    ei_encode_version(answer->bytes + answer->len, &written);
    answer->len += (size_t)written;
}

void port_put_atom(port_answer *answer, const char *atom) {
    PUT(answer, SMALL, ei_encode_atom, atom);
}

void port_put_bool(port_answer *answer, bool value) {
    PUT(answer, SMALL, ei_encode_boolean, value);
}

void port_put_int(port_answer *answer, int64_t value) {
    PUT(answer, SMALL, ei_encode_longlong, value);
}

void port_put_uint(port_answer *answer, uint64_t value) {
    PUT(answer, SMALL, ei_encode_ulonglong, value);
}

void port_put_float(port_answer *answer, double value) {
    uint64_t bits;
    char *at;
    if (!port_reserve(answer, FLOAT)) return;
    if (!isfinite(value)) {
        give_up(answer, RF_UNSUPPORTED_VALUE);
        return;
    }
    memcpy(&bits, &value, sizeof bits);
    at = answer->bytes + answer->len;
    *at++ = NEW_FLOAT_EXT;
    for (int shift = 56; shift >= 0; shift -= 8) *at++ = (char)(uint8_t)(bits >> shift);
    answer->len += FLOAT;
}

static void write_binary_header(char *at, size_t len) {
    at[0] = ERL_BINARY_EXT;
    port_store_u32(at + 1, (uint32_t)len);
}

void port_put_binary(port_answer *answer, rf_str bytes) {
    char *at = port_put_space(answer, bytes.len);
    if (at && bytes.len > 0) memcpy(at, bytes.data, bytes.len);
}

void port_put_tuple(port_answer *answer, int arity) {
    PUT(answer, SMALL, ei_encode_tuple_header, arity);
}

char *port_put_space(port_answer *answer, size_t len) {
    char *at;
    if (!port_reserve(answer, HEADER + len)) return NULL;
    at = answer->bytes + answer->len;
    write_binary_header(at, len);
    answer->len += HEADER + len;
    return at + HEADER;
}

size_t port_begin(port_answer *answer) {
    size_t mark = answer->len;
    if (port_reserve(answer, HEADER)) answer->len += HEADER;
    return mark;
}

void port_end_binary(port_answer *answer, size_t mark) {
    if (answer->status == RF_OK) write_binary_header(answer->bytes + mark, answer->len - mark - HEADER);
}

void port_end_list(port_answer *answer, size_t mark, size_t count) {
    int at = 0;
    if (answer->status != RF_OK) return;
    if (count == 0)
        answer->len = mark; // only the tail, []
    else
        ei_encode_list_header(answer->bytes + mark, &at, (int)count);
    PUT(answer, SMALL, ei_encode_list_header, 0);
}

void port_end_map(port_answer *answer, size_t mark, size_t count) {
    int at = 0;
    if (answer->status == RF_OK) ei_encode_map_header(answer->bytes + mark, &at, (int)count);
}
