// morton.h: items along a space-filling curve (Morton 1966; for trees of boxes: Lauterbach et al., Fast BVH
// Construction on GPUs, 2009, and Karras, Maximizing Parallelism in the Construction of BVHs, 2012).
#ifndef RF_CORE_MORTON_H
#define RF_CORE_MORTON_H

#include <roomfold/base.h>

typedef struct rf_morton_item {
    uint32_t code;
    uint32_t item;
} rf_morton_item;

// A cube of 1024 cells each way around all middles.
typedef struct rf_morton_grid {
    float low[3], high[3], scale;
} rf_morton_grid;

void rf_morton_grid_init(rf_morton_grid *grid);
void rf_morton_grid_add(rf_morton_grid *grid, uint32_t axis, float low, float high);
void rf_morton_grid_finish(rf_morton_grid *grid);
uint32_t rf_morton_code(const rf_morton_grid *grid, const float middle[3]);
// Of an interval that may be infinite.
float rf_morton_middle(float low, float high);

// By code, and by place where codes are equal. spare has room for count items too.
void rf_morton_sort(rf_morton_item *items, rf_morton_item *spare, uint32_t count);

#endif
