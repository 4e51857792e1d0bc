// big_endian.h: reads and writes numbers of 4 bytes, high byte first, as in the log's checksums and in SQLite's WAL.
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
