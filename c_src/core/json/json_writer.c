// json_writer.c: writes numbers and strings as JSON.
#include <math.h>
#include <roomfold/json.h>
#include <string.h>

#include "decimals.h"
#include "number.h"
#include "scan.h"
#include "base/utf8.h"

// ---- Numbers

static const uint64_t powers_of_ten[] = {1,
                                         10,
                                         100,
                                         1000,
                                         10000,
                                         100000,
                                         1000000,
                                         10000000,
                                         100000000,
                                         1000000000,
                                         10000000000,
                                         100000000000,
                                         1000000000000,
                                         10000000000000,
                                         100000000000000,
                                         1000000000000000,
                                         10000000000000000,
                                         100000000000000000,
                                         1000000000000000000,
                                         10000000000000000000u};

static uint32_t count_digits(uint64_t value) {
    uint32_t bits = 64 - (uint32_t)__builtin_clzll(value | 1);
    uint32_t guess = bits * 1233 >> 12; // bits × log10(2): right, or one digit short
    return guess + ((value | 1) >= powers_of_ten[guess]);
}

// Writes eight digits at a time, so at least eight bytes.
static size_t write_unsigned(char *out, uint64_t value) {
    size_t len = 0, count;
    if (value >= 100000000) {
        len = write_unsigned(out, value / 100000000);
        value %= 100000000;
    }
    count = len > 0 ? 8 : count_digits(value);
    rf_store64((uint8_t *)out + len, rf_eight_digits(value) >> (64 - 8 * count));
    return len + count;
}

size_t rf_json_write_int(char *out, int64_t value) {
    if (value >= 0) return write_unsigned(out, (uint64_t)value);
    *out = '-';
    return 1 + write_unsigned(out + 1, 0 - (uint64_t)value);
}

// 17 digits, enough for every binary64: one, and two words of eight. Padded with zeros.
typedef struct digits17 {
    char first;
    uint64_t next, last;
    uint32_t count; // up to the last digit that is not 0
} digits17;

static digits17 split_digits(uint64_t value, uint32_t count) {
    const uint64_t unit = UINT64_C(10000000000000000);
    digits17 out = {.last = RF_ZEROS, .count = 1};
    if (value < 100000000) {
        uint64_t bytes = rf_eight_digits(value) >> (64 - 8 * count);
        out.first = (char)bytes;
        out.next = bytes >> 8 | RF_ZEROS;
    } else {
        uint64_t scaled = value * powers_of_ten[17 - count], rest = scaled % unit;
        out.first = (char)('0' + scaled / unit);
        rf_sixteen_digits(rest / 100000000, rest % 100000000, &out.next, &out.last);
        if (out.last != RF_ZEROS) {
            out.count = 17 - (uint32_t)__builtin_clzll(out.last ^ RF_ZEROS) / 8;
            return out;
        }
    }
    if (out.next != RF_ZEROS) out.count = 9 - (uint32_t)__builtin_clzll(out.next ^ RF_ZEROS) / 8;
    return out;
}

static void write_digits(char *out, const digits17 *digits) {
    *out = digits->first;
    rf_store64((uint8_t *)out + 1, digits->next);
    rf_store64((uint8_t *)out + 9, digits->last);
}

static size_t write_scientific(char *out, const digits17 *digits, int32_t exponent) {
    size_t len = digits->count > 1 ? digits->count + 1 : 1;
    write_digits(out + 1, digits);
    out[0] = digits->first;
    out[1] = '.';
    out[len++] = 'e';
    out[len++] = exponent < 0 ? '-' : '+';
    if (exponent < 0) exponent = -exponent;
    if (exponent >= 100) out[len++] = (char)('0' + exponent / 100);
    if (exponent >= 10) out[len++] = (char)('0' + exponent / 10 % 10);
    out[len++] = (char)('0' + exponent % 10);
    return len;
}

// Writes a number with at least one digit before the point and one after it.
static size_t write_with_point(char *out, const digits17 *digits, uint32_t point) {
    write_digits(out + 1, digits);
    if (point <= 8) {
        // Written again, since eight bytes were too many. Reading back what was just written would be slower.
        uint32_t before = 8 * (point - 1);
        rf_store64((uint8_t *)out, digits->next << 8 | (uint8_t)digits->first);
        rf_store64((uint8_t *)out + point + 1, digits->next >> before | digits->last << (56 - before) << 8);
        rf_store64((uint8_t *)out + point + 9, digits->last >> before);
    } else {
        memmove(out, out + 1, point);
    }
    out[point] = '.';
    return digits->count + 1;
}

