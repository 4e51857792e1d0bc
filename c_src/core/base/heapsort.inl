// heapsort.inl: a sort in place, which needs no memory and has no bad case; not stable (Williams, Algorithm 232:
// Heapsort, 1964). The includer defines SORT_NAME (of the function), SORT_ITEM (the type of an item), SORT_CONTEXT (a
// type) and SORT_BEFORE(context, a, b): whether item *a comes before *b. They are undefined again.

#define SORT_JOINED(a, b) a##_##b
#define SORT_PART(name, part) SORT_JOINED(name, part)

// Moves the root of a heap down to its place.
static void SORT_PART(SORT_NAME, sift)(SORT_CONTEXT context, SORT_ITEM *items, size_t root, size_t count) {
    (void)context;
    for (;;) {
        size_t child = 2 * root + 1;
        SORT_ITEM swap;
        if (child >= count) return;
        if (child + 1 < count && SORT_BEFORE(context, &items[child], &items[child + 1])) child++;
        if (!SORT_BEFORE(context, &items[root], &items[child])) return;
        swap = items[root];
        items[root] = items[child];
        items[child] = swap;
        root = child;
    }
}

static void SORT_NAME(SORT_CONTEXT context, SORT_ITEM *items, size_t count) {
    for (size_t i = count / 2; i-- > 0;) SORT_PART(SORT_NAME, sift)(context, items, i, count);
    for (size_t left = count; left > 1;) {
        SORT_ITEM swap = items[0];
        left--;
        items[0] = items[left];
        items[left] = swap;
        SORT_PART(SORT_NAME, sift)(context, items, 0, left);
    }
}

#undef SORT_JOINED
#undef SORT_PART
#undef SORT_NAME
#undef SORT_ITEM
#undef SORT_CONTEXT
#undef SORT_BEFORE
