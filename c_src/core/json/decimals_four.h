// decimals_four.h: the digits of four binary32 at once, scaled and rounded to integers: with SSE2, which every x86-64
// has, and elsewhere one by one. Both give the same results.
#ifndef RF_CORE_DECIMALS_FOUR_H
#define RF_CORE_DECIMALS_FOUR_H

#include "decimals.h"

typedef struct rf_four {
    uint64_t digits[4]; // eight per number, as values (decimals.h)
    uint32_t negative;  // a bit per number: it needs a sign
    uint32_t hard;      // a bit per number that is not supported: its digits are invalid
} rf_four;

// The constants for a number of decimals, in every lane.
typedef struct rf_four_constants {
    _Alignas(16) float limit[4]; // a larger number is hard, as it may have more than eight digits
    double unit[2];              // 10^decimals
} rf_four_constants;

extern const rf_four_constants rf_four_fixed[7];
// With four decimals: up to a limit, the digits are the number's shortest text if they read back as the number, because
// different texts of this form are then different numbers.
extern const rf_four_constants rf_four_shortest;

// Half the distance to the next binary32, relative to the power of two below the number; slightly less, to be safe.
#define RF_FOUR_HALF 0x1.ffep-25

// numbers: count of them, 1 to 4.
static inline void rf_four_scalar(rf_four *out, const uint8_t *numbers, unsigned count, const rf_four_constants *with,
                                  bool shortest) {
    const double limit = (double)with->limit[0], unit = with->unit[0];
    out->negative = out->hard = 0;
    for (unsigned i = 0; i < count; i++) {
        float number;
        double size, rounded;
        memcpy(&number, numbers + i * sizeof number, sizeof number);
        size = (double)fabsf(number);
        rounded = size * unit + 0x1p52 - 0x1p52; // to an integer, ties to even
        if (!(size <= limit)) {
            out->hard |= 1u << i;
            continue;
        }
        if (shortest) {
            uint64_t bits;
            double power;
            memcpy(&bits, &size, sizeof bits);
            bits &= UINT64_C(0x7ff) << 52;
            memcpy(&power, &bits, sizeof power);
            if (!(fabs(size * unit - rounded) <= power * (RF_FOUR_HALF * unit))) out->hard |= 1u << i;
            if (rounded == 0 && signbit(number)) out->hard |= 1u << i; // -0.0
        }
        out->digits[i] = rf_eight_digits((uint64_t)rounded) ^ RF_ZEROS;
        if (number < 0 && rounded > 0) out->negative |= 1u << i;
    }
}

#if defined(__SSE2__)
#include <emmintrin.h>

// Hides a constant from the compiler, which would otherwise replace multiplications by slower shifts and additions.
static inline __m128i rf_opaque(__m128i constant) {
#if defined(__GNUC__)
    __asm__("" : "+x"(constant));
#endif
    return constant;
}

static inline __m128 rf_four_load(const uint8_t *numbers, unsigned count) {
    __m128 low;
    if (count == 4) return _mm_loadu_ps((const float *)(const void *)numbers);
    if (count == 1) return _mm_load_ss((const float *)(const void *)numbers);
    low = _mm_castsi128_ps(_mm_loadl_epi64((const __m128i *)(const void *)numbers));
    return count == 2 ? low : _mm_movelh_ps(low, _mm_load_ss((const float *)(const void *)(numbers + 8)));
}

// The digits of integers below 10^8, split in halves three times, as in rf_eight_digits.
static inline void rf_four_digits(uint64_t digits[4], __m128i values) {
    const __m128i by_10000 = _mm_set1_epi64x(3518437209), ten_thousand = _mm_set1_epi32(10000);
    const __m128i by_100 = _mm_set1_epi16(5243), hundred = rf_opaque(_mm_set1_epi16(100));
    const __m128i by_10 = _mm_set1_epi16(103), other_ten = rf_opaque(_mm_set1_epi16(2559));
    __m128i even = _mm_srli_epi64(_mm_mul_epu32(values, by_10000), 45);
    __m128i odd = _mm_srli_epi64(_mm_mul_epu32(_mm_srli_epi64(values, 32), by_10000), 45);
    __m128i high = _mm_or_si128(even, _mm_slli_epi64(odd, 32));
    __m128i fours = _mm_or_si128(high, _mm_slli_epi32(_mm_sub_epi32(values, _mm_madd_epi16(high, ten_thousand)), 16));
    __m128i hundreds = _mm_srli_epi16(_mm_mulhi_epu16(fours, by_100), 3);
    __m128i ones = _mm_sub_epi16(fours, _mm_mullo_epi16(hundreds, hundred));
    __m128i twos[2] = {_mm_unpacklo_epi16(hundreds, ones), _mm_unpackhi_epi16(hundreds, ones)};
    for (int i = 0; i < 2; i++) {
        __m128i tens = _mm_srli_epi16(_mm_mullo_epi16(twos[i], by_10), 10);
        // tens | (twos - 10 * tens) << 8
        __m128i bytes = _mm_sub_epi16(_mm_slli_epi16(twos[i], 8), _mm_mullo_epi16(tens, other_ten));
        _mm_storeu_si128((__m128i *)(void *)(digits + 2 * i), bytes);
    }
}

