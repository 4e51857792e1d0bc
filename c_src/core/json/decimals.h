// decimals.h: writes numbers with a fixed number of decimals. Inline, because most encoded values are such numbers.
#ifndef RF_CORE_DECIMALS_H
#define RF_CORE_DECIMALS_H

#include "base/bits.h"
#include "base/simd_targets.h"
#include "base/varint.h"
#include <math.h>
#include <roomfold/json.h>
#include <string.h>

#if RF_SIMD_X86
#include <emmintrin.h>
#endif

#define RF_ZEROS UINT64_C(0x3030303030303030)

// Eight digits are bytes of a word, the first digit lowest: as values (0 to 9) or as text.

// The eight digits of a number below 10^8, as text, all at once: splits the parts in halves three times
// (Khuong, "How to print integers really fast", 2017).
static inline uint64_t rf_eight_digits(uint64_t value) {
    uint64_t fours = value / 10000 | value % 10000 << 32;
    uint64_t hundreds = (fours * 10486 >> 20) & UINT64_C(0x0000007f0000007f);
    uint64_t twos = hundreds | (fours - hundreds * 100) << 16;
    uint64_t tens = (twos * 103 >> 10) & UINT64_C(0x000f000f000f000f);
    return (tens | (twos - tens * 10) << 8) + RF_ZEROS;
}

// The digits of two such numbers.
static inline void rf_sixteen_digits(uint64_t first, uint64_t second, uint64_t *next, uint64_t *last) {
#if RF_SIMD_X86
    // Splits both at once. Wojciech Mula, "SSE: conversion integers to decimal representation", 2011.
    const __m128i both = _mm_set_epi64x((long long)second, (long long)first);
    __m128i parts = _mm_srli_epi64(_mm_mul_epu32(both, _mm_set1_epi64x(0xd1b71759)), 45); // by 10^4
    __m128i rest = _mm_sub_epi64(both, _mm_mul_epu32(parts, _mm_set1_epi64x(10000)));
    __m128i halves = _mm_or_si128(parts, _mm_slli_epi64(rest, 32));
    parts = _mm_srli_epi16(_mm_mulhi_epu16(halves, _mm_set1_epi16(5243)), 3); // by 100
    rest = _mm_sub_epi16(halves, _mm_mullo_epi16(parts, _mm_set1_epi16(100)));
    halves = _mm_or_si128(parts, _mm_slli_epi32(rest, 16));
    parts = _mm_mulhi_epu16(halves, _mm_set1_epi16(6554)); // by 10
    rest = _mm_sub_epi16(halves, _mm_mullo_epi16(parts, _mm_set1_epi16(10)));
    halves = _mm_or_si128(_mm_or_si128(parts, _mm_slli_epi16(rest, 8)), _mm_set1_epi8('0'));
    *next = (uint64_t)_mm_cvtsi128_si64(halves);
    *last = (uint64_t)_mm_cvtsi128_si64(_mm_unpackhi_epi64(halves, halves));
#else
    *next = rf_eight_digits(first);
    *last = rf_eight_digits(second);
#endif
}

// For values from 10^8 on, and for numbers of decimals that rf_decimals_place does not support.
size_t rf_decimals_write_large(char *out, uint64_t value, unsigned decimals);

// Writes eight digits (values) with a point before the last `decimals`, 1 to 6, without superfluous zeros. Writes up to
// 17 bytes; returns the end of the number. Branch-free, because lengths are unpredictable.
static inline char *rf_decimals_place(char *out, uint64_t values, unsigned decimals) {
    uint64_t whole = values | UINT64_C(1) << (56 - 8 * decimals); // the digit before the point stays
    // If no digit follows the point, it is left out too: it counts as one more zero.
    uint64_t part = (__builtin_bswap64(values) & ((UINT64_C(1) << 8 * decimals) - 1)) | UINT64_C(1)
                                                                                            << (8 * decimals + 8);
    uint32_t lead = rf_low_bit(whole) & 0x38, zeros = rf_low_bit(part) / 8;
    if (decimals >= 4)
        rf_store32((uint8_t *)out, ((uint32_t)values | (uint32_t)RF_ZEROS) >> lead);
    else
        rf_store64((uint8_t *)out, (values | RF_ZEROS) >> lead);
    out -= lead / 8;
    out[8 - decimals] = '.';
    values >>= 64 - 8 * decimals;
    if (decimals <= 4)
        rf_store32((uint8_t *)out + 9 - decimals, (uint32_t)values | (uint32_t)RF_ZEROS);
    else
        rf_store64((uint8_t *)out + 9 - decimals, values | RF_ZEROS);
    return out + 9 - zeros;
}

// rf_json_write_decimals.
static inline size_t rf_decimals_write(char *out, double value, unsigned decimals) {
    static const double units[RF_JSON_DECIMALS_MAX + 1] = {1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8};
    const double round = 0x1.8p52, limit = 0x1p51; // adding rounds to an integer, ties to even
    double scaled = value * units[decimals], rounded = scaled + round;
    if (scaled > -99999999.0 && scaled < 99999999.0 && decimals - 1 < 6) {
        uint64_t bits;
        uint32_t low, sign;
        memcpy(&bits, &rounded, sizeof bits); // its lowest bits are the integer
        low = (uint32_t)bits;
        sign = low >> 31;
        *out = '-';
        return (size_t)(rf_decimals_place(out + sign, rf_eight_digits((low ^ (0 - sign)) + sign) ^ RF_ZEROS, decimals) -
                        out);
    }
    if (!(scaled > -limit && scaled < limit)) return rf_json_write_f64(out, value, value > 0x1p53 || value < -0x1p53);
    rounded -= round;
    *out = '-';
    return (rounded < 0) + rf_decimals_write_large(out + (rounded < 0), (uint64_t)fabs(rounded), decimals);
}

#endif
