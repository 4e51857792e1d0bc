#include "number_list.h"

// A digit has a value of at most 9 here; every other byte has its high bit set afterwards.
#define ONES UINT64_C(0x0101010101010101)
#define NUMBER_MAX 17 // bytes of a number of usual length, with the byte before it

// The divisors of a number's digits, for positive and for negative ones: signs are too unpredictable for a branch.
static const double pow10[2][8] = {{1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7},
                                   {-1e0, -1e1, -1e2, -1e3, -1e4, -1e5, -1e6, -1e7}};

static inline uint64_t non_digits(uint64_t values) {
    return (values | (values + ONES * 0x76)) & ONES * 0x80;
}

// The value of eight digits, the first in the lowest byte, as in rf_scan_digits_value.
static inline uint32_t digits_value(uint64_t values) {
    const uint64_t mask = UINT64_C(0x000000ff000000ff);
    values = values * 10 + (values >> 8);
    return (uint32_t)(((values & mask) * UINT64_C(0x000f424000000064) +
                       ((values >> 16) & mask) * UINT64_C(0x0000271000000001)) >>
                      32);
}

// Reads a number longer than seven bytes, or without a point. Returns its end, or NULL.
static const char *longer_number(const char *at, bool negative, double *out) {
    static const uint32_t int_pow10[8] = {1, 10, 100, 1000, 10000, 100000, 1000000, 10000000};
    uint64_t bytes = rf_load64((const uint8_t *)at);
    uint32_t whole = rf_scan_digits(bytes), part;
    uint64_t value;
    if (whole == 0 || whole == 8) return NULL;
    value = rf_scan_digits_value(bytes, whole);
    at += whole;
    if (*at != '.') {
        *out = (double)value / pow10[negative][0];
        return negative && value == 0 ? NULL : at; // -0 is the integer 0
    }
    bytes = rf_load64((const uint8_t *)at + 1);
    part = rf_scan_digits(bytes);
    if (part == 0 || part == 8) return NULL;
    *out = (double)(value * int_pow10[part] + rf_scan_digits_value(bytes, part)) / pow10[negative][part];
    return at + 1 + part;
}

// Reads any number, such as 0.1234567890123456 or 1e-7. `at` is at the sign, if there is one.
static const char *any_number(const rf_scan *scan, const char *at, double *out) {
    const int64_t exact = INT64_C(1) << 53;
    rf_scan ahead = *scan;
    rf_number number;
    ahead.at = at;
    if (!(*at == '-' || (uint8_t)(*at - '0') < 10) || !rf_scan_number(&ahead, &number)) return NULL;
    if (number.kind == RF_NUMBER_INT && number.integer >= -exact && number.integer <= exact)
        *out = (double)number.integer;
    else if (number.kind == RF_NUMBER_FLOAT)
        *out = number.real;
    else
        return NULL;
    return ahead.at < ahead.end ? ahead.at : NULL;
}

static const char *other_number(const rf_scan *scan, const char *at, bool negative, double *out) {
    const char *behind = longer_number(at, negative, out);
    return behind && (*behind == ',' || *behind == ']') ? behind : any_number(scan, at - negative, out);
}

// Reads digits around a point, at most seven bytes. Returns the value; *len: the bytes, 0 if it is anything else.
static inline double short_number(const char *at, bool negative, uint32_t *len) {
    uint64_t values = rf_load64((const uint8_t *)at) ^ ONES * '0', others = non_digits(values), moved, behind;
    uint32_t point, end; // in bits
    *len = 0;
    if ((others & (others - 1)) == 0) return 0;
    point = rf_low_bit(others) - 7;
    end = rf_low_bit(others & (others - 1)) - 7;
    if (at[point / 8] != '.' || point == 0 || end == point + 8) return 0;
    *len = end / 8;
    // Moves the last digit to the top byte, and the digits before the point up by one byte, over the point.
    values <<= 64 - end;
    moved = values << 8;
    behind = ~UINT64_C(0) << (64 - (end - point - 8));
    return (double)digits_value(moved ^ ((moved ^ values) & behind)) / pow10[negative][(end - point) / 8 - 1];
}

// Whether `count` numbers of usual length can be read without a check for the end.
static inline bool has_bytes(const rf_scan *scan, const char *at, unsigned count) {
    return scan->end - at >= (ptrdiff_t)(count * NUMBER_MAX + 16);
}

bool rf_number_list(rf_scan *scan, unsigned count, double *out) {
    const char *at = scan->at;
    if (!RF_NUMBER_IEEE || !has_bytes(scan, at, count) || *at != '[') return false;
    for (unsigned i = 0; i < count; i++) {
        char behind = i + 1 < count ? ',' : ']';
        bool negative = *++at == '-';
        const char *start = at += negative;
        uint32_t len;
        if ((*at == '0') & ((uint8_t)(at[1] - '0') < 10))
            return false; // one branch instead of two: zeros are unpredictable
        out[i] = short_number(at, negative, &len);
        at += len;
        if (len == 0 || *at != behind) {
            at = other_number(scan, start, negative, &out[i]);
            if (!at || *at != behind || !has_bytes(scan, at, count - i - 1)) return false;
        }
    }
    scan->at = at + 1;
    return true;
}
