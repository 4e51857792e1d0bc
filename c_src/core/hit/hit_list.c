#include "hit_list.h"

#include "base/alloc.h"
#include "base/str.h"

rf_hits rf_hits_new(rf_allocator allocator, size_t limit) {
    return (rf_hits){.allocator = allocator, .limit = limit};
}

void rf_hits_free(rf_hits *hits) {
    rf_free(hits->allocator, hits->items);
    hits->items = NULL;
    hits->len = hits->capacity = 0;
}

static rf_status grow(rf_hits *hits) {
    size_t capacity = hits->capacity ? hits->capacity : 16;
    rf_hit *items;
    if (capacity > SIZE_MAX / 2 / sizeof *items) return RF_NO_MEMORY;
    if (hits->capacity) capacity *= 2;
    items = hits->allocator.resize(hits->allocator.context, hits->items, capacity * sizeof *items);
    if (!items) return RF_NO_MEMORY;
    hits->items = items;
    hits->capacity = capacity;
    return RF_OK;
}

rf_status rf_hits_push(rf_hits *hits, const rf_hit *hit) {
    if (hits->len >= hits->limit) return RF_TOO_LARGE;
    if (hits->len == hits->capacity) {
        rf_status status = grow(hits);
        if (status != RF_OK) return status;
    }
    hits->items[hits->len++] = *hit;
    return RF_OK;
}

bool rf_hit_id_before(const rf_hit *a, const rf_hit *b) {
    int order = rf_str_cmp(a->id, b->id);
    return order != 0 ? order < 0 : a->number < b->number;
}

bool rf_hit_before(const rf_hit *a, const rf_hit *b) {
    if (a->t != b->t) return a->t < b->t;
    if (a->kind != b->kind) return a->kind < b->kind;
    return a->kind == RF_HIT_TARGET ? rf_hit_id_before(a, b) : a->number < b->number;
}

static void sift_down(rf_hit *hits, size_t root, size_t count, bool (*before)(const rf_hit *, const rf_hit *)) {
    for (;;) {
        size_t child = 2 * root + 1;
        rf_hit swap;
        if (child >= count) return;
        if (child + 1 < count && before(&hits[child], &hits[child + 1])) child++;
        if (!before(&hits[root], &hits[child])) return;
        swap = hits[root];
        hits[root] = hits[child];
        hits[child] = swap;
        root = child;
    }
}

void rf_hits_sort(rf_hit *hits, size_t count, bool (*before)(const rf_hit *, const rf_hit *)) {
    for (size_t i = count / 2; i-- > 0;) sift_down(hits, i, count, before);
    for (size_t left = count; left > 1;) {
        rf_hit swap = hits[0];
        left--;
        hits[0] = hits[left];
        hits[left] = swap;
        sift_down(hits, 0, left, before);
    }
}
