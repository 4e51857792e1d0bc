#include "bvh_ops.h"

#if RF_SIMD_X86
#include <immintrin.h>

#define TARGET __attribute__((target("avx512f")))
#define WIDTH 16
#define LANES struct lanes
#define LANES_INIT init
#define MEET meet

struct lanes {
    __m512 near[3], far[3], inverse[3];
    uint32_t near_row[3], far_row[3];
};

TARGET static void init(struct lanes *lanes, const rf_bvh_query *query) {
    for (uint32_t i = 0; i < 3; i++) {
        bool back = query->backwards[i];
        lanes->near[i] = _mm512_set1_ps(back ? query->high[i] : query->low[i]);
        lanes->far[i] = _mm512_set1_ps(back ? query->low[i] : query->high[i]);
        lanes->inverse[i] = _mm512_set1_ps(query->inverse[i]);
        lanes->near_row[i] = (back ? i + 3 : i) * WIDTH;
        lanes->far_row[i] = (back ? i : i + 3) * WIDTH;
    }
}

TARGET static inline uint32_t meet(const struct lanes *lanes, const float *rows, float limit) {
    __m512 near = _mm512_setzero_ps(), far = _mm512_set1_ps(limit);
    for (uint32_t i = 0; i < 3; i++) {
        __m512 enter = _mm512_sub_ps(_mm512_load_ps(rows + lanes->near_row[i]), lanes->near[i]);
        __m512 leave = _mm512_sub_ps(_mm512_load_ps(rows + lanes->far_row[i]), lanes->far[i]);
        near = _mm512_max_ps(_mm512_mul_ps(enter, lanes->inverse[i]), near);
        far = _mm512_min_ps(_mm512_mul_ps(leave, lanes->inverse[i]), far);
    }
    far = _mm512_mul_ps(far, _mm512_set1_ps(RF_BVH_SLACK));
    return _mm512_cmp_ps_mask(near, far, _CMP_LE_OQ);
}

#include "bvh_walk.inl"

const rf_bvh_ops rf_bvh_avx512 = {.width = WIDTH, .walk = walk};
#endif