// A bit per number whose scaled value is close enough to the integer to read back as the number.
static inline uint32_t rf_four_exact(__m128d numbers, __m128d scaled, __m128d rounded, __m128d half) {
    const __m128d sign = _mm_set1_pd(-0.0);
    const __m128d exponent = _mm_castsi128_pd(_mm_set1_epi64x(INT64_C(0x7ff0000000000000)));
    __m128d bound = _mm_mul_pd(_mm_and_pd(numbers, exponent), half);
    return (uint32_t)_mm_movemask_pd(_mm_cmple_pd(_mm_andnot_pd(sign, _mm_sub_pd(scaled, rounded)), bound));
}

// As rf_four_scalar.
static inline void rf_four_make(rf_four *out, const uint8_t *numbers, unsigned count, const rf_four_constants *with,
                                bool shortest) {
    const __m128d magic = _mm_set1_pd(0x1.8p52), units = _mm_load_pd(with->unit);
    __m128 four = rf_four_load(numbers, count), size = _mm_andnot_ps(_mm_set1_ps(-0.0f), four);
    __m128d low = _mm_cvtps_pd(four), high = _mm_cvtps_pd(_mm_movehl_ps(four, four));
    __m128d low_scaled = _mm_mul_pd(low, units), high_scaled = _mm_mul_pd(high, units);
    __m128d low_sum = _mm_add_pd(low_scaled, magic), high_sum = _mm_add_pd(high_scaled, magic);
    // Adding rounds to an integer, ties to even, and puts it into the lowest bits.
    __m128i values = _mm_castps_si128(_mm_shuffle_ps(_mm_castpd_ps(low_sum), _mm_castpd_ps(high_sum), 0x88));
    __m128i signs = _mm_srai_epi32(values, 31);
    __m128 large = _mm_cmpnle_ps(size, _mm_load_ps(with->limit));
    out->negative = (uint32_t)_mm_movemask_ps(_mm_castsi128_ps(values));
    if (shortest) {
        __m128d half = _mm_mul_pd(units, _mm_set1_pd(RF_FOUR_HALF));
        uint32_t exact = rf_four_exact(low, low_scaled, _mm_sub_pd(low_sum, magic), half) |
                         rf_four_exact(high, high_scaled, _mm_sub_pd(high_sum, magic), half) << 2;
        __m128i minus_zero = _mm_cmpeq_epi32(_mm_castps_si128(four), _mm_set1_epi32(INT32_MIN));
        out->hard = (exact ^ 15) | (uint32_t)_mm_movemask_ps(_mm_or_ps(large, _mm_castsi128_ps(minus_zero)));
    } else {
        out->hard = (uint32_t)_mm_movemask_ps(large);
    }
    rf_four_digits(out->digits, _mm_sub_epi32(_mm_xor_si128(values, signs), signs));
}

#else
#define rf_four_make rf_four_scalar
#endif

// Writes a comma and a number that is not hard: up to 19 bytes.
static inline char *rf_four_write_one(char *at, const rf_four *four, unsigned i, unsigned decimals) {
    memcpy(at, ",-", 2);
    return rf_decimals_place(at + 1 + (four->negative >> i & 1), four->digits[i], decimals);
}

// Writes the first `count` numbers.
static inline char *rf_four_write(char *at, const rf_four *four, unsigned count, unsigned decimals) {
    at = rf_four_write_one(at, four, 0, decimals);
    if (count > 1) at = rf_four_write_one(at, four, 1, decimals);
    if (count > 2) at = rf_four_write_one(at, four, 2, decimals);
    if (count > 3) at = rf_four_write_one(at, four, 3, decimals);
    return at;
}

#endif
