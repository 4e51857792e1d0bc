// big_endian.h: reads and writes numbers of 4 bytes, high byte first, as in frames and in the External Term Format.
#ifndef ROOMFOLD_PORT_BIG_ENDIAN_H
#define ROOMFOLD_PORT_BIG_ENDIAN_H

#include <stdint.h>

static inline uint32_t port_load_u32(const char *at) {
    const uint8_t *bytes = (const uint8_t *)at;
    return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

static inline void port_store_u32(char *at, uint32_t value) {
    for (int i = 0; i < 4; i++) at[i] = (char)(uint8_t)(value >> (24 - 8 * i));
}

#endif