// ECMAScript's Number::toString for base 10; `point` is n there.
static size_t write_decimal(char *out, rf_decimal decimal, bool keep_float) {
    uint32_t given = count_digits(decimal.digits);
    int32_t point = decimal.exponent + (int32_t)given;
    digits17 digits = split_digits(decimal.digits, given);
    if (point < -5 || point > 21) return write_scientific(out, &digits, point - 1);
    if (point <= 0) {
        memcpy(out, "0.000000", 8);
        write_digits(out + 2 - point, &digits);
        return 2 + (size_t)-point + digits.count;
    }
    if (point < (int32_t)digits.count) return write_with_point(out, &digits, (uint32_t)point);
    write_digits(out, &digits);
    memcpy(out + 17, "0000", 4);
    if (!keep_float) return (size_t)point;
    memcpy(out + point, ".0", 2);
    return (size_t)point + 2;
}

static size_t write_zero(char *out, bool negative, bool keep_float) {
    const char *text = negative ? "-0.0" : keep_float ? "0.0" : "0";
    size_t len = strlen(text);
    memcpy(out, text, len);
    return len;
}

size_t rf_json_write_f64(char *out, double value, bool keep_float) {
    bool negative = value < 0;
    if (value == 0) return write_zero(out, signbit(value), keep_float);
    *out = '-';
    return negative + write_decimal(out + negative, rf_number_shortest_f64(fabs(value)), keep_float);
}

size_t rf_json_write_f32(char *out, float value, bool keep_float) {
    bool negative = value < 0;
    if (value == 0) return write_zero(out, signbit(value), keep_float);
    *out = '-';
    return negative + write_decimal(out + negative, rf_number_shortest_f32(fabsf(value)), keep_float);
}

size_t rf_decimals_write_large(char *out, uint64_t value, unsigned decimals) {
    uint64_t unit = powers_of_ten[decimals], part = value % unit;
    size_t len = write_unsigned(out, value / unit);
    if (part == 0) return len;
    out[len++] = '.';
    rf_store64((uint8_t *)out + len, rf_eight_digits(part) >> (64 - 8 * decimals));
    for (len += decimals; out[len - 1] == '0';) len--;
    return len;
}

size_t rf_json_write_decimals(char *out, double value, unsigned decimals) {
    return rf_decimals_write(out, value, decimals);
}

// ---- Strings

static size_t write_escape(char *out, uint8_t byte) {
    static const char letters[32] = {['\b'] = 'b', ['\f'] = 'f', ['\n'] = 'n', ['\r'] = 'r', ['\t'] = 't'};
    static const char hex[] = "0123456789abcdef";
    char letter = byte < 32 ? letters[byte] : (char)byte;
    *out++ = '\\';
    if (letter) {
        *out = letter;
        return 2;
    }
    memcpy(out, "u00", 3);
    out[3] = hex[byte >> 4];
    out[4] = hex[byte & 15];
    return 6;
}

size_t rf_json_write_string(char *out, rf_str value) {
    const char *at = value.data, *end = at;
    char *start = out;
    if (value.len > 0) end += value.len;
    *out++ = '"';
    while (at < end) {
        size_t size = 1;
        // Copies eight bytes and keeps those before the first escape; there is room for six per byte.
        while (end - at >= 8) {
            uint64_t stop = rf_scan_run_end(rf_load64((const uint8_t *)at));
            size_t run = stop == 0 ? 8 : rf_low_bit(stop) / 8;
            memcpy(out, at, 8);
            out += run;
            at += run;
            if (run < 8) break;
        }
        if (at == end) break;
        if ((uint8_t)(*at - 0x20) < 0x60 && *at != '"' && *at != '\\') {
            *out++ = *at;
        } else if ((uint8_t)*at < 0x20 || *at == '"' || *at == '\\') {
            out += write_escape(out, (uint8_t)*at);
        } else {
            size = rf_utf8_sequence(at, end);
            if (size == 0) return 0;
            memcpy(out, at, size);
            out += size;
        }
        at += size;
    }
    *out++ = '"';
    return (size_t)(out - start);
}
