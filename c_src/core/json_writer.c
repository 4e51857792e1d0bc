#include <roomfold/json.h>
#include <string.h>

#include "number.h"
#include "scan.h"
#include "utf8.h"

// ---- Numbers

static const char pairs[] =
    "0001020304050607080910111213141516171819202122232425262728293031323334353637383940414243444546474849"
    "5051525354555657585960616263646566676869707172737475767778798081828384858687888990919293949596979899";

static void write_pair(char *out, uint32_t value) {
    memcpy(out, pairs + 2 * (size_t)value, 2);
}

static void write_quad(char *out, uint32_t value) {
    write_pair(out, value / 100);
    write_pair(out + 2, value % 100);
}

static uint32_t count_digits(uint64_t value) {
    static const uint64_t pow10[] = {0,
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
    uint32_t bits = 64 - (uint32_t)__builtin_clzll(value | 1);
    uint32_t guess = bits * 1233 >> 12; // bits × log10(2): right, or one digit short
    return guess + (value >= pow10[guess]);
}

// Writes the last `count` digits of the value.
static void write_digits(char *out, uint64_t value, uint32_t count) {
    uint32_t rest;
    for (; count >= 8; count -= 8, value /= 100000000) {
        uint32_t low = (uint32_t)(value % 100000000);
        write_quad(out + count - 8, low / 10000);
        write_quad(out + count - 4, low % 10000);
    }
    rest = (uint32_t)value;
    for (; count >= 2; count -= 2, rest /= 100) write_pair(out + count - 2, rest % 100);
    if (count > 0) *out = (char)('0' + rest % 10);
}

static size_t write_unsigned(char *out, uint64_t value) {
    uint32_t count = count_digits(value);
    write_digits(out, value, count);
    return count;
}

size_t rf_json_write_int(char *out, int64_t value) {
    if (value >= 0) return write_unsigned(out, (uint64_t)value);
    *out = '-';
    return 1 + write_unsigned(out + 1, 0 - (uint64_t)value);
}

static size_t write_zeros(char *out, size_t count) {
    memset(out, '0', count);
    return count;
}

static size_t write_scientific(char *out, rf_decimal decimal, uint32_t count) {
    int32_t exponent = decimal.exponent + (int32_t)count - 1;
    size_t len = count > 1 ? count + 1 : 1;
    write_digits(out + 1, decimal.digits, count);
    out[0] = out[1];
    out[1] = '.';
    out[len++] = 'e';
    out[len++] = exponent < 0 ? '-' : '+';
    return len + write_unsigned(out + len, (uint64_t)(exponent < 0 ? -exponent : exponent));
}

// ECMAScript's Number::toString for base 10; `point` is n there.
static size_t write_decimal(char *out, rf_decimal decimal, bool keep_float) {
    uint32_t count = count_digits(decimal.digits);
    int32_t point = decimal.exponent + (int32_t)count;
    size_t len = 0;
    if (point < -5 || point > 21) return write_scientific(out, decimal, count);
    if (point <= 0) {
        memcpy(out, "0.", 2);
        len = 2 + write_zeros(out + 2, (size_t)-point);
        write_digits(out + len, decimal.digits, count);
        return len + count;
    }
    if (decimal.exponent < 0) {
        write_digits(out + 1, decimal.digits, count);
        memmove(out, out + 1, (size_t)point);
        out[point] = '.';
        return count + 1;
    }
    write_digits(out, decimal.digits, count);
    len = count + write_zeros(out + count, (size_t)decimal.exponent);
    if (!keep_float) return len;
    memcpy(out + len, ".0", 2);
    return len + 2;
}

static size_t write_zero(char *out, bool negative, bool keep_float) {
    const char *text = negative ? "-0.0" : keep_float ? "0.0" : "0";
    size_t len = strlen(text);
    memcpy(out, text, len);
    return len;
}

size_t rf_json_write_f64(char *out, double value, bool keep_float) {
    bool negative = value < 0;
    if (value == 0) return write_zero(out, 1 / value < 0, keep_float);
    *out = '-';
    return negative + write_decimal(out + negative, rf_number_shortest_f64(negative ? -value : value), keep_float);
}

size_t rf_json_write_f32(char *out, float value, bool keep_float) {
    bool negative = value < 0;
    if (value == 0) return write_zero(out, 1 / value < 0, keep_float);
    *out = '-';
    return negative + write_decimal(out + negative, rf_number_shortest_f32(negative ? -value : value), keep_float);
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
        // Copies eight bytes and keeps as many as need no escape; each byte has room for six.
        while (end - at >= 8) {
            uint64_t stop = rf_scan_run_end(rf_load64((const uint8_t *)at));
            size_t run = stop == 0 ? 8 : rf_low_bit(stop) / 8;
            memcpy(out, at, 8);
            out += run;
            at += run;
            if (run < 8) break;
        }
        if (at == end) break;
        if ((uint8_t)*at < 0x20 || *at == '"' || *at == '\\') {
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
