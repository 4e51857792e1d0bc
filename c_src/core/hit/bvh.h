// bvh.h: a bounding volume hierarchy without pointers: items in the order of a space-filling curve, in groups of 8,
// which are in groups of 8 again. When items move, the boxes are refitted from the bottom up; the order is renewed only
// when it has become bad.
//
// Boxes are binary32, rounded outwards: the tree proposes candidates, and tests in binary64 decide.
#ifndef RF_CORE_BVH_H
#define RF_CORE_BVH_H

#include "base/alloc.h"
#include "sweep.h"
#include <math.h>

#define RF_BVH_LEVELS 12
#define RF_BVH_WIDTH 8        // of a group
#define RF_BVH_QUERIES 32     // of a walk, at most
#define RF_BVH_NUMBER_BITS 27 // of an entry in a queue: the number; the bits above are the query's

// Gives the boxes of items: fills lanes 0 to count - 1 of six rows, lowest x, y, z and highest x, y, z.
typedef struct rf_bvh_source {
    void (*bounds)(const void *context, const uint32_t *items, uint32_t count, float *rows);
    const void *context;
} rf_bvh_source;

// Groups are numbered from the top level down to level 0, followed by the lanes of level 0. So the children of a group
// have consecutive numbers.
typedef struct rf_bvh {
    uint32_t count;
    uint32_t levels; // level 0 contains the items
    uint32_t groups[RF_BVH_LEVELS];
    uint32_t first[RF_BVH_LEVELS]; // the number of a level's first group
    uint32_t all_groups;
    uint32_t *items;         // by number: the item, if it is a lane of level 0
    uint32_t *order;         // by lane of level 0: a part of items
    uint32_t *below;         // by group: the number of its first lane
    float *rows;             // each group's six rows; aligned to a cache line
    uint32_t *queue;         // for walks
    uint32_t queue_capacity; // entries of the queue, apart from the lanes of one more group; at least all numbers
    float cost;              // the extent of level 1, now and when the order was new
    float cost_when_sorted;
    void *block; // the memory of all rows
    size_t block_size, items_size, below_size, queue_size;
} rf_bvh;

// A swept shape, for the tree; one cache line. It meets a box's side at x at t = x * inverse + enter (or leave).
// Instead of enlarging boxes, the start is moved: differently for low and for high sides.
typedef struct rf_bvh_query {
    float enter[4], leave[4], inverse[4]; // the fourth is unused
    float limit;                          // hits after this t do not matter
    uint16_t enter_row[3],
        leave_row[3]; // the rows of a group that have the sides by which the sweep enters and leaves boxes
} rf_bvh_query;

// What a walk has found, in the order of its queries; valid until the next walk.
typedef struct rf_bvh_found {
    const uint32_t *entries;
    uint32_t count;
    bool full; // the queue was too small for so many queries; it is always large enough for one
} rf_bvh_found;

static inline uint32_t rf_bvh_entry_query(uint32_t entry) {
    return entry >> RF_BVH_NUMBER_BITS;
}

static inline uint32_t rf_bvh_entry_item(const rf_bvh *bvh, uint32_t entry) {
    return bvh->items[entry & ((UINT32_C(1) << RF_BVH_NUMBER_BITS) - 1)];
}

// One for each instruction set.
typedef struct rf_bvh_ops {
    // Does not set limit. Boxes and start are moved apart by more than all rounding errors of this and of the final
    // test.
    void (*query)(rf_bvh_query *query, const rf_sweep *sweep);
    // Finds the items that each of up to RF_BVH_QUERIES queries may meet. The tree must not be empty.
    rf_bvh_found (*walk)(const rf_bvh *bvh, const rf_bvh_query *queries, uint32_t count);
} rf_bvh_ops;

void rf_bvh_free(rf_bvh *bvh, rf_mem *mem);
// Builds the tree for items 0 to count - 1. False when out of memory; the tree is then empty.
bool rf_bvh_build(rf_bvh *bvh, rf_mem *mem, uint32_t count, rf_bvh_source source);
// Updates the tree after its items have moved. Without memory for a new order, it gets slower but stays correct.
void rf_bvh_refit(rf_bvh *bvh, rf_mem *mem, rf_bvh_source source);

// Writes a box to a lane, rounded outwards.
static inline void rf_bvh_lane(float *rows, uint32_t lane, const double low[3], const double high[3]) {
    for (uint32_t i = 0; i < 3; i++) {
        double below = low[i] < 0 ? low[i] * (1 + 0x1p-22) : low[i] * (1 - 0x1p-22);
        double above = high[i] < 0 ? high[i] * (1 - 0x1p-22) : high[i] * (1 + 0x1p-22);
        rows[i * RF_BVH_WIDTH + lane] = (float)below;
        rows[(i + 3) * RF_BVH_WIDTH + lane] = (float)above;
    }
}

#endif
