// json_out.h: writes JSON text into a buffer, up to a limit.
#ifndef RF_CORE_JSON_OUT_H
#define RF_CORE_JSON_OUT_H

#include "base/buf.h"
#include "base/str.h"
#include <roomfold/json.h>
#include <roomfold/schema.h>

typedef struct rf_json_out {
    rf_buf text;
    size_t limit;     // bytes; 0: none
    rf_status status; // RF_OK, or the first error, after which nothing is written
} rf_json_out;

// Reserves `more` bytes at rf_json_out_at; false after an error.
bool rf_json_out_grow(rf_json_out *out, size_t more);

static inline bool rf_json_out_reserve(rf_json_out *out, size_t more) {
    return (out->status == RF_OK && out->text.capacity - out->text.len >= more) || rf_json_out_grow(out, more);
}

static inline char *rf_json_out_at(rf_json_out *out) {
    return (char *)out->text.data + out->text.len;
}

static inline void rf_json_out_byte(rf_json_out *out, char byte) {
    if (rf_json_out_reserve(out, 1)) out->text.data[out->text.len++] = (uint8_t)byte;
}

// Keeps ".0", so that it reads back as a float.
static inline void rf_json_out_number(rf_json_out *out, double number) {
    if (rf_json_out_reserve(out, RF_JSON_FLOAT_ROOM))
        out->text.len += rf_json_write_f64(rf_json_out_at(out), number, true);
}

void rf_json_out_text(rf_json_out *out, rf_str text);
void rf_json_out_uint(rf_json_out *out, uint64_t value);
// A list of numbers, each as rf_json_out_number.
void rf_json_out_numbers(rf_json_out *out, const double *numbers, unsigned count);
// A quoted string. RF_INVALID_UTF8: it is not valid UTF-8 (a world's strings always are).
void rf_json_out_string(rf_json_out *out, rf_str value);
// Any value, given as a term.
void rf_json_out_term(rf_json_out *out, rf_str term);

// The most bytes that a value of this type takes; 0 for strings and terms, which have no limit.
size_t rf_json_value_max(const rf_component_def *def);
// Writes a value from a column, of at most that many bytes; returns its end.
typedef char *(*rf_json_writer)(char *at, const rf_component_def *def, const uint8_t *value);
// The writer for values of this type; NULL for strings and terms.
rf_json_writer rf_json_writer_of(const rf_component_def *def);

#endif
