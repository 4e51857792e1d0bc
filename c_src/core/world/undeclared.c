#include "undeclared.h"

#include "base/str.h"

rf_undeclared *rf_undeclared_new(rf_mem *mem, rf_str name, rf_str value) {
    rf_undeclared *component = rf_mem_alloc(mem, sizeof *component + name.len + value.len);
    if (!component) return NULL;
    *component = (rf_undeclared){.value_len = (uint32_t)value.len,
                                 .capacity = (uint32_t)value.len,
                                 .name_len = (uint8_t)name.len,
                                 .present = true};
    memcpy(component->bytes, name.data, name.len);
    if (value.len > 0) memcpy(component->bytes + name.len, value.data, value.len);
    return component;
}

void rf_undeclared_free(rf_mem *mem, rf_undeclared *component) {
    if (component) rf_mem_free(mem, component, sizeof *component + component->name_len + component->capacity);
}

uint32_t rf_undeclared_find(const rf_undeclared_list *list, rf_str name, bool *found) {
    uint32_t low = 0, high = list ? list->count : 0;
    *found = false;
    while (low < high) {
        uint32_t middle = (low + high) / 2;
        int order = rf_str_cmp(rf_undeclared_name(list->items[middle]), name);
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
    return sizeof(rf_undeclared_list) + capacity * sizeof(rf_undeclared *);
}

bool rf_undeclared_reserve(rf_undeclared_list **list, rf_mem *mem, uint32_t more) {
    rf_undeclared_list *old = *list, *grown;
    uint32_t count = old ? old->count : 0, capacity = old ? old->capacity : 0;
    if (more == 0 || (old && capacity - count >= more)) return true;
    while (capacity < count + more) capacity = capacity < 2 ? count + more : capacity * 2;
    grown = rf_mem_resize(mem, old, old ? bytes(old->capacity) : 0, bytes(capacity));
    if (!grown) return false;
    if (!old) grown->count = grown->live = 0;
    grown->capacity = capacity;
    *list = grown;
    return true;
}

void rf_undeclared_insert(rf_undeclared_list *list, uint32_t at, rf_undeclared *component) {
    memmove(list->items + at + 1, list->items + at, (list->count - at) * sizeof *list->items);
    list->items[at] = component;
    list->count++;
    list->live += component->present;
}

void rf_undeclared_erase(rf_undeclared_list *list, rf_mem *mem, uint32_t at) {
    list->live -= list->items[at]->present;
    rf_undeclared_free(mem, list->items[at]);
    list->count--;
    memmove(list->items + at, list->items + at + 1, (list->count - at) * sizeof *list->items);
}

void rf_undeclared_purge(rf_undeclared_list *list, rf_mem *mem, uint32_t before) {
    uint32_t kept = 0;
    if (list->live == list->count) return;
    for (uint32_t i = 0; i < list->count; i++) {
        rf_undeclared *component = list->items[i];
        if (component->present || component->stamp >= before)
            list->items[kept++] = component;
        else
            rf_undeclared_free(mem, component);
    }
    list->count = kept;
}

void rf_undeclared_list_free(rf_undeclared_list *list, rf_mem *mem) {
    if (!list) return;
    for (uint32_t i = 0; i < list->count; i++) rf_undeclared_free(mem, list->items[i]);
    rf_mem_free(mem, list, bytes(list->capacity));
}

bool rf_undeclared_list_copy(rf_undeclared_list **to, const rf_undeclared_list *from, rf_mem *mem) {
    *to = NULL;
    if (!from || from->count == 0) return true;
    if (!rf_undeclared_reserve(to, mem, from->count)) return false;
    for (uint32_t i = 0; i < from->count; i++) {
        rf_undeclared *component =
            rf_undeclared_new(mem, rf_undeclared_name(from->items[i]), rf_undeclared_value(from->items[i]));
        if (!component) {
            rf_undeclared_list_free(*to, mem);
            *to = NULL;
            return false;
        }
        component->stamp = from->items[i]->stamp;
        component->present = from->items[i]->present;
        rf_undeclared_insert(*to, i, component);
    }
    return true;
}
