#include "utf8.h"

#include <roomfold/json.h>

#include "varint.h"

static bool between(uint8_t byte, uint8_t low, uint8_t high) {
    return byte >= low && byte <= high;
}

// The Unicode Standard, table 3-7, "Well-Formed UTF-8 Byte Sequences".
size_t rf_utf8_sequence(const char *begin, const char *end) {
    const uint8_t *at = (const uint8_t *)begin;
    size_t left = (size_t)(end - begin);
    if (left >= 1 && at[0] < 0x80) return 1;
    if (left >= 2 && between(at[0], 0xc2, 0xdf)) return between(at[1], 0x80, 0xbf) ? 2 : 0;
    if (left >= 3 && between(at[0], 0xe0, 0xef)) {
        uint8_t low = at[0] == 0xe0 ? 0xa0 : 0x80, high = at[0] == 0xed ? 0x9f : 0xbf;
        return between(at[1], low, high) && between(at[2], 0x80, 0xbf) ? 3 : 0;
    }
    if (left >= 4 && between(at[0], 0xf0, 0xf4)) {
        uint8_t low = at[0] == 0xf0 ? 0x90 : 0x80, high = at[0] == 0xf4 ? 0x8f : 0xbf;
        return between(at[1], low, high) && between(at[2], 0x80, 0xbf) && between(at[3], 0x80, 0xbf) ? 4 : 0;
    }
    return 0;
}

size_t rf_utf8_check(rf_str bytes) {
    const char *at = bytes.data, *end = at;
    if (bytes.len > 0) end += bytes.len;
    while (at < end) {
        size_t size;
        while (end - at >= 8 && (rf_load64((const uint8_t *)at) & UINT64_C(0x8080808080808080)) == 0) at += 8;
        for (; at < end && (*at & 0x80) == 0; at++) {
        }
        for (; at < end && (*at & 0x80) != 0; at += size) {
            size = rf_utf8_sequence(at, end);
            if (size == 0) return (size_t)(at - bytes.data);
        }
    }
    return bytes.len;
}

bool rf_utf8_valid(rf_str bytes) {
    return rf_utf8_check(bytes) == bytes.len;
}
