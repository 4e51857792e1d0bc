// bits.h: finds the lowest and the highest set bit.
#ifndef RF_CORE_BITS_H
#define RF_CORE_BITS_H

#include <stdint.h>

// The index of the lowest set bit; mask must not be 0.
static inline uint32_t rf_low_bit(uint64_t mask) {
    return (uint32_t)__builtin_ctzll(mask);
}

// The index of the highest set bit; mask must not be 0.
static inline uint32_t rf_high_bit(uint64_t mask) {
    return 63 - (uint32_t)__builtin_clzll(mask);
}

static inline uint32_t rf_bit_count(uint64_t mask) {
    return (uint32_t)__builtin_popcountll(mask);
}

#endif
