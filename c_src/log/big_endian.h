// big_endian.h: a number of 4 bytes, the high one first: checksums as the log keeps them, and what SQLite's WAL has.
#ifndef ROOMFOLD_LOG_BIG_ENDIAN_H
#define ROOMFOLD_LOG_BIG_ENDIAN_H

#include <stdint.h>

static inline uint32_t log_load_u32(const void *at) {
    const uint8_t *bytes = at;
    return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | (uint32_t)bytes[3];
}

static inline void log_store_u32(void *at, uint32_t value) {
    uint8_t *bytes = at;
    for (int i = 0; i < 4; i++) bytes[i] = (uint8_t)(value >> (24 - 8 * i));
}

#endif
