// wire_out.h: writes a frame: bytes, then bits. Space is reserved for several small items at once, so that each takes
// only a few instructions.
#ifndef RF_CORE_WIRE_OUT_H
#define RF_CORE_WIRE_OUT_H

#include "base/buf.h"
#include "base/varint.h"

typedef struct rf_wire_out {
    rf_buf buf;
    uint64_t held; // bits that are not in buf yet, the first one lowest
    unsigned count;
} rf_wire_out;

#define RF_NIB_BITS_MAX 88

// Reserves `bits` more bits; false when out of memory.
static inline bool rf_wire_reserve(rf_wire_out *out, size_t bits) {
    return rf_buf_reserve(&out->buf, bits / 8 + 24);
}

static inline void rf_wire_u8(rf_wire_out *out, uint8_t value) {
    rf_buf_byte(&out->buf, value);
}

static inline void rf_wire_varint(rf_wire_out *out, uint64_t value) {
    uint8_t bytes[RF_VARINT_MAX];
    rf_buf_bytes(&out->buf, bytes, rf_varint_write(bytes, value));
}

static inline void rf_wire_bytes(rf_wire_out *out, rf_str bytes) {
    rf_wire_varint(out, bytes.len);
    rf_buf_bytes(&out->buf, bytes.data, bytes.len);
}

static inline void rf_wire_f64(rf_wire_out *out, double value) {
    uint8_t bytes[8];
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    rf_store64(bytes, bits);
    rf_buf_bytes(&out->buf, bytes, sizeof bytes);
}

// Puts at most 56 bits; the higher bits of value must be 0. They must be reserved. Leaves fewer than 8 bits held.
static inline void rf_wire_bits(rf_wire_out *out, uint64_t value, unsigned bits) {
    uint64_t held = out->held | value << out->count;
    unsigned count = out->count + bits;
    rf_store64(out->buf.data + out->buf.len, held);
    out->buf.len += count / 8;
    out->held = held >> (count & 56);
    out->count = count % 8;
}

// The same for up to 64 bits.
static inline void rf_wire_long_bits(rf_wire_out *out, uint64_t value, unsigned bits) {
    uint64_t low = out->held | value << out->count, high = (value >> 1) >> (63 - out->count);
    unsigned count = out->count + bits;
    rf_store64(out->buf.data + out->buf.len, low);
    rf_store64(out->buf.data + out->buf.len + 8, high);
    out->buf.len += count / 8;
    out->held = count >= 64 ? high : low >> (count & 56);
    out->count = count % 8;
}

// RF_NIB_BITS_MAX bits must be reserved.
static inline void rf_wire_nib(rf_wire_out *out, uint64_t value) {
    while (value > 7) {
        rf_wire_bits(out, (value & 7) | 8, 4);
        value >>= 3;
    }
    rf_wire_bits(out, value, 4);
}

// Reserves by itself.
static inline void rf_wire_bit_bytes(rf_wire_out *out, rf_str bytes) {
    if (!rf_wire_reserve(out, RF_NIB_BITS_MAX + bytes.len * 8)) return;
    rf_wire_nib(out, bytes.len);
    for (size_t i = 0; i < bytes.len; i++) rf_wire_bits(out, (uint8_t)bytes.data[i], 8);
}

// Writes the held bits, padded with 0.
static inline void rf_wire_end_bits(rf_wire_out *out) {
    if (out->count > 0) rf_wire_u8(out, (uint8_t)out->held);
    out->held = 0;
    out->count = 0;
}

#endif
