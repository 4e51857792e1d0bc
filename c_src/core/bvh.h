// bvh.h: a tree over boxes without any pointer: items in the order of a space-filling curve, grouped by 8 or 16, the
// groups grouped again. What moved is fitted in anew from below; the order is only renewed when it has become bad.
//
// Boxes are binary32 and may only be too large: the tree proposes, binary64 decides.
#ifndef RF_CORE_BVH_H
#define RF_CORE_BVH_H

#include "alloc.h"
#include "sweep.h"
#include <math.h>

#define RF_BVH_LEVELS 12

// Who knows where the items are. Fills lanes 0 to count - 1 of six rows: lowest x, y, z, highest x, y, z.
typedef struct rf_bvh_source {
    void (*bounds)(const void *context, const uint32_t *items, uint32_t count, float *rows, uint32_t width);
    const void *context;
} rf_bvh_source;

typedef struct rf_bvh {
    uint32_t count;
    uint32_t width;  // of a group
    uint32_t levels; // level 0 has the items
    uint32_t groups[RF_BVH_LEVELS];
    uint32_t *order;            // the item in each lane of level 0
    float *rows[RF_BVH_LEVELS]; // of a level: each group's six rows; aligned to a cache line
    uint32_t *lists[2];         // for walks: room for the groups of level 0 and one more group's lanes
    float cost;                 // how far level 1 extends, and how far it did when the order was new
    float cost_then;
    void *block; // the memory of all rows
    size_t block_size, order_size, list_size;
} rf_bvh;

// A swept shape as the tree sees it.
typedef struct rf_bvh_query {
    float start[2][3]; // moved so that boxes need not be enlarged: for their low sides, and for their high ones
    float inverse[3];
    uint32_t backwards[3]; // 1: the way enters boxes by their high side. A number, to be an index rather than a branch
    float limit;           // only what is met at or before this t matters; visit may lower it
    // The items of a group that may be met, as a mask of lanes.
    void (*visit)(struct rf_bvh_query *query, const uint32_t *items, uint32_t mask);
} rf_bvh_query;

// One for each instruction set.
typedef struct rf_bvh_ops {
    uint32_t width;
    void (*walk)(const rf_bvh *bvh, rf_bvh_query *query); // the tree must not be empty
} rf_bvh_ops;

void rf_bvh_free(rf_bvh *bvh, rf_mem *mem);
// For items 0 to count - 1. False when out of memory: the tree is then empty.
bool rf_bvh_build(rf_bvh *bvh, rf_mem *mem, const rf_bvh_ops *ops, uint32_t count, rf_bvh_source source);
// The same items after they moved. Without memory for a new order the tree gets slower, but stays right.
void rf_bvh_refit(rf_bvh *bvh, rf_mem *mem, rf_bvh_source source);

// visit and limit are left alone. Boxes and start are both moved apart by more than all roundings, of this and of the
// final test, could hide.
static inline void rf_bvh_query_init(rf_bvh_query *query, const rf_sweep *sweep) {
    double spread = 0, longest = 0, pad;
    for (int i = 0; i < 3; i++) {
        double start = fabs(sweep->origin[i]), length = fabs(sweep->way[i]);
        spread = start > spread ? start : spread;
        longest = length > longest ? length : longest;
    }
    pad = (spread + longest) * 0x1p-21 + sweep->radius * 0x1p-20 + 1e-12;
    for (int i = 0; i < 3; i++) {
        double reach = sweep->half[i] + sweep->radius;
        double wide = pad + reach * 0x1p-21;
        bool still = fabs(sweep->way[i]) < 1e-20;
        query->start[0][i] = (float)(sweep->origin[i] + reach + wide);
        query->start[1][i] = (float)(sweep->origin[i] - reach - wide);
        query->inverse[i] = still ? 1e20F : (float)sweep->inverse[i];
        query->backwards[i] = (uint32_t)(sweep->way[i] < 0) & (uint32_t)!still;
    }
}

// Rounded outwards. Writes one lane.
static inline void rf_bvh_lane(float *rows, uint32_t width, uint32_t lane, const double low[3], const double high[3]) {
    for (uint32_t i = 0; i < 3; i++) {
        double below = low[i] < 0 ? low[i] * (1 + 0x1p-22) : low[i] * (1 - 0x1p-22);
        double above = high[i] < 0 ? high[i] * (1 - 0x1p-22) : high[i] * (1 + 0x1p-22);
        rows[i * width + lane] = (float)below;
        rows[(i + 3) * width + lane] = (float)above;
    }
}

#endif
