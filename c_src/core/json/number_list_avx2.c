// number_list_avx2.c: reads lists of three or four short numbers at once. Their ends are found by comparing all bytes,
// so that no number depends on the one before; then each number is the eight bytes before its end, in a lane of its
// own.
#include "number_list.h"

#if defined(__x86_64__)
#include <immintrin.h>

#define TARGET __attribute__((target("avx2,bmi,popcnt")))

// Bytes of the list's text that are loaded.
#define TEXT 64
#define BEFORE 8 // bytes of a lane

// The divisors of a number's digits, for positive and for negative ones: signs are too unpredictable for a branch.
static const double pow10[2][8] = {{1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7},
                                   {-1e0, -1e1, -1e2, -1e3, -1e4, -1e5, -1e6, -1e7}};

// Masks of the last i bytes of eight.
static const uint64_t last_bytes[9] = {0,
                                       UINT64_C(0xff) << 56,
                                       UINT64_C(0xffff) << 48,
                                       UINT64_C(0xffffff) << 40,
                                       UINT64_C(0xffffffff) << 32,
                                       UINT64_C(0xffffffffff) << 24,
                                       UINT64_C(0xffffffffffff) << 16,
                                       UINT64_C(0xffffffffffffff) << 8,
                                       ~UINT64_C(0)};

// A bit for each byte from `at` that ends a number of the list: the commas up to the first closing bracket, and that
// bracket. 0: there is no bracket.
TARGET static inline uint64_t number_ends(const char *at) {
    const __m256i comma = _mm256_set1_epi8(','), bracket = _mm256_set1_epi8(']');
    __m256i low = _mm256_loadu_si256((const __m256i *)(const void *)at);
    __m256i high = _mm256_loadu_si256((const __m256i *)(const void *)(at + 32));
    uint64_t commas = (uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(low, comma)) |
                      (uint64_t)(uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(high, comma)) << 32;
    uint64_t brackets = (uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(low, bracket)) |
                        (uint64_t)(uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(high, bracket)) << 32;
    return brackets == 0 ? 0 : (commas | brackets) & _blsmsk_u64(brackets);
}

// The first in the lowest lane.
TARGET static inline __m256i four_words(uint64_t a, uint64_t b, uint64_t c, uint64_t d) {
    return _mm256_set_epi64x((long long)d, (long long)c, (long long)b, (long long)a);
}

TARGET static inline uint64_t word_before(const char *end) {
    return rf_load64((const uint8_t *)end - BEFORE);
}

// Numbers as eight digits, each in a lane of 64 bits.
typedef struct digits {
    __m256i values;   // the digits, the first in the lowest byte
    __m256i decimals; // how many of them
    __m256i whole;    // all ones: there is no point
} digits;

// bytes: the eight before the end of each number; kept: which of them belong to it, without its sign. False: not all of
// them are numbers of this kind.
TARGET static inline bool read_digits(__m256i bytes, __m256i kept, digits *out) {
    const __m256i ones = _mm256_set1_epi8(-1), zero = _mm256_setzero_si256(), nine = _mm256_set1_epi8(9);
    __m256i values = _mm256_and_si256(_mm256_xor_si256(bytes, _mm256_set1_epi8('0')), kept);
    __m256i others = _mm256_xor_si256(_mm256_cmpeq_epi8(_mm256_min_epu8(values, nine), values), ones);
    __m256i first = _mm256_xor_si256(kept, _mm256_slli_epi64(kept, 8));
    __m256i before = _mm256_andnot_si256(others, _mm256_add_epi64(others, ones)); // the point
    __m256i up_to = _mm256_or_si256(_mm256_slli_epi64(before, 8), _mm256_set1_epi64x(0xff));
    __m256i behind = _mm256_andnot_si256(up_to, ones);
    // The digits before the point move up by one byte, over the point.
    __m256i moved = _mm256_slli_epi64(_mm256_and_si256(values, before), 8);
    __m256i zeros = _mm256_and_si256(_mm256_cmpeq_epi8(values, zero), first), bad;
    out->whole = _mm256_cmpeq_epi64(others, zero);
    out->values = _mm256_blendv_epi8(_mm256_or_si256(_mm256_and_si256(values, behind), moved), values, out->whole);
    out->decimals = _mm256_sad_epu8(_mm256_and_si256(behind, _mm256_set1_epi8(1)), zero);
    // At most one point, with digits on both sides; no leading zero.
    bad = _mm256_xor_si256(others, _mm256_xor_si256(up_to, before));
    bad = _mm256_or_si256(bad, _mm256_and_si256(others, _mm256_xor_si256(values, _mm256_set1_epi8('.' ^ '0'))));
    bad = _mm256_or_si256(bad, _mm256_and_si256(others, _mm256_or_si256(first, _mm256_slli_epi64(ones, 56))));
    bad = _mm256_or_si256(bad, _mm256_andnot_si256(others, _mm256_slli_epi64(zeros, 8)));
    return _mm256_testz_si256(bad, bad);
}

