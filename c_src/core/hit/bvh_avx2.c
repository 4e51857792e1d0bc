// bvh_avx2.c: the walk with AVX2.
#include "bvh_ops.h"

#if RF_SIMD_X86
#include <immintrin.h>
#include <string.h>

#define TARGET __attribute__((target("avx2,fma,popcnt")))

TARGET static inline uint32_t meet(const rf_bvh_query *query, const float *rows) {
    __m256 near = _mm256_setzero_ps(), far = _mm256_set1_ps(query->limit);
    for (uint32_t i = 0; i < 3; i++) {
        __m256 inverse = _mm256_set1_ps(query->inverse[i]);
        __m256 enter = _mm256_load_ps(rows + query->enter_row[i]), leave = _mm256_load_ps(rows + query->leave_row[i]);
        near = _mm256_max_ps(_mm256_fmadd_ps(enter, inverse, _mm256_set1_ps(query->enter[i])), near);
        far = _mm256_min_ps(_mm256_fmadd_ps(leave, inverse, _mm256_set1_ps(query->leave[i])), far);
    }
    far = _mm256_mul_ps(far, _mm256_set1_ps(RF_BVH_SLACK));
    return (uint32_t)_mm256_movemask_ps(_mm256_cmp_ps(near, far, _CMP_LE_OQ));
}

// The indices of a mask's set lanes, a byte each, from the lowest.
#define HAS(mask, lane) ((uint64_t)(mask) >> (lane)&1)
#define AND(mask, lane, rest) ((rest) * (1 + 255 * HAS(mask, lane)) + (lane)*HAS(mask, lane))
#define LOW(mask, rest) AND(mask, 0, AND(mask, 1, AND(mask, 2, AND(mask, 3, rest))))
#define LANES_OF(mask) LOW(mask, AND(mask, 4, AND(mask, 5, AND(mask, 6, AND(mask, 7, UINT64_C(0))))))
#define FOUR(mask) LANES_OF(mask), LANES_OF((mask) + 1), LANES_OF((mask) + 2), LANES_OF((mask) + 3)
#define SIXTEEN(mask) FOUR(mask), FOUR((mask) + 4), FOUR((mask) + 8), FOUR((mask) + 12)
#define SIXTY_FOUR(mask) SIXTEEN(mask), SIXTEEN((mask) + 16), SIXTEEN((mask) + 32), SIXTEEN((mask) + 48)

static const uint64_t lanes_of[256] = {SIXTY_FOUR(0), SIXTY_FOUR(64), SIXTY_FOUR(128), SIXTY_FOUR(192)};

// Without a branch.
TARGET static inline uint32_t expand(uint32_t mask, uint32_t first, uint32_t *out) {
    __m256i lanes = _mm256_cvtepu8_epi32(_mm_loadl_epi64((const __m128i *)(const void *)&lanes_of[mask]));
    _mm256_storeu_si256((__m256i *)(void *)out, _mm256_add_epi32(lanes, _mm256_set1_epi32((int)first)));
    return (uint32_t)__builtin_popcount(mask);
}

// rf_bvh_query_plain for all axes at once. The fourth lane holds whatever follows in the sweep.
TARGET static void query(rf_bvh_query *out, const rf_sweep *sweep) {
#define W RF_BVH_WIDTH
    static const uint16_t rows[8][6] = {{0, W, 2 * W, 3 * W, 4 * W, 5 * W}, {3 * W, W, 2 * W, 0, 4 * W, 5 * W},
                                        {0, 4 * W, 2 * W, 3 * W, W, 5 * W}, {3 * W, 4 * W, 2 * W, 0, W, 5 * W},
                                        {0, W, 5 * W, 3 * W, 4 * W, 2 * W}, {3 * W, W, 5 * W, 0, 4 * W, 2 * W},
                                        {0, 4 * W, 5 * W, 3 * W, W, 2 * W}, {3 * W, 4 * W, 5 * W, 0, W, 2 * W}};
#undef W
    const __m256d sign = _mm256_set1_pd(-0.0);
    __m256d origin = _mm256_loadu_pd(sweep->origin), translation = _mm256_loadu_pd(sweep->translation);
    __m256d far = _mm256_andnot_pd(sign, origin), length = _mm256_andnot_pd(sign, translation);
    __m256d still = _mm256_cmp_pd(length, _mm256_set1_pd(1e-20), _CMP_LT_OQ);
    __m256d inverse = _mm256_blendv_pd(_mm256_loadu_pd(sweep->inverse), _mm256_set1_pd(1e20), still);
    __m128d first = _mm256_castpd256_pd128(far), second = _mm256_castpd256_pd128(length);
    __m128d most = _mm_max_pd(_mm_unpacklo_pd(first, second), _mm_unpackhi_pd(first, second));
    __m128d last = _mm_unpacklo_pd(_mm256_extractf128_pd(far, 1), _mm256_extractf128_pd(length, 1));
    double ends[2], pad;
    __m256d reach, wide;
    __m128 low, high, narrow = _mm256_cvtpd_ps(inverse);
    _mm_storeu_pd(ends, _mm_max_pd(most, last));
    pad = (ends[0] + ends[1]) * 0x1p-21 + sweep->radius * 0x1p-20 + 1e-12;
    reach = _mm256_add_pd(_mm256_loadu_pd(sweep->half), _mm256_set1_pd(sweep->radius));
    wide = _mm256_add_pd(_mm256_set1_pd(pad), _mm256_mul_pd(reach, _mm256_set1_pd(0x1p-21)));
    wide = _mm256_add_pd(reach, wide);
    low = _mm256_cvtpd_ps(_mm256_xor_pd(sign, _mm256_add_pd(origin, wide)));
    high = _mm256_cvtpd_ps(_mm256_sub_pd(wide, origin));
    _mm_storeu_ps(out->enter, _mm_mul_ps(_mm_blendv_ps(low, high, narrow), narrow));
    _mm_storeu_ps(out->leave, _mm_mul_ps(_mm_blendv_ps(high, low, narrow), narrow));
    _mm_storeu_ps(out->inverse, narrow);
    memcpy(out->enter_row, rows[_mm_movemask_ps(narrow) & 7], sizeof out->enter_row + sizeof out->leave_row);
}

#define MEET meet
#define EXPAND expand
#include "bvh_walk.inl"

const rf_bvh_ops rf_bvh_avx2 = {.query = query, .walk = walk};
#endif
