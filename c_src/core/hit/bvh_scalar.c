// bvh_scalar.c: the walk without vector instructions.
#include "bvh_ops.h"

static uint32_t meet(const rf_bvh_query *query, const float *rows) {
    uint32_t mask = 0;
    for (uint32_t lane = 0; lane < RF_BVH_WIDTH; lane++) {
        float near = 0, far = query->limit;
        for (uint32_t i = 0; i < 3; i++) {
            float enter = rows[query->enter_row[i] + lane] * query->inverse[i] + query->enter[i];
            float leave = rows[query->leave_row[i] + lane] * query->inverse[i] + query->leave[i];
            near = enter > near ? enter : near;
            far = leave < far ? leave : far;
        }
        mask |= (uint32_t)(near <= far * RF_BVH_SLACK) << lane;
    }
    return mask;
}

#define TARGET
#define MEET meet
#define EXPAND rf_bvh_expand
#include "bvh_walk.inl"

const rf_bvh_ops rf_bvh_scalar = {.query = rf_bvh_query_plain, .walk = walk};
