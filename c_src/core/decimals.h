// decimals.h: numbers as text with a fixed number of decimals. Inline, because most of what is encoded are these.
#ifndef RF_CORE_DECIMALS_H
#define RF_CORE_DECIMALS_H

#include "bits.h"
#include "varint.h"
#include <math.h>
#include <roomfold/json.h>
#include <string.h>

#define RF_ZEROS UINT64_C(0x3030303030303030)

// Eight digits are kept as bytes, the first one lowest: as their values (0 to 9) or as text.

// The eight digits of a number below 10^8, as text: all at once, halving the width of the parts three times.
static inline uint64_t rf_eight_digits(uint64_t value) {
    uint64_t fours = value / 10000 | value % 10000 << 32;
    uint64_t hundreds = (fours * 10486 >> 20) & UINT64_C(0x0000007f0000007f);
    uint64_t twos = hundreds | (fours - hundreds * 100) << 16;
    uint64_t tens = (twos * 103 >> 10) & UINT64_C(0x000f000f000f000f);
    return (tens | (twos - tens * 10) << 8) + RF_ZEROS;
}

// From 10^8 on, and for the numbers of decimals that rf_decimals_place is not for.
size_t rf_decimals_write_large(char *out, uint64_t value, unsigned decimals);

// Eight digits (their values), the last `decimals` of them, 1 to 6, behind a point: without the zeros that nobody
// writes. Writes up to 17 bytes; answers where the number ends. No branch: how long numbers are is too random.
static inline char *rf_decimals_place(char *out, uint64_t values, unsigned decimals) {
    uint64_t whole = values | UINT64_C(1) << (56 - 8 * decimals); // the digit before the point stays
    // Without any digit behind the point, it goes too: it counts as one more zero.
    uint64_t part = (__builtin_bswap64(values) & ((UINT64_C(1) << 8 * decimals) - 1)) | UINT64_C(1)
                                                                                            << (8 * decimals + 8);
    uint32_t lead = rf_low_bit(whole) & 0x38, zeros = rf_low_bit(part) / 8;
    if (decimals >= 4)
        rf_store32((uint8_t *)out, ((uint32_t)values | (uint32_t)RF_ZEROS) >> lead);
    else
        rf_store64((uint8_t *)out, (values | RF_ZEROS) >> lead);
    out -= lead / 8;
    out[8 - decimals] = '.';
    values >>= 64 - 8 * decimals;
    if (decimals <= 4)
        rf_store32((uint8_t *)out + 9 - decimals, (uint32_t)values | (uint32_t)RF_ZEROS);
    else
        rf_store64((uint8_t *)out + 9 - decimals, values | RF_ZEROS);
    return out + 9 - zeros;
}

// rf_json_write_decimals.
static inline size_t rf_decimals_write(char *out, double value, unsigned decimals) {
    static const double units[RF_JSON_DECIMALS_MAX + 1] = {1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8};
    const double round = 0x1.8p52, limit = 0x1p51; // adding rounds to an integer, ties to even
    double scaled = value * units[decimals], rounded = scaled + round;
    if (scaled > -99999999.0 && scaled < 99999999.0 && decimals - 1 < 6) {
        uint64_t bits;
        uint32_t low, sign;
        memcpy(&bits, &rounded, sizeof bits); // its lowest bits are the integer
        low = (uint32_t)bits;
        sign = low >> 31;
        *out = '-';
        return (size_t)(rf_decimals_place(out + sign, rf_eight_digits((low ^ (0 - sign)) + sign) ^ RF_ZEROS, decimals) -
                        out);
    }
    if (!(scaled > -limit && scaled < limit)) return rf_json_write_f64(out, value, value > 0x1p53 || value < -0x1p53);
    rounded -= round;
    *out = '-';
    return (rounded < 0) + rf_decimals_write_large(out + (rounded < 0), (uint64_t)fabs(rounded), decimals);
}

#endif
