// decimals.h: numbers as text with a fixed number of decimals. Inline, because most of what is encoded are these.
#ifndef RF_CORE_DECIMALS_H
#define RF_CORE_DECIMALS_H

#include "bits.h"
#include "varint.h"
#include <roomfold/json.h>

#define RF_ZEROS UINT64_C(0x3030303030303030)

// The eight digits of a number below 10^8, as bytes: all at once, halving the width of the parts three times.
static inline uint64_t rf_eight_digits(uint64_t value) {
    uint64_t fours = value / 10000 | value % 10000 << 32;
    uint64_t hundreds = (fours * 10486 >> 20) & UINT64_C(0x0000007f0000007f);
    uint64_t twos = hundreds | (fours - hundreds * 100) << 16;
    uint64_t tens = (twos * 103 >> 10) & UINT64_C(0x000f000f000f000f);
    return (tens | (twos - tens * 10) << 8) + RF_ZEROS;
}

// From 10^8 on, and where one side of the point has all eight digits.
size_t rf_decimals_write_large(char *out, uint64_t value, unsigned decimals);

// The digits of both sides of the point are made at once.
static inline size_t rf_decimals_write_small(char *out, uint64_t value, unsigned decimals) {
    uint64_t digits = rf_eight_digits(value), part = (digits ^ RF_ZEROS) >> (64 - 8 * decimals);
    uint64_t first = (digits ^ RF_ZEROS) | UINT64_C(1) << (56 - 8 * decimals); // the last one before the point stays
    uint32_t lead = rf_low_bit(first) / 8, whole = 8 - decimals - lead;
    rf_store64((uint8_t *)out, digits >> 8 * lead);
    if (part == 0) return whole;
    out[whole] = '.';
    rf_store64((uint8_t *)out + whole + 1, digits >> (64 - 8 * decimals));
    return whole + 1 + decimals - (uint32_t)__builtin_clzll(part << (64 - 8 * decimals)) / 8; // no zeros at the end
}

// rf_json_write_decimals.
static inline size_t rf_decimals_write(char *out, double value, unsigned decimals) {
    static const double units[RF_JSON_DECIMALS_MAX + 1] = {1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8};
    const double round = 0x1.8p52, limit = 0x1p51; // adding and taking away rounds to an integer, ties to even
    double scaled = value * units[decimals];
    int64_t integer;
    uint64_t sign, size;
    if (!(scaled > -limit && scaled < limit)) return rf_json_write_f64(out, value, value > 0x1p53 || value < -0x1p53);
    integer = (int64_t)(scaled + round - round);
    sign = (uint64_t)(integer >> 63);
    size = ((uint64_t)integer ^ sign) - sign;
    *out = '-';
    out += sign & 1;
    if (size >= 100000000 || decimals - 1 >= 7) return (sign & 1) + rf_decimals_write_large(out, size, decimals);
    return (sign & 1) + rf_decimals_write_small(out, size, decimals);
}

#endif
