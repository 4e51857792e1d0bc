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

typedef bool (*hit_order)(const rf_hit *a, const rf_hit *b);

#define SORT_NAME sort_hits
#define SORT_ITEM rf_hit
#define SORT_CONTEXT hit_order
#define SORT_BEFORE(context, a, b) context(a, b)
#include "base/heapsort.inl"

void rf_hits_sort(rf_hit *hits, size_t count, bool (*before)(const rf_hit *, const rf_hit *)) {
    sort_hits(before, hits, count);
}
