// bvh_walk.inl: the walk through the tree, compiled once per instruction set. The includer defines TARGET (an
// attribute), MEET (a mask of the lanes of a group that a query may meet) and EXPAND (writes first + lane for each lane
// of a mask, and may write up to RF_BVH_WIDTH numbers; returns how many are valid).
//
// Breadth first, for several queries at once with a common queue: consecutive tests do not depend on each other, and
// only one branch per walk is hard to predict (where only items are left), not one per query, level or group.

TARGET static rf_bvh_found walk(const rf_bvh *bvh, const rf_bvh_query *queries, uint32_t count) {
    const uint32_t numbers = (UINT32_C(1) << RF_BVH_NUMBER_BITS) - 1, groups = bvh->all_groups, queue_capacity = bvh->queue_capacity;
    const uint32_t *below = bvh->below;
    const float *rows = bvh->rows;
    uint32_t *queue = bvh->queue, at = 0, end = 0, top = bvh->groups[bvh->levels - 1];
    for (uint32_t i = 0; i < count; i++) end += EXPAND((1u << top) - 1, i << RF_BVH_NUMBER_BITS, queue + end);
    for (; at < end; at++) {
        uint32_t entry = queue[at], number = entry & numbers, mask;
        if (number >= groups) break;
        mask = MEET(queries + (entry >> RF_BVH_NUMBER_BITS), rows + (size_t)number * (RF_BVH_WIDTH * 6));
        end += EXPAND(mask, entry - number + below[number], queue + end);
        if (end > queue_capacity) return (rf_bvh_found){.full = true};
    }
    return (rf_bvh_found){.entries = queue + at, .count = end - at};
}
