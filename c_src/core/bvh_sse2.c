#include "bvh_ops.h"

#if RF_SIMD_X86
#include <immintrin.h>

#define TARGET __attribute__((target("sse2")))
#define WIDTH 8
#define LANES struct lanes
#define LANES_INIT init
#define MEET meet

struct lanes {
    __m128 near[3], far[3], inverse[3];
    uint32_t near_row[3], far_row[3];
};

TARGET static void init(struct lanes *lanes, const rf_bvh_query *query) {
    for (uint32_t i = 0; i < 3; i++) {
        uint32_t back = query->backwards[i];
        lanes->near[i] = _mm_set1_ps(query->start[back][i]);
        lanes->far[i] = _mm_set1_ps(query->start[1 - back][i]);
        lanes->inverse[i] = _mm_set1_ps(query->inverse[i]);
        lanes->near_row[i] = (i + 3 * back) * WIDTH;
        lanes->far_row[i] = (i + 3 - 3 * back) * WIDTH;
    }
}

TARGET static inline uint32_t meet(const struct lanes *lanes, const float *rows, float limit) {
    uint32_t mask = 0;
    for (uint32_t half = 0; half < WIDTH; half += 4) {
        __m128 near = _mm_setzero_ps(), far = _mm_set1_ps(limit);
        for (uint32_t i = 0; i < 3; i++) {
            __m128 enter = _mm_sub_ps(_mm_load_ps(rows + lanes->near_row[i] + half), lanes->near[i]);
            __m128 leave = _mm_sub_ps(_mm_load_ps(rows + lanes->far_row[i] + half), lanes->far[i]);
            near = _mm_max_ps(_mm_mul_ps(enter, lanes->inverse[i]), near);
            far = _mm_min_ps(_mm_mul_ps(leave, lanes->inverse[i]), far);
        }
        far = _mm_mul_ps(far, _mm_set1_ps(RF_BVH_SLACK));
        mask |= (uint32_t)_mm_movemask_ps(_mm_cmple_ps(near, far)) << half;
    }
    return mask;
}

#define EXPAND rf_bvh_expand
#include "bvh_walk.inl"

const rf_bvh_ops rf_bvh_sse2 = {.width = WIDTH, .walk = walk};
#endif
