#include "tally.h"

#include <stdlib.h>
#include <string.h>

// FNV-1a
static uint64_t hash_of(const tally *of, rf_str text) {
    uint64_t hash = UINT64_C(14695981039346656037) ^ of->seed;
    for (size_t i = 0; i < text.len; i++) hash = (hash ^ (unsigned char)text.data[i]) * UINT64_C(1099511628211);
    return hash ^ hash >> 32;
}

static bool rehash(tally *of) {
    size_t count = of->slot_count ? of->slot_count * 2 : 64;
    uint32_t *slots = calloc(count, sizeof *slots);
    if (!slots) return false;
    for (size_t i = 0; i < of->count; i++) {
        size_t at = of->entries[i].hash & (count - 1);
        while (slots[at]) at = (at + 1) & (count - 1);
        slots[at] = (uint32_t)i + 1;
    }
    free(of->slots);
    of->slots = slots;
    of->slot_count = count;
    return true;
}

static bool insert(tally *of, rf_str text, uint64_t hash, size_t slot) {
    char *copy;
    if (of->count == of->capacity) {
        size_t capacity = of->capacity ? of->capacity * 2 : 32;
        tally_entry *entries = realloc(of->entries, capacity * sizeof *entries);
        if (!entries) return false;
        of->entries = entries;
        of->capacity = capacity;
    }
    copy = malloc(text.len + 1);
    if (!copy) return false;
    if (text.len > 0) memcpy(copy, text.data, text.len);
    of->entries[of->count++] = (tally_entry){.text = copy, .len = text.len, .count = 1, .hash = hash};
    of->slots[slot] = (uint32_t)of->count;
    return true;
}

bool tally_add(tally *of, rf_str text) {
    uint64_t hash = hash_of(of, text);
    size_t at;
    if (of->count * 2 >= of->slot_count && !rehash(of)) return false;
    for (at = hash & (of->slot_count - 1); of->slots[at]; at = (at + 1) & (of->slot_count - 1)) {
        tally_entry *entry = &of->entries[of->slots[at] - 1];
        if (entry->hash != hash || entry->len != text.len || memcmp(entry->text, text.data, text.len) != 0) continue;
        entry->count++;
        return true;
    }
    if (of->count < TALLY_MAX) return insert(of, text, hash, at);
    of->others++;
    return true;
}

static int compare(const void *left, const void *right) {
    const tally_entry *a = left, *b = right;
    int order;
    if (a->count != b->count) return a->count > b->count ? -1 : 1;
    order = memcmp(a->text, b->text, a->len < b->len ? a->len : b->len);
    return order != 0 ? order : (a->len > b->len) - (a->len < b->len);
}

void tally_sort(tally *of) {
    if (of->count > 0) qsort(of->entries, of->count, sizeof *of->entries, compare);
}

void tally_free(tally *of) {
    for (size_t i = 0; i < of->count; i++) free(of->entries[i].text);
    free(of->entries);
    free(of->slots);
    *of = (tally){0};
}
