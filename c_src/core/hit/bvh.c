#include "bvh.h"

#include "bvh_ops.h"
#include "curve.h"
#include <math.h>

#define ALIGNMENT 64
#define GROUP_SIZE (RF_BVH_WIDTH * 6 * sizeof(float))
// Additional entries of a queue, for several queries at once.
#define SPARE_ENTRIES 4096
// A level of up to this many groups is scanned.
#define TOP_GROUPS 8
// Level 1 may grow by this factor before the items are sorted again.
#define REBUILD_GROWTH 1.25F

void rf_bvh_free(rf_bvh *bvh, rf_mem *mem) {
    rf_mem_free(mem, bvh->block, bvh->block_size);
    rf_mem_free(mem, bvh->items, bvh->items_size);
    rf_mem_free(mem, bvh->below, bvh->below_size);
    rf_mem_free(mem, bvh->queue, bvh->queue_size);
    *bvh = (rf_bvh){0};
}

// Determines the levels and the numbers of groups.
static void lay_out(rf_bvh *bvh, uint32_t count) {
    uint32_t left = count;
    *bvh = (rf_bvh){.count = count};
    do {
        left = left / RF_BVH_WIDTH + (left % RF_BVH_WIDTH != 0);
        bvh->groups[bvh->levels++] = left;
    } while (left > TOP_GROUPS);
    for (uint32_t level = bvh->levels; level-- > 0;) {
        bvh->first[level] = bvh->all_groups;
        bvh->all_groups += bvh->groups[level];
    }
}

static bool allocate(rf_bvh *bvh, rf_mem *mem, uint32_t count) {
    size_t lanes;
    lay_out(bvh, count);
    lanes = (size_t)bvh->groups[0] * RF_BVH_WIDTH;
    bvh->block_size = bvh->all_groups * GROUP_SIZE + ALIGNMENT;
    bvh->block = rf_mem_alloc(mem, bvh->block_size);
    bvh->items_size = (bvh->all_groups + lanes) * sizeof *bvh->items;
    bvh->items = rf_mem_alloc(mem, bvh->items_size);
    bvh->below_size = bvh->all_groups * sizeof *bvh->below;
    bvh->below = rf_mem_alloc(mem, bvh->below_size);
    bvh->queue_capacity = bvh->all_groups + (uint32_t)lanes + SPARE_ENTRIES;
    bvh->queue_size = ((size_t)bvh->queue_capacity + RF_BVH_WIDTH) * sizeof *bvh->queue;
    bvh->queue = rf_mem_alloc(mem, bvh->queue_size);
    if (!bvh->block || !bvh->items || !bvh->below || !bvh->queue) {
        rf_bvh_free(bvh, mem);
        return false;
    }
    bvh->order = bvh->items + bvh->all_groups;
    bvh->rows = (float *)(void *)((char *)bvh->block + (ALIGNMENT - (uintptr_t)bvh->block % ALIGNMENT) % ALIGNMENT);
    for (uint32_t level = 0; level < bvh->levels; level++)
        for (uint32_t i = 0; i < bvh->groups[level]; i++)
            bvh->below[bvh->first[level] + i] = (level ? bvh->first[level - 1] : bvh->all_groups) + i * RF_BVH_WIDTH;
    return true;
}

static float *group_rows(const rf_bvh *bvh, uint32_t level, uint32_t group) {
    return bvh->rows + (size_t)(bvh->first[level] + group) * RF_BVH_WIDTH * 6;
}

// Makes lanes empty, so that no sweep meets them.
static void clear_lanes(float *rows, uint32_t from) {
    for (uint32_t row = 0; row < 6; row++)
        for (uint32_t lane = from; lane < RF_BVH_WIDTH; lane++)
            rows[row * RF_BVH_WIDTH + lane] = row < 3 ? INFINITY : -INFINITY;
}

static void fit_items(rf_bvh *bvh, rf_bvh_source source) {
    for (uint32_t group = 0; group < bvh->groups[0]; group++) {
        uint32_t first = group * RF_BVH_WIDTH, left = bvh->count - first;
        uint32_t count = left < RF_BVH_WIDTH ? left : RF_BVH_WIDTH;
        float *rows = group_rows(bvh, 0, group);
        source.bounds(source.context, bvh->order + first, count, rows);
        if (count < RF_BVH_WIDTH) clear_lanes(rows, count);
    }
}

static float extreme(const float *row, uint32_t width, bool highest) {
    float out = row[0];
    for (uint32_t lane = 1; lane < width; lane++)
        if (highest ? row[lane] > out : row[lane] < out) out = row[lane];
    return out;
}

