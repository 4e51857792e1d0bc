// bvh_sse2.c: the walk with SSE2.
#include "bvh_ops.h"

#if RF_SIMD_X86
#include <emmintrin.h>

#define TARGET __attribute__((target("sse2")))

TARGET static inline uint32_t meet(const rf_bvh_query *query, const float *rows) {
    uint32_t mask = 0;
    for (uint32_t half = 0; half < RF_BVH_WIDTH; half += 4) {
        __m128 near = _mm_setzero_ps(), far = _mm_set1_ps(query->limit);
        for (uint32_t i = 0; i < 3; i++) {
            __m128 inverse = _mm_set1_ps(query->inverse[i]);
            __m128 enter = _mm_mul_ps(_mm_load_ps(rows + query->enter_row[i] + half), inverse);
            __m128 leave = _mm_mul_ps(_mm_load_ps(rows + query->leave_row[i] + half), inverse);
            near = _mm_max_ps(_mm_add_ps(enter, _mm_set1_ps(query->enter[i])), near);
            far = _mm_min_ps(_mm_add_ps(leave, _mm_set1_ps(query->leave[i])), far);
        }
        far = _mm_mul_ps(far, _mm_set1_ps(RF_BVH_SLACK));
        mask |= (uint32_t)_mm_movemask_ps(_mm_cmple_ps(near, far)) << half;
    }
    return mask;
}

#define MEET meet
#define EXPAND rf_bvh_expand
#include "bvh_walk.inl"

const rf_bvh_ops rf_bvh_sse2 = {.query = rf_bvh_query_plain, .walk = walk};
#endif
