// bvh_ops.h: the walks for each instruction set. Their candidates may differ; the final hits are the same bits.
#ifndef RF_CORE_BVH_OPS_H
#define RF_CORE_BVH_OPS_H

#include "bvh.h"
#include "base/simd_targets.h"
#include <roomfold/simd.h>

// A little more than the rounding error of an interval's ends in binary32: they are compared with this slack.
#define RF_BVH_SLACK (1 + 0x1p-20F)

extern const rf_bvh_ops rf_bvh_scalar;
#if RF_SIMD_X86
extern const rf_bvh_ops rf_bvh_sse2, rf_bvh_avx2;
#endif
#if RF_SIMD_ARM
extern const rf_bvh_ops rf_bvh_neon;
#endif

// Without vector instructions.
void rf_bvh_query_plain(rf_bvh_query *query, const rf_sweep *sweep);

// Writes first + lane for each lane of the mask; returns how many.
static inline uint32_t rf_bvh_expand(uint32_t mask, uint32_t first, uint32_t *out) {
    uint32_t count = 0;
    for (; mask != 0; mask &= mask - 1) out[count++] = first + (uint32_t)__builtin_ctz(mask);
    return count;
}

// NULL if it is not available.
const rf_bvh_ops *rf_bvh_ops_for(rf_simd simd);

#endif
