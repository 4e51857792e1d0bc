// bvh.h: a tree over boxes without any pointer: items in the order of a space-filling curve, grouped by 8, the groups
// grouped again. What moved is fitted in anew from below; the order is only renewed when it has become bad.
//
// Boxes are binary32 and may only be too large: the tree proposes, binary64 decides.
#ifndef RF_CORE_BVH_H
#define RF_CORE_BVH_H

#include "base/alloc.h"
#include "sweep.h"
#include <math.h>

#define RF_BVH_LEVELS 12
#define RF_BVH_WIDTH 8        // of a group
#define RF_BVH_QUERIES 32     // of a walk, at most
#define RF_BVH_NUMBER_BITS 27 // what an entry of a queue has for a number; above is the query's

// Who knows where the items are. Fills lanes 0 to count - 1 of six rows: lowest x, y, z, highest x, y, z.
typedef struct rf_bvh_source {
    void (*bounds)(const void *context, const uint32_t *items, uint32_t count, float *rows);
    const void *context;
} rf_bvh_source;

// Groups are numbered from the top level down to level 0, and on from there the lanes of level 0: what is below a group
// are consecutive numbers.
typedef struct rf_bvh {
    uint32_t count;
    uint32_t levels; // level 0 has the items
    uint32_t groups[RF_BVH_LEVELS];
    uint32_t first[RF_BVH_LEVELS]; // the number of a level's first group
    uint32_t all_groups;
    uint32_t *items; // of each number: its item, if it is a lane of level 0
    uint32_t *order; // of each lane of level 0: a part of items
    uint32_t *below; // of each group: the number of the first of its lanes
    float *rows;     // each group's six rows; aligned to a cache line
    uint32_t *queue; // for walks
    uint32_t room;   // of the queue, without one more group's lanes: at least all numbers
    float cost;      // how far level 1 extends, and how far it did when the order was new
    float cost_then;
    void *block; // the memory of all rows
    size_t block_size, items_size, below_size, queue_size;
} rf_bvh;

// A swept shape as the tree sees it; a cache line. A side of a box at x is met at t = x * inverse + enter or leave. The
// start is moved so that boxes need not be enlarged: for their low sides, and for their high ones.
typedef struct rf_bvh_query {
    float enter[4], leave[4], inverse[4]; // the fourth stands for nothing
    float limit;                          // only what is met at or before this t matters
    uint16_t enter_row[3], leave_row[3];  // where in a group's rows the sides are by which the way enters boxes
} rf_bvh_query;

// What a walk with some queries has found, in the order of the queries; valid until the next one.
typedef struct rf_bvh_found {
    const uint32_t *entries;
    uint32_t count;
    bool full; // there is too much to be found for so many queries at once. For one there always is room
} rf_bvh_found;

static inline uint32_t rf_bvh_entry_query(uint32_t entry) {
    return entry >> RF_BVH_NUMBER_BITS;
}

static inline uint32_t rf_bvh_entry_item(const rf_bvh *bvh, uint32_t entry) {
    return bvh->items[entry & ((UINT32_C(1) << RF_BVH_NUMBER_BITS) - 1)];
}

// One for each instruction set.
typedef struct rf_bvh_ops {
    // limit is left alone. Boxes and start are both moved apart by more than all roundings, of this and of the final
    // test, could hide.
    void (*query)(rf_bvh_query *query, const rf_sweep *sweep);
    // The items that each of up to RF_BVH_QUERIES queries may meet. The tree must not be empty.
    rf_bvh_found (*walk)(const rf_bvh *bvh, const rf_bvh_query *queries, uint32_t count);
} rf_bvh_ops;

void rf_bvh_free(rf_bvh *bvh, rf_mem *mem);
// For items 0 to count - 1. False when out of memory: the tree is then empty.
bool rf_bvh_build(rf_bvh *bvh, rf_mem *mem, uint32_t count, rf_bvh_source source);
// The same items after they moved. Without memory for a new order the tree gets slower, but stays right.
void rf_bvh_refit(rf_bvh *bvh, rf_mem *mem, rf_bvh_source source);

// Rounded outwards. Writes one lane.
static inline void rf_bvh_lane(float *rows, uint32_t lane, const double low[3], const double high[3]) {
    for (uint32_t i = 0; i < 3; i++) {
        double below = low[i] < 0 ? low[i] * (1 + 0x1p-22) : low[i] * (1 - 0x1p-22);
        double above = high[i] < 0 ? high[i] * (1 - 0x1p-22) : high[i] * (1 + 0x1p-22);
        rows[i * RF_BVH_WIDTH + lane] = (float)below;
        rows[(i + 3) * RF_BVH_WIDTH + lane] = (float)above;
    }
}

#endif
