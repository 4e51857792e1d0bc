// wire_in.h: reads a frame, by bytes or bits. After the first error, everything reads as 0 without moving; status and
// error_at stay.
#ifndef RF_CORE_WIRE_IN_H
#define RF_CORE_WIRE_IN_H

#include "base/error.h"
#include "base/utf8.h"
#include "base/varint.h"
#include "wire_numbers.h"
#include <roomfold/status.h>

typedef struct rf_wire_in {
    const uint8_t *data;
    uint64_t size; // in bits
    uint64_t at;   // in bits
    rf_status status;
    uint64_t error_at; // byte
} rf_wire_in;

static inline rf_wire_in rf_wire_read(rf_str frame) {
    return (rf_wire_in){.data = (const uint8_t *)(frame.len > 0 ? frame.data : ""), .size = (uint64_t)frame.len * 8};
}

// Sets the first error. Always false.
static inline bool rf_wire_fail(rf_wire_in *in, rf_status status) {
    if (in->status == RF_OK) {
        in->status = status;
        in->error_at = in->at / 8;
    }
    return false;
}

// The same for something that began at bit `at`.
static inline bool rf_wire_fail_at(rf_wire_in *in, uint64_t at, rf_status status) {
    if (in->status == RF_OK) in->at = at;
    return rf_wire_fail(in, status);
}

static inline rf_status rf_wire_error(const rf_wire_in *in, rf_error *error) {
    return rf_error_set(error, in->status, in->error_at, (rf_str){0});
}

static inline bool rf_wire_has(rf_wire_in *in, uint64_t bits) {
    if (in->status == RF_OK && bits <= in->size - in->at) return true;
    return rf_wire_fail(in, RF_INVALID_FRAME);
}

// The next bits: at least 57, if there are as many.
static inline uint64_t rf_wire_peek(const rf_wire_in *in) {
    uint64_t byte = in->at / 8, left = in->size / 8 - byte, out = 0;
    if (left >= 8) {
        out = rf_load64(in->data + byte);
    } else {
        for (uint64_t i = 0; i < left; i++) out |= (uint64_t)in->data[byte + i] << (8 * i);
    }
    return out >> (in->at % 8);
}

// At most 32.
static inline uint32_t rf_wire_get(rf_wire_in *in, unsigned bits) {
    uint32_t out;
    if (!rf_wire_has(in, bits)) return 0;
    out = (uint32_t)(rf_wire_peek(in) & ((UINT64_C(1) << bits) - 1));
    in->at += bits;
    return out;
}

static inline uint64_t rf_wire_get_nib(rf_wire_in *in) {
    uint64_t out = 0;
    for (unsigned group = 0;; group++) {
        uint32_t bits = rf_wire_get(in, 4);
        if (in->status != RF_OK) return 0;
        if (bits >= 8 ? group == RF_WIRE_NIBBLES_MAX - 1 : bits == 0 && group > 0) break;
        if (group == RF_WIRE_NIBBLES_MAX - 1 && bits > 1) break;
        out |= (uint64_t)(bits & 7) << (3 * group);
        if (bits < 8) return out;
    }
    rf_wire_fail(in, RF_INVALID_FRAME);
    return 0;
}

// ---- whole bytes: `at` is a multiple of 8 -----------------------------------------------------------

static inline const uint8_t *rf_wire_here(const rf_wire_in *in) {
    return in->data + in->at / 8;
}

static inline uint8_t rf_wire_get_u8(rf_wire_in *in) {
    uint8_t out;
    if (!rf_wire_has(in, 8)) return 0;
    out = *rf_wire_here(in);
    in->at += 8;
    return out;
}

static inline uint64_t rf_wire_get_varint(rf_wire_in *in) {
    uint64_t out = 0;
    for (unsigned i = 0; i < RF_VARINT_MAX; i++) {
        uint8_t byte = rf_wire_get_u8(in);
        if (in->status != RF_OK) return 0;
        if ((byte == 0 && i > 0) || (i == RF_VARINT_MAX - 1 && byte > 1)) break;
        out |= (uint64_t)(byte & 0x7f) << (7 * i);
        if (byte < 0x80) return out;
    }
    rf_wire_fail(in, RF_INVALID_FRAME);
    return 0;
}

static inline rf_str rf_wire_get_bytes(rf_wire_in *in) {
    uint64_t len = rf_wire_get_varint(in);
    rf_str out = {0};
    if (len > UINT64_MAX / 8 || !rf_wire_has(in, len * 8)) {
        rf_wire_fail(in, RF_INVALID_FRAME);
        return out;
    }
    out = (rf_str){(const char *)rf_wire_here(in), (size_t)len};
    in->at += len * 8;
    return out;
}

static inline rf_str rf_wire_get_text(rf_wire_in *in) {
    uint64_t start = in->at;
    rf_str out = rf_wire_get_bytes(in);
    if (in->status == RF_OK && rf_utf8_check(out) != out.len) {
        in->at = start;
        rf_wire_fail(in, RF_INVALID_FRAME);
    }
    return out;
}

static inline double rf_wire_get_f64(rf_wire_in *in) {
    double out = 0;
    uint64_t bits;
    if (!rf_wire_has(in, 64)) return 0;
    bits = rf_load64(rf_wire_here(in));
    memcpy(&out, &bits, sizeof out);
    in->at += 64;
    return out;
}

// Reads a term in canonical form (wire_term.c).
rf_str rf_wire_get_term(rf_wire_in *in);
// Whether the bytes are exactly one term in canonical form.
bool rf_term_canonical(rf_str bytes);

#endif
