// str.h: compares strings.
#ifndef RF_CORE_STR_H
#define RF_CORE_STR_H

#include <roomfold/base.h>
#include <string.h>

#define RF_LIT(literal) ((rf_str){.data = (literal), .len = sizeof(literal) - 1})

// Inline, since most strings have only a few bytes: two loads, which may overlap.
static inline bool rf_str_eq(rf_str a, rf_str b) {
    uint64_t x, y, u, v;
    if (a.len != b.len) return false;
    if (a.len >= 8) {
        memcpy(&x, a.data, 8);
        memcpy(&y, b.data, 8);
        if (x != y) return false;
        if (a.len > 16) return memcmp(a.data + 8, b.data + 8, a.len - 8) == 0;
        memcpy(&u, a.data + a.len - 8, 8);
        memcpy(&v, b.data + b.len - 8, 8);
        return u == v;
    }
    x = y = u = v = 0;
    if (a.len >= 4) {
        memcpy(&x, a.data, 4);
        memcpy(&y, b.data, 4);
        memcpy(&u, a.data + a.len - 4, 4);
        memcpy(&v, b.data + b.len - 4, 4);
        return x == y && u == v;
    }
    for (size_t i = 0; i < a.len; i++)
        if (a.data[i] != b.data[i]) return false;
    return true;
}

// In byte order; a prefix comes first.
static inline int rf_str_cmp(rf_str a, rf_str b) {
    size_t len = a.len < b.len ? a.len : b.len;
    int order = len == 0 ? 0 : memcmp(a.data, b.data, len);
    return order != 0 ? order : (a.len > b.len) - (a.len < b.len);
}

#endif
