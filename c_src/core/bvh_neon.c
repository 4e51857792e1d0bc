#include "bvh_ops.h"

#if RF_SIMD_ARM
#include <arm_neon.h>

#define TARGET
#define WIDTH 8
#define LANES struct lanes
#define LANES_INIT init
#define MEET meet

struct lanes {
    float32x4_t near[3], far[3], inverse[3];
    uint32_t near_row[3], far_row[3];
};

TARGET static void init(struct lanes *lanes, const rf_bvh_query *query) {
    for (uint32_t i = 0; i < 3; i++) {
        uint32_t back = query->backwards[i];
        lanes->near[i] = vdupq_n_f32(query->start[back][i]);
        lanes->far[i] = vdupq_n_f32(query->start[1 - back][i]);
        lanes->inverse[i] = vdupq_n_f32(query->inverse[i]);
        lanes->near_row[i] = (i + 3 * back) * WIDTH;
        lanes->far_row[i] = (i + 3 - 3 * back) * WIDTH;
    }
}

TARGET static inline uint32_t meet(const struct lanes *lanes, const float *rows, float limit) {
    static const uint32_t powers[4] = {1, 2, 4, 8};
    uint32x4_t bits = vld1q_u32(powers);
    uint32_t mask = 0;
    for (uint32_t half = 0; half < WIDTH; half += 4) {
        float32x4_t near = vdupq_n_f32(0), far = vdupq_n_f32(limit);
        for (uint32_t i = 0; i < 3; i++) {
            float32x4_t enter = vsubq_f32(vld1q_f32(rows + lanes->near_row[i] + half), lanes->near[i]);
            float32x4_t leave = vsubq_f32(vld1q_f32(rows + lanes->far_row[i] + half), lanes->far[i]);
            near = vmaxq_f32(vmulq_f32(enter, lanes->inverse[i]), near);
            far = vminq_f32(vmulq_f32(leave, lanes->inverse[i]), far);
        }
        far = vmulq_f32(far, vdupq_n_f32(RF_BVH_SLACK));
        mask |= vaddvq_u32(vandq_u32(vcleq_f32(near, far), bits)) << half;
    }
    return mask;
}

#define EXPAND rf_bvh_expand
#include "bvh_walk.inl"

const rf_bvh_ops rf_bvh_neon = {.width = WIDTH, .walk = walk};
#endif