// Combines neighbouring digits in three steps (Mula, "SIMD-ized parsing of series of integer values", 2017).
TARGET static inline __m256d digits_values(__m256i values) {
    __m256i pairs = _mm256_maddubs_epi16(values, _mm256_set1_epi16(1 << 8 | 10));
    __m256i fours = _mm256_madd_epi16(pairs, _mm256_set1_epi32(1 << 16 | 100));
    __m256i eights = _mm256_madd_epi16(_mm256_packus_epi32(fours, fours), _mm256_set1_epi32(1 << 16 | 10000));
    return _mm256_cvtepi32_pd(_mm256_castsi256_si128(_mm256_permute4x64_epi64(eights, 0x08)));
}

TARGET static inline __m256d divide(const digits *numbers, const uint32_t negative[4]) {
    __m128i low = _mm256_castsi256_si128(numbers->decimals), high = _mm256_extracti128_si256(numbers->decimals, 1);
    __m256d powers =
        _mm256_set_pd(pow10[negative[3]][_mm_extract_epi64(high, 1)], pow10[negative[2]][_mm_cvtsi128_si64(high)],
                      pow10[negative[1]][_mm_extract_epi64(low, 1)], pow10[negative[0]][_mm_cvtsi128_si64(low)]);
    // -0 is the integer 0. A number with a point keeps its sign, because -0.0 is added to it.
    __m256d nothing = _mm256_andnot_pd(_mm256_castsi256_pd(numbers->whole), _mm256_set1_pd(-0.0));
    return _mm256_add_pd(_mm256_div_pd(digits_values(numbers->values), powers), nothing);
}

// Reads the numbers from `at` on. Returns the end of the list, or NULL: it is something else, or longer.
TARGET static inline const char *short_list(const char *at, unsigned count, double *out) {
    uint64_t left = number_ends(at);
    const char *ends[4], *begin = at;
    uint32_t lengths[4], negative[4];
    digits numbers;
    __m256d values;
    if ((unsigned)__builtin_popcountll(left) != count) return NULL;
    for (unsigned i = 0; i < 4; i++) {
        if (i == count) { // the last lane is unused with three numbers
            ends[i] = ends[i - 1];
            lengths[i] = lengths[i - 1];
            negative[i] = 0;
            break;
        }
        ends[i] = begin + _tzcnt_u64(left);
        left &= left - 1;
        negative[i] = *at == '-';
        lengths[i] = (uint32_t)(ends[i] - at) - negative[i];
        at = ends[i] + 1;
    }
    if (((lengths[0] - 1) | (lengths[1] - 1) | (lengths[2] - 1) | (lengths[3] - 1)) > 7) return NULL;
    if (!read_digits(
            four_words(word_before(ends[0]), word_before(ends[1]), word_before(ends[2]), word_before(ends[3])),
            four_words(last_bytes[lengths[0]], last_bytes[lengths[1]], last_bytes[lengths[2]], last_bytes[lengths[3]]),
            &numbers))
        return NULL;
    values = divide(&numbers, negative);
    _mm_storeu_pd(out, _mm256_castpd256_pd128(values));
    if (count == 3)
        _mm_store_sd(out + 2, _mm256_extractf128_pd(values, 1));
    else
        _mm_storeu_pd(out + 2, _mm256_extractf128_pd(values, 1));
    return at;
}

TARGET bool rf_number_list_avx2(rf_scan *scan, unsigned count, double *out) {
    const char *at = scan->at, *behind = NULL;
    if (scan->end - at > TEXT && at - scan->begin >= BEFORE && *at == '[') {
        if (count == 3)
            behind = short_list(at + 1, 3, out);
        else if (count == 4)
            behind = short_list(at + 1, 4, out);
    }
    if (!behind) return rf_number_list(scan, count, out);
    scan->at = behind;
    return true;
}

#endif
