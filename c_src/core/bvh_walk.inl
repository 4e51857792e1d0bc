// The way through the tree, once for each instruction set. Before it is included: TARGET (an attribute), WIDTH, LANES
// (what is kept of a query in registers), LANES_INIT, MEET (which lanes of a group may be met, as a mask) and EXPAND
// (writes first + lane for each lane of a mask, and may write up to WIDTH numbers; returns how many there are).
//
// Level by level: tests of one level don't wait for one another, and there is one hard-to-predict branch a level rather
// than one a group. Only on the last one does it matter that a hit makes the rest of the way shorter.

TARGET static void walk(const rf_bvh *bvh, rf_bvh_query *query) {
    uint32_t *list = bvh->lists[0], *next = bvh->lists[1], level = bvh->levels - 1, count = bvh->groups[level];
    const float *rows;
    LANES lanes;
    LANES_INIT(&lanes, query);
    for (uint32_t i = 0; i < count; i++) list[i] = i;
    for (; level > 0; level--) {
        uint32_t found = 0, *swap = list;
        rows = bvh->rows[level];
        for (uint32_t i = 0; i < count; i++) {
            uint32_t mask = MEET(&lanes, rows + (size_t)list[i] * (WIDTH * 6), query->limit);
            found += EXPAND(mask, list[i] * WIDTH, next + found);
        }
        list = next;
        next = swap;
        count = found;
    }
    rows = bvh->rows[0];
    for (uint32_t i = 0; i < count; i++) {
        uint32_t group = list[i];
        uint32_t mask = MEET(&lanes, rows + (size_t)group * (WIDTH * 6), query->limit);
        if (mask != 0) query->visit(query, bvh->order + (size_t)group * WIDTH, mask);
    }
}
