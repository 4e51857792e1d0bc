#include "bvh.h"

#include "curve.h"
#include <math.h>

#define ALIGNMENT 64
// Up to so many groups a level is just gone through.
#define TOP_GROUPS 8
// Level 1 may grow so much before the items are put into a new order.
#define WORN 1.25F

void rf_bvh_free(rf_bvh *bvh, rf_mem *mem) {
    rf_mem_free(mem, bvh->block, bvh->block_size);
    rf_mem_free(mem, bvh->order, bvh->order_size);
    for (int i = 0; i < 2; i++) rf_mem_free(mem, bvh->lists[i], bvh->list_size);
    *bvh = (rf_bvh){0};
}

static bool allocate(rf_bvh *bvh, rf_mem *mem, uint32_t width, uint32_t count) {
    size_t group_size = (size_t)width * 6 * sizeof(float), groups = 0, at;
    uint32_t left = count;
    *bvh = (rf_bvh){.count = count, .width = width};
    do {
        left = left / width + (left % width != 0);
        bvh->groups[bvh->levels++] = left;
        groups += left;
    } while (left > TOP_GROUPS);
    if (groups > (SIZE_MAX - ALIGNMENT) / group_size) return false;
    bvh->block_size = groups * group_size + ALIGNMENT;
    bvh->block = rf_mem_alloc(mem, bvh->block_size);
    bvh->order_size = (size_t)bvh->groups[0] * width * sizeof *bvh->order;
    bvh->order = rf_mem_alloc(mem, bvh->order_size);
    bvh->list_size = ((size_t)bvh->groups[0] + width) * sizeof **bvh->lists;
    for (int i = 0; i < 2; i++) bvh->lists[i] = rf_mem_alloc(mem, bvh->list_size);
    if (!bvh->block || !bvh->order || !bvh->lists[0] || !bvh->lists[1]) {
        rf_bvh_free(bvh, mem);
        return false;
    }
    at = (ALIGNMENT - (uintptr_t)bvh->block % ALIGNMENT) % ALIGNMENT;
    for (uint32_t i = 0; i < bvh->levels; i++) {
        bvh->rows[i] = (float *)(void *)((char *)bvh->block + at);
        at += bvh->groups[i] * group_size;
    }
    return true;
}

static float *group_rows(const rf_bvh *bvh, uint32_t level, uint32_t group) {
    return bvh->rows[level] + (size_t)group * bvh->width * 6;
}

// Lanes without anything can't be met by any sweep.
static void clear_lanes(const rf_bvh *bvh, float *rows, uint32_t from) {
    for (uint32_t row = 0; row < 6; row++)
        for (uint32_t lane = from; lane < bvh->width; lane++)
            rows[row * bvh->width + lane] = row < 3 ? INFINITY : -INFINITY;
}

static void fit_items(rf_bvh *bvh, rf_bvh_source source) {
    for (uint32_t group = 0; group < bvh->groups[0]; group++) {
        uint32_t first = group * bvh->width, left = bvh->count - first;
        uint32_t count = left < bvh->width ? left : bvh->width;
        float *rows = group_rows(bvh, 0, group);
        source.bounds(source.context, bvh->order + first, count, rows, bvh->width);
        if (count < bvh->width) clear_lanes(bvh, rows, count);
    }
}

static float extreme(const float *row, uint32_t width, bool highest) {
    float out = row[0];
    for (uint32_t lane = 1; lane < width; lane++)
        if (highest ? row[lane] > out : row[lane] < out) out = row[lane];
    return out;
}

// Level by level from the one below. What level 1 costs: how likely a sweep meets each of its boxes.
static void fit_groups(rf_bvh *bvh) {
    uint32_t width = bvh->width;
    bvh->cost = 0;
    for (uint32_t level = 1; level < bvh->levels; level++) {
        uint32_t below = bvh->groups[level - 1];
        for (uint32_t child = 0; child < below; child++) {
            const float *from = group_rows(bvh, level - 1, child);
            float *rows = group_rows(bvh, level, child / width);
            for (uint32_t row = 0; row < 6; row++)
                rows[row * width + child % width] = extreme(from + row * width, width, row >= 3);
            if (level == 1)
                for (uint32_t row = 0; row < 3; row++)
                    bvh->cost += rows[(row + 3) * width + child % width] - rows[row * width + child % width];
        }
        if (below % width != 0) clear_lanes(bvh, group_rows(bvh, level, bvh->groups[level] - 1), below % width);
    }
}

// Codes along the curve, from the boxes' middles.
static bool renew_order(rf_bvh *bvh, rf_mem *mem) {
    rf_curve_grid grid;
    size_t size = (size_t)bvh->count * 2 * sizeof(rf_curve_item);
    rf_curve_item *items = rf_mem_alloc(mem, size);
    if (!items) return false;
    rf_curve_grid_init(&grid);
    for (uint32_t i = 0; i < bvh->count; i++) {
        const float *rows = group_rows(bvh, 0, i / bvh->width) + i % bvh->width;
        for (uint32_t axis = 0; axis < 3; axis++)
            rf_curve_grid_add(&grid, axis, rows[axis * bvh->width], rows[(axis + 3) * bvh->width]);
    }
    rf_curve_grid_finish(&grid);
    for (uint32_t i = 0; i < bvh->count; i++) {
        const float *rows = group_rows(bvh, 0, i / bvh->width) + i % bvh->width;
        float middle[3];
        for (uint32_t axis = 0; axis < 3; axis++)
            middle[axis] = rf_curve_middle(rows[axis * bvh->width], rows[(axis + 3) * bvh->width]);
        items[i] = (rf_curve_item){rf_curve_code(&grid, middle), bvh->order[i]};
    }
    rf_curve_sort(items, items + bvh->count, bvh->count);
    for (uint32_t i = 0; i < bvh->count; i++) bvh->order[i] = items[i].item;
    rf_mem_free(mem, items, size);
    return true;
}

static bool put_in_order(rf_bvh *bvh, rf_mem *mem, rf_bvh_source source) {
    bool renewed = bvh->levels == 1 || renew_order(bvh, mem);
    if (renewed && bvh->levels > 1) fit_items(bvh, source);
    fit_groups(bvh);
    bvh->cost_then = bvh->cost;
    return renewed;
}

bool rf_bvh_build(rf_bvh *bvh, rf_mem *mem, const rf_bvh_ops *ops, uint32_t count, rf_bvh_source source) {
    if (bvh->count != count || bvh->width != ops->width) {
        rf_bvh_free(bvh, mem);
        if (count == 0) return true;
        if (!allocate(bvh, mem, ops->width, count)) return false;
        for (uint32_t i = 0; i < bvh->groups[0] * bvh->width; i++) bvh->order[i] = i < count ? i : 0;
    }
    if (count == 0) return true;
    fit_items(bvh, source);
    if (put_in_order(bvh, mem, source)) return true;
    rf_bvh_free(bvh, mem);
    return false;
}

void rf_bvh_refit(rf_bvh *bvh, rf_mem *mem, rf_bvh_source source) {
    if (bvh->count == 0) return;
    fit_items(bvh, source);
    fit_groups(bvh);
    if (bvh->levels > 1 && !(bvh->cost <= bvh->cost_then * WORN)) put_in_order(bvh, mem, source);
}
