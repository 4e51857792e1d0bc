// scan.h: the parts of JSON text: white space, strings, numbers and words. What may follow what is the
// caller's business. Where an error is, docs/event-model.md says ("Syntax errors in JSON text").
#ifndef RF_CORE_SCAN_H
#define RF_CORE_SCAN_H

#include "base/arena.h"
#include "base/bits.h"
#include "number.h"
#include "base/varint.h"
#include <roomfold/status.h>

typedef struct rf_scan {
    const char *begin, *at, *end;
    rf_status status;     // RF_OK until the first error
    const char *error_at; // of the first error
} rf_scan;

typedef struct rf_number {
    enum {
        RF_NUMBER_INT,
        RF_NUMBER_BIG, // an integer beyond 64 bits
        RF_NUMBER_FLOAT,
        RF_NUMBER_INFINITE, // no integer, and too large for a binary64
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
// For the byte at `at`, or for the end of the text if `at` is that.
bool rf_scan_unexpected(rf_scan *scan, const char *at);

static inline void rf_scan_space(rf_scan *scan) {
    const char *at = scan->at;
    while (at < scan->end && (*at == ' ' || *at == '\n' || *at == '\r' || *at == '\t')) at++;
    scan->at = at;
}

bool rf_scan_literal(rf_scan *scan, const char *word, size_t len);

// Goes on with the string that starts at scan->at; all before `at` is plain ASCII.
bool rf_scan_string_rest(rf_scan *scan, rf_arena *arena, const char *at, rf_str *out);
// Any number.
bool rf_scan_number_rest(rf_scan *scan, rf_number *out);

// The high bit of the first byte in which a run of plain ASCII ends (a quote, a backslash, a control character, the
// start of something beyond ASCII) is the lowest one set; 0 if there is none.
static inline uint64_t rf_scan_run_end(uint64_t bytes) {
    const uint64_t ones = UINT64_C(0x0101010101010101);
    uint64_t control = bytes - ones * 0x20, quote = (bytes ^ ones * '"') - ones, slash = (bytes ^ ones * '\\') - ones;
    // What is beyond ASCII keeps its high bit in at least one of them.
    return (control | quote | slash) & ones * 0x80;
}

// scan->at stands on the opening quote, afterwards behind the closing one. *out points into the text if the string has
// no escapes, else into the arena.
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

// How many of the eight bytes are digits, from the first on.
static inline uint32_t rf_scan_digits(uint64_t bytes) {
    const uint64_t ones = UINT64_C(0x0101010101010101);
    uint64_t values = bytes ^ ones * '0', others = (values | (values + ones * 0x76)) & ones * 0x80;
    return others == 0 ? 8 : rf_low_bit(others) / 8;
}

// The number in the first `count` bytes, 1 to 8, all of them digits: neighbours are put together three times.
static inline uint32_t rf_scan_digits_value(uint64_t bytes, uint32_t count) {
    const uint64_t mask = UINT64_C(0x000000ff000000ff);
    uint64_t values = (bytes ^ UINT64_C(0x3030303030303030)) << (64 - 8 * count);
    values = values * 10 + (values >> 8);
    values = (values & mask) * UINT64_C(0x000f424000000064) + ((values >> 16) & mask) * UINT64_C(0x0000271000000001);
    return (uint32_t)(values >> 32);
}

// Leaves scan->at behind the number: "01" is the number 0, then something else.
static inline bool rf_scan_number(rf_scan *scan, rf_number *out) {
    // Fast for what events have most: up to seven digits, perhaps a point and up to seven more.
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