// Fits each level to the one below. The cost is how likely a sweep meets the boxes of level 1.
static void fit_groups(rf_bvh *bvh) {
    const uint32_t width = RF_BVH_WIDTH;
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
        if (below % width != 0) clear_lanes(group_rows(bvh, level, bvh->groups[level] - 1), below % width);
    }
}

// Sorts the items along the curve, by the middles of their boxes.
static bool sort_items(rf_bvh *bvh, rf_mem *mem) {
    rf_curve_grid grid;
    size_t size = (size_t)bvh->count * 2 * sizeof(rf_curve_item);
    rf_curve_item *items = rf_mem_alloc(mem, size);
    if (!items) return false;
    rf_curve_grid_init(&grid);
    for (uint32_t i = 0; i < bvh->count; i++) {
        const float *rows = group_rows(bvh, 0, i / RF_BVH_WIDTH) + i % RF_BVH_WIDTH;
        for (uint32_t axis = 0; axis < 3; axis++)
            rf_curve_grid_add(&grid, axis, rows[axis * RF_BVH_WIDTH], rows[(axis + 3) * RF_BVH_WIDTH]);
    }
    rf_curve_grid_finish(&grid);
    for (uint32_t i = 0; i < bvh->count; i++) {
        const float *rows = group_rows(bvh, 0, i / RF_BVH_WIDTH) + i % RF_BVH_WIDTH;
        float middle[3];
        for (uint32_t axis = 0; axis < 3; axis++)
            middle[axis] = rf_curve_middle(rows[axis * RF_BVH_WIDTH], rows[(axis + 3) * RF_BVH_WIDTH]);
        items[i] = (rf_curve_item){rf_curve_code(&grid, middle), bvh->order[i]};
    }
    rf_curve_sort(items, items + bvh->count, bvh->count);
    for (uint32_t i = 0; i < bvh->count; i++) bvh->order[i] = items[i].item;
    rf_mem_free(mem, items, size);
    return true;
}

static bool sort_and_fit(rf_bvh *bvh, rf_mem *mem, rf_bvh_source source) {
    bool renewed = bvh->levels == 1 || sort_items(bvh, mem);
    if (renewed && bvh->levels > 1) fit_items(bvh, source);
    fit_groups(bvh);
    bvh->cost_when_sorted = bvh->cost;
    return renewed;
}

bool rf_bvh_build(rf_bvh *bvh, rf_mem *mem, uint32_t count, rf_bvh_source source) {
    if (bvh->count != count) {
        rf_bvh_free(bvh, mem);
        if (count == 0) return true;
        if (!allocate(bvh, mem, count)) return false;
        for (uint32_t i = 0; i < bvh->groups[0] * RF_BVH_WIDTH; i++) bvh->order[i] = i < count ? i : 0;
    }
    if (count == 0) return true;
    fit_items(bvh, source);
    if (sort_and_fit(bvh, mem, source)) return true;
    rf_bvh_free(bvh, mem);
    return false;
}

void rf_bvh_refit(rf_bvh *bvh, rf_mem *mem, rf_bvh_source source) {
    if (bvh->count == 0) return;
    fit_items(bvh, source);
    fit_groups(bvh);
    if (bvh->levels > 1 && !(bvh->cost <= bvh->cost_when_sorted * REBUILD_GROWTH)) sort_and_fit(bvh, mem, source);
}

// The rounding of enter and leave is less than the slack of the start.
void rf_bvh_query_plain(rf_bvh_query *query, const rf_sweep *sweep) {
    double spread = 0, longest = 0, pad;
    for (int i = 0; i < 3; i++) {
        double start = fabs(sweep->origin[i]), length = fabs(sweep->translation[i]);
        spread = start > spread ? start : spread;
        longest = length > longest ? length : longest;
    }
    pad = (spread + longest) * 0x1p-21 + sweep->radius * 0x1p-20 + 1e-12;
    for (uint32_t i = 0; i < 3; i++) {
        double reach = sweep->half[i] + sweep->radius;
        double wide = pad + reach * 0x1p-21;
        bool still = fabs(sweep->translation[i]) < 1e-20;
        float inverse = still ? 1e20F : (float)sweep->inverse[i];
        float starts[2] = {-(float)(sweep->origin[i] + reach + wide), -(float)(sweep->origin[i] - reach - wide)};
        uint32_t back = inverse < 0; // an index instead of a branch: a shot's direction is unpredictable
        query->enter[i] = starts[back] * inverse;
        query->leave[i] = starts[1 - back] * inverse;
        query->inverse[i] = inverse;
        query->enter_row[i] = (uint16_t)((i + 3 * back) * RF_BVH_WIDTH);
        query->leave_row[i] = (uint16_t)((i + 3 - 3 * back) * RF_BVH_WIDTH);
    }
}
