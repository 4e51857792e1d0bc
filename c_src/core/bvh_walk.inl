// The way through the tree, once for each instruction set. Before it is included: TARGET (an attribute), WIDTH, LANES
// (what is kept of a query in registers), LANES_INIT and MEET (which lanes of a group may be met, as a mask).

TARGET static void walk(const rf_bvh *bvh, rf_bvh_query *query) {
    uint32_t top = bvh->levels - 1;
    uint32_t masks[RF_BVH_LEVELS], groups[RF_BVH_LEVELS];
    LANES lanes;
    if (bvh->count == 0) return;
    LANES_INIT(&lanes, query);
    for (uint32_t first = 0; first < bvh->groups[top]; first++) {
        uint32_t level = top;
        groups[top] = first;
        masks[top] = MEET(&lanes, bvh->rows[top] + (size_t)first * (WIDTH * 6), query->limit);
        for (;;) {
            uint32_t group = groups[level], mask = masks[level], lane;
            if (mask != 0 && level == 0) query->visit(query, bvh->order + (size_t)group * WIDTH, mask);
            if (mask == 0 || level == 0) {
                if (level == top) break;
                level++;
                continue;
            }
            lane = query->descending ? 31 - (uint32_t)__builtin_clz(mask) : (uint32_t)__builtin_ctz(mask);
            masks[level] = mask & ~(UINT32_C(1) << lane);
            level--;
            groups[level] = group * WIDTH + lane;
            masks[level] = MEET(&lanes, bvh->rows[level] + (size_t)groups[level] * (WIDTH * 6), query->limit);
        }
    }
}
