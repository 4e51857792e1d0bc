// stamps.h: compares the stamps (revisions) of 64 entities at once.
#ifndef RF_CORE_STAMPS_H
#define RF_CORE_STAMPS_H

#include "column.h"
#include "base/simd_targets.h"

#if RF_SIMD_X86
#include <emmintrin.h>

// SSE2, which every x86-64 has, compares only signed numbers: so the top bit is flipped on both sides.
static inline __m128i rf_stamps_below(const uint32_t *stamps, __m128i since) {
    const __m128i four = _mm_loadu_si128((const __m128i *)(const void *)stamps);
    return _mm_cmpgt_epi32(since, _mm_xor_si128(four, _mm_set1_epi32(INT32_MIN)));
}

// A bit for each stamp that is not below `since`.
static inline uint64_t rf_stamps_since(const uint32_t stamps[RF_PAGE_SIZE], uint32_t since) {
    const __m128i flipped = _mm_xor_si128(_mm_set1_epi32((int)since), _mm_set1_epi32(INT32_MIN));
    uint64_t below = 0;
    for (unsigned i = 0; i < RF_PAGE_SIZE; i += 16) {
        __m128i low = _mm_packs_epi32(rf_stamps_below(stamps + i, flipped), rf_stamps_below(stamps + i + 4, flipped));
        __m128i high =
            _mm_packs_epi32(rf_stamps_below(stamps + i + 8, flipped), rf_stamps_below(stamps + i + 12, flipped));
        below |= (uint64_t)(uint32_t)_mm_movemask_epi8(_mm_packs_epi16(low, high)) << i;
    }
    return ~below;
}

#else

static inline uint64_t rf_stamps_since(const uint32_t stamps[RF_PAGE_SIZE], uint32_t since) {
    uint64_t out = 0;
    for (unsigned i = 0; i < RF_PAGE_SIZE; i++) out |= (uint64_t)(stamps[i] >= since) << i;
    return out;
}

#endif
#endif
