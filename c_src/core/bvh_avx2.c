#include "bvh_ops.h"

#if RF_SIMD_X86
#include <immintrin.h>

#define TARGET __attribute__((target("avx2,fma,bmi2,popcnt")))

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

// Without a branch: the bytes of the lanes' numbers are packed by the mask, spread over lanes, and moved by `first`.
TARGET static inline uint32_t expand(uint32_t mask, uint32_t first, uint32_t *out) {
    uint64_t bytes = _pdep_u64(mask, UINT64_C(0x0101010101010101)) * 0xFF;
    __m128i lanes = _mm_cvtsi64_si128((long long)_pext_u64(UINT64_C(0x0706050403020100), bytes));
    __m256i numbers = _mm256_add_epi32(_mm256_cvtepu8_epi32(lanes), _mm256_set1_epi32((int)first));
    _mm256_storeu_si256((__m256i *)(void *)out, numbers);
    return (uint32_t)__builtin_popcount(mask);
}

#define MEET meet
#define EXPAND expand
#include "bvh_walk.inl"

rf_bvh_walk *const rf_bvh_walk_avx2 = walk;
#endif
