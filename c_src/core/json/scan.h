// scan.h: scans the tokens of JSON text: white space, strings, numbers and words. The grammar is up to the caller.
// docs/event-model.md defines the positions of errors ("Syntax errors in JSON text").
#ifndef RF_CORE_SCAN_H
#define RF_CORE_SCAN_H

#include "base/arena.h"
#include "base/bits.h"
#include "number.h"
#include "base/varint.h"
#include <roomfold/status.h>

typedef struct rf_scan {
    const char *begin, *at, *end;
    rf_status status;     // RF_OK, or the first error
    const char *error_at; // its position
} rf_scan;

typedef struct rf_number {
    enum {
        RF_NUMBER_INT,
        RF_NUMBER_BIG, // an integer beyond 64 bits
        RF_NUMBER_FLOAT,
        RF_NUMBER_INFINITE, // not an integer, and too large for binary64
    } kind;
    int64_t integer; // of INT
    double real;     // of FLOAT
    rf_str text;
} rf_number;

// The text must outlive the scan.
static inline rf_scan rf_scan_start(rf_str text) {
    const char *begin = text.len > 0 ? text.data : "";
    return (rf_scan){.begin = begin, .at = begin, .end = begin + text.len};
}

// Keeps the first error. Returns false.
bool rf_scan_fail(rf_scan *scan, rf_status status, const char *at);
// Fails with RF_UNEXPECTED_BYTE or, at the end of the text, RF_UNEXPECTED_END.
bool rf_scan_unexpected(rf_scan *scan, const char *at);

static inline void rf_scan_space(rf_scan *scan) {
    const char *at = scan->at;
    while (at < scan->end && (*at == ' ' || *at == '\n' || *at == '\r' || *at == '\t')) at++;
    scan->at = at;
}

// Moves past white space and then this byte.
static inline bool rf_scan_expect(rf_scan *scan, char byte) {
    rf_scan_space(scan);
    if (scan->at >= scan->end || *scan->at != byte) return rf_scan_unexpected(scan, scan->at);
    scan->at++;
    return true;
}

bool rf_scan_literal(rf_scan *scan, const char *word, size_t len);

// Continues with the string that starts at scan->at; everything before `at` is plain ASCII.
bool rf_scan_string_rest(rf_scan *scan, rf_arena *arena, const char *at, rf_str *out);
// Any number.
bool rf_scan_number_rest(rf_scan *scan, rf_number *out);

// Finds the first byte that is not plain ASCII of a string: a quote, a backslash, a control character, or beyond ASCII.
// Its high bit is the lowest bit set in the result; 0 if there is none. Comparisons of eight bytes in a word as in
// Anderson, Bit Twiddling Hacks, "Determine if a word has a byte less than n", 2005.
static inline uint64_t rf_scan_run_end(uint64_t bytes) {
    const uint64_t ones = UINT64_C(0x0101010101010101);
    uint64_t control = bytes - ones * 0x20, quote = (bytes ^ ones * '"') - ones, slash = (bytes ^ ones * '\\') - ones;
    // Bytes beyond ASCII keep their high bit in at least one of them.
    return (control | quote | slash) & ones * 0x80;
}

// scan->at is at the opening quote, and afterwards after the closing one. *out points into the text if the string has
// no escapes, otherwise into the arena.
static inline bool rf_scan_string(rf_scan *scan, rf_arena *arena, rf_str *out) {
    const char *start = scan->at + 1, *at = start;
    while (scan->end - at >= 8) {
        uint64_t stop = rf_scan_run_end(rf_load64((const uint8_t *)at));
        if (stop != 0) {
            at += rf_low_bit(stop) / 8;
            if (*at != '"') break;
            *out = (rf_str){.data = start, .len = (size_t)(at - start)};
            scan->at = at + 1;
            return true;
        }
        at += 8;
    }
    return rf_scan_string_rest(scan, arena, at, out);
}

// How many of the eight bytes, from the first on, are digits.
static inline uint32_t rf_scan_digits(uint64_t bytes) {
    const uint64_t ones = UINT64_C(0x0101010101010101);
    uint64_t values = bytes ^ ones * '0', others = (values | (values + ones * 0x76)) & ones * 0x80;
    return others == 0 ? 8 : rf_low_bit(others) / 8;
}

// The number in the first `count` bytes, 1 to 8, which must be digits. Combines neighbouring digits in three steps
// (Lemire, "Quickly parsing eight digits", 2018).
static inline uint32_t rf_scan_digits_value(uint64_t bytes, uint32_t count) {
    const uint64_t mask = UINT64_C(0x000000ff000000ff);
    uint64_t values = (bytes ^ UINT64_C(0x3030303030303030)) << (64 - 8 * count);
    values = values * 10 + (values >> 8);
    values = (values & mask) * UINT64_C(0x000f424000000064) + ((values >> 16) & mask) * UINT64_C(0x0000271000000001);
    return (uint32_t)(values >> 32);
}

// Moves scan->at past the number; "01" is the number 0, followed by something else.
static inline bool rf_scan_number(rf_scan *scan, rf_number *out) {
    // Fast path for most numbers in events: up to seven digits, optionally a point and up to seven more.
    static const double pow10[8] = {1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7};
    static const uint32_t int_pow10[8] = {1, 10, 100, 1000, 10000, 100000, 1000000, 10000000};
    const char *at = scan->at;
    bool negative;
    uint64_t bytes, value;
    uint32_t whole, part;
    if (!RF_NUMBER_IEEE || scan->end - at < 24) return rf_scan_number_rest(scan, out);
    negative = *at == '-';
    at += negative;
    bytes = rf_load64((const uint8_t *)at);
    whole = rf_scan_digits(bytes);
    if (whole == 0 || whole == 8 || (*at == '0' && whole != 1)) return rf_scan_number_rest(scan, out);
    value = rf_scan_digits_value(bytes, whole);
    at += whole;
    if (*at == '.') {
        bytes = rf_load64((const uint8_t *)at + 1);
        part = rf_scan_digits(bytes);
        if (part == 0 || part == 8 || (at[1 + part] | 0x20) == 'e') return rf_scan_number_rest(scan, out);
        at += 1 + part;
        out->kind = RF_NUMBER_FLOAT;
        out->real = (double)(value * int_pow10[part] + rf_scan_digits_value(bytes, part)) / pow10[part];
        if (negative) out->real = -out->real;
    } else {
        if ((*at | 0x20) == 'e') return rf_scan_number_rest(scan, out);
        out->kind = RF_NUMBER_INT;
        out->integer = negative ? -(int64_t)value : (int64_t)value;
    }
    out->text = (rf_str){.data = scan->at, .len = (size_t)(at - scan->at)};
    scan->at = at;
    return true;
}

#endif
