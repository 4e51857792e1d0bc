// bvh_neon.c: the walk with NEON.
#include "bvh_ops.h"

#if RF_SIMD_ARM
#include <arm_neon.h>

static inline uint32_t meet(const rf_bvh_query *query, const float *rows) {
    static const uint32_t powers[4] = {1, 2, 4, 8};
    uint32x4_t bits = vld1q_u32(powers);
    uint32_t mask = 0;
    for (uint32_t half = 0; half < RF_BVH_WIDTH; half += 4) {
        float32x4_t near = vdupq_n_f32(0), far = vdupq_n_f32(query->limit);
        for (uint32_t i = 0; i < 3; i++) {
            float32x4_t inverse = vdupq_n_f32(query->inverse[i]);
            float32x4_t enter = vld1q_f32(rows + query->enter_row[i] + half);
            float32x4_t leave = vld1q_f32(rows + query->leave_row[i] + half);
            near = vmaxq_f32(vfmaq_f32(vdupq_n_f32(query->enter[i]), enter, inverse), near);
            far = vminq_f32(vfmaq_f32(vdupq_n_f32(query->leave[i]), leave, inverse), far);
        }
        far = vmulq_f32(far, vdupq_n_f32(RF_BVH_SLACK));
        mask |= vaddvq_u32(vandq_u32(vcleq_f32(near, far), bits)) << half;
    }
    return mask;
}

#define TARGET
#define MEET meet
#define EXPAND rf_bvh_expand
#include "bvh_walk.inl"

const rf_bvh_ops rf_bvh_neon = {.query = rf_bvh_query_plain, .walk = walk};
#endif
