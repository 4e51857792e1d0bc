#include "bvh_ops.h"

#define TARGET
#define WIDTH 8
#define LANES const rf_bvh_query *
#define LANES_INIT(lanes, query) (*(lanes) = (query))
#define MEET(lanes, rows, limit) meet(*(lanes), rows, limit)

static uint32_t meet(const rf_bvh_query *query, const float *rows, float limit) {
    uint32_t mask = 0;
    for (uint32_t lane = 0; lane < WIDTH; lane++) {
        float near = 0, far = limit;
        for (uint32_t i = 0; i < 3; i++) {
            uint32_t back = query->backwards[i];
            float enter = (rows[(i + 3 * back) * WIDTH + lane] - query->start[back][i]) * query->inverse[i];
            float leave = (rows[(i + 3 - 3 * back) * WIDTH + lane] - query->start[1 - back][i]) * query->inverse[i];
            near = enter > near ? enter : near;
            far = leave < far ? leave : far;
        }
        mask |= (uint32_t)(near <= far * RF_BVH_SLACK) << lane;
    }
    return mask;
}

#define EXPAND rf_bvh_expand
#include "bvh_walk.inl"

const rf_bvh_ops rf_bvh_scalar = {.width = WIDTH, .walk = walk};
