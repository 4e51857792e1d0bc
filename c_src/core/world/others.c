#include "others.h"

#include "base/str.h"

rf_other *rf_other_new(rf_mem *mem, rf_str name, rf_str value) {
    rf_other *other = rf_mem_alloc(mem, sizeof *other + name.len + value.len);
    if (!other) return NULL;
    *other = (rf_other){.value_len = (uint32_t)value.len,
                        .capacity = (uint32_t)value.len,
                        .name_len = (uint8_t)name.len,
                        .present = true};
    memcpy(other->bytes, name.data, name.len);
    if (value.len > 0) memcpy(other->bytes + name.len, value.data, value.len);
    return other;
}

void rf_other_free(rf_mem *mem, rf_other *other) {
    if (other) rf_mem_free(mem, other, sizeof *other + other->name_len + other->capacity);
}

uint32_t rf_others_find(const rf_others *others, rf_str name, bool *found) {
    uint32_t low = 0, high = others ? others->count : 0;
    *found = false;
    while (low < high) {
        uint32_t middle = (low + high) / 2;
        int order = rf_str_cmp(rf_other_name(others->items[middle]), name);
        if (order == 0) {
            *found = true;
            return middle;
        }
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static size_t bytes(uint32_t capacity) {
    return sizeof(rf_others) + capacity * sizeof(rf_other *);
}

bool rf_others_reserve(rf_others **others, rf_mem *mem, uint32_t more) {
    rf_others *old = *others, *grown;
    uint32_t count = old ? old->count : 0, capacity = old ? old->capacity : 0;
    if (more == 0 || (old && capacity - count >= more)) return true;
    while (capacity < count + more) capacity = capacity < 2 ? count + more : capacity * 2;
    grown = rf_mem_resize(mem, old, old ? bytes(old->capacity) : 0, bytes(capacity));
    if (!grown) return false;
    if (!old) grown->count = grown->live = 0;
    grown->capacity = capacity;
    *others = grown;
    return true;
}

void rf_others_insert(rf_others *others, uint32_t at, rf_other *other) {
    memmove(others->items + at + 1, others->items + at, (others->count - at) * sizeof *others->items);
    others->items[at] = other;
    others->count++;
    others->live += other->present;
}

void rf_others_erase(rf_others *others, rf_mem *mem, uint32_t at) {
    others->live -= others->items[at]->present;
    rf_other_free(mem, others->items[at]);
    others->count--;
    memmove(others->items + at, others->items + at + 1, (others->count - at) * sizeof *others->items);
}

void rf_others_purge(rf_others *others, rf_mem *mem, uint32_t before) {
    uint32_t kept = 0;
    if (others->live == others->count) return;
    for (uint32_t i = 0; i < others->count; i++) {
        rf_other *other = others->items[i];
        if (other->present || other->stamp >= before)
            others->items[kept++] = other;
        else
            rf_other_free(mem, other);
    }
    others->count = kept;
}

void rf_others_free(rf_others *others, rf_mem *mem) {
    if (!others) return;
    for (uint32_t i = 0; i < others->count; i++) rf_other_free(mem, others->items[i]);
    rf_mem_free(mem, others, bytes(others->capacity));
}

bool rf_others_copy(rf_others **to, const rf_others *from, rf_mem *mem) {
    *to = NULL;
    if (!from || from->count == 0) return true;
    if (!rf_others_reserve(to, mem, from->count)) return false;
    for (uint32_t i = 0; i < from->count; i++) {
        rf_other *other = rf_other_new(mem, rf_other_name(from->items[i]), rf_other_value(from->items[i]));
        if (!other) {
            rf_others_free(*to, mem);
            *to = NULL;
            return false;
        }
        other->stamp = from->items[i]->stamp;
        other->present = from->items[i]->present;
        rf_others_insert(*to, i, other);
    }
    return true;
}
