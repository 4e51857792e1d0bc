// varint.h: LEB128, zigzag and little-endian loads and stores, and the tags of compact terms.
#ifndef RF_CORE_VARINT_H
#define RF_CORE_VARINT_H

#include <roomfold/base.h>
#include <string.h>

enum {
    RF_TAG_NULL,
    RF_TAG_FALSE,
    RF_TAG_TRUE,
    RF_TAG_INT,
    RF_TAG_F64,
    RF_TAG_STRING,
    RF_TAG_LIST,
    RF_TAG_MAP,
    RF_TAG_F32,
};

#define RF_VARINT_MAX 10

static inline size_t rf_varint_write(uint8_t *out, uint64_t value) {
    size_t len = 0;
    while (value >= 0x80) {
        out[len++] = (uint8_t)(value | 0x80);
        value >>= 7;
    }
    out[len++] = (uint8_t)value;
    return len;
}

// Reads a number and moves *at past it; stops at end.
static inline uint64_t rf_varint_read(const uint8_t **at, const uint8_t *end) {
    uint64_t out = 0;
    for (unsigned shift = 0; *at < end && shift < 64; shift += 7) {
        uint8_t byte = *(*at)++;
        out |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80) break;
    }
    return out;
}

// 0, -1, 1, -2, 2 as 0, 1, 2, 3, 4: small numbers of either sign become short varints (Protocol Buffers).
static inline uint64_t rf_zigzag_encode(int64_t value) {
    return ((uint64_t)value << 1) ^ (value < 0 ? UINT64_MAX : 0);
}

static inline int64_t rf_zigzag_decode(uint64_t value) {
    return (int64_t)((value >> 1) ^ (0 - (value & 1)));
}

// Compilers do not always combine loads of bytes into one.
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__

static inline uint32_t rf_load32(const uint8_t *at) {
    uint32_t value;
    memcpy(&value, at, sizeof value);
    return value;
}

static inline uint64_t rf_load64(const uint8_t *at) {
    uint64_t value;
    memcpy(&value, at, sizeof value);
    return value;
}

static inline void rf_store32(uint8_t *at, uint32_t value) {
    memcpy(at, &value, sizeof value);
}

static inline void rf_store64(uint8_t *at, uint64_t value) {
    memcpy(at, &value, sizeof value);
}

#else

static inline uint32_t rf_load32(const uint8_t *at) {
    return (uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
}

static inline uint64_t rf_load64(const uint8_t *at) {
    return (uint64_t)rf_load32(at) | (uint64_t)rf_load32(at + 4) << 32;
}

static inline void rf_store32(uint8_t *at, uint32_t value) {
    for (int i = 0; i < 4; i++) at[i] = (uint8_t)(value >> (8 * i));
}

static inline void rf_store64(uint8_t *at, uint64_t value) {
    rf_store32(at, (uint32_t)value);
    rf_store32(at + 4, (uint32_t)(value >> 32));
}

#endif

#endif
