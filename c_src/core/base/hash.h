// hash.h: a seeded 64-bit hash of short byte strings, after wyhash by Wang Yi: multiply to 128 bits, fold
// the halves. Not cryptographic; the seed prevents attackers from choosing ids that collide.
#ifndef RF_CORE_HASH_H
#define RF_CORE_HASH_H

#include <roomfold/base.h>
#include <string.h>

static inline uint64_t rf_hash_read64(const void *at) {
    uint64_t out;
    memcpy(&out, at, sizeof out);
    return out;
}

static inline uint64_t rf_hash_read32(const void *at) {
    uint32_t out;
    memcpy(&out, at, sizeof out);
    return out;
}

static inline uint64_t rf_hash_fold(uint64_t a, uint64_t b) {
#ifdef __SIZEOF_INT128__
    __extension__ unsigned __int128 product = (unsigned __int128)a * b;
    return (uint64_t)product ^ (uint64_t)(product >> 64);
#else
    uint64_t ah = a >> 32, al = (uint32_t)a, bh = b >> 32, bl = (uint32_t)b;
    uint64_t mid = ah * bl + ((al * bl) >> 32), mid2 = al * bh + (uint32_t)mid;
    uint64_t high = ah * bh + (mid >> 32) + (mid2 >> 32);
    return (a * b) ^ high;
#endif
}

static inline uint64_t rf_hash(rf_str bytes, uint64_t seed) {
    const char *at = bytes.data;
    size_t len = bytes.len;
    uint64_t a, b;
    seed ^= UINT64_C(0xa0761d6478bd642f);
    if (len <= 16) {
        if (len >= 8) {
            a = rf_hash_read64(at);
            b = rf_hash_read64(at + len - 8);
        } else if (len >= 4) {
            a = rf_hash_read32(at);
            b = rf_hash_read32(at + len - 4);
        } else if (len > 0) {
            a = ((uint64_t)(uint8_t)at[0] << 16) | ((uint64_t)(uint8_t)at[len >> 1] << 8) | (uint8_t)at[len - 1];
            b = 0;
        } else {
            a = b = 0;
        }
    } else {
        size_t left = len;
        for (; left > 16; left -= 16, at += 16)
            seed = rf_hash_fold(rf_hash_read64(at) ^ UINT64_C(0xe7037ed1a0b428db), rf_hash_read64(at + 8) ^ seed);
        a = rf_hash_read64(at + left - 16);
        b = rf_hash_read64(at + left - 8);
    }
    return rf_hash_fold(UINT64_C(0x8ebc6af09c88c6e3) ^ (uint64_t)len,
                        rf_hash_fold(a ^ UINT64_C(0xe7037ed1a0b428db), b ^ seed));
}

#endif
