#include "bvh_ops.h"

#if RF_SIMD_X86
#include <immintrin.h>

#define TARGET __attribute__((target("avx2,bmi2,popcnt")))
#define WIDTH 8
#define LANES struct lanes
#define LANES_INIT init
#define MEET meet

struct lanes {
    __m256 near[3], far[3], inverse[3];
    uint32_t near_row[3], far_row[3];
};

TARGET static void init(struct lanes *lanes, const rf_bvh_query *query) {
    for (uint32_t i = 0; i < 3; i++) {
        uint32_t back = query->backwards[i];
        lanes->near[i] = _mm256_set1_ps(query->start[back][i]);
        lanes->far[i] = _mm256_set1_ps(query->start[1 - back][i]);
        lanes->inverse[i] = _mm256_set1_ps(query->inverse[i]);
        lanes->near_row[i] = (i + 3 * back) * WIDTH;
        lanes->far_row[i] = (i + 3 - 3 * back) * WIDTH;
    }
}

TARGET static inline uint32_t meet(const struct lanes *lanes, const float *rows, float limit) {
    __m256 near = _mm256_setzero_ps(), far = _mm256_set1_ps(limit);
    for (uint32_t i = 0; i < 3; i++) {
        __m256 enter = _mm256_sub_ps(_mm256_load_ps(rows + lanes->near_row[i]), lanes->near[i]);
        __m256 leave = _mm256_sub_ps(_mm256_load_ps(rows + lanes->far_row[i]), lanes->far[i]);
        near = _mm256_max_ps(_mm256_mul_ps(enter, lanes->inverse[i]), near);
        far = _mm256_min_ps(_mm256_mul_ps(leave, lanes->inverse[i]), far);
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

#define EXPAND expand
#include "bvh_walk.inl"

const rf_bvh_ops rf_bvh_avx2 = {.width = WIDTH, .walk = walk};
#endif
