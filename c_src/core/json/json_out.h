// json_out.h: JSON text that grows up to a limit.
#ifndef RF_CORE_JSON_OUT_H
#define RF_CORE_JSON_OUT_H

#include "base/buf.h"
#include "base/str.h"
#include <roomfold/json.h>
#include <roomfold/schema.h>

typedef struct rf_json_out {
    rf_buf text;
    size_t limit;     // 0: none
    rf_status status; // the first error; nothing is written after it
} rf_json_out;

// Room for that many more bytes, to be written at rf_json_out_at; false after an error.
bool rf_json_out_grow(rf_json_out *out, size_t more);

static inline bool rf_json_out_room(rf_json_out *out, size_t more) {
    return (out->status == RF_OK && out->text.capacity - out->text.len >= more) || rf_json_out_grow(out, more);
}

static inline char *rf_json_out_at(rf_json_out *out) {
    return (char *)out->text.data + out->text.len;
}

static inline void rf_json_out_byte(rf_json_out *out, char byte) {
    if (rf_json_out_room(out, 1)) out->text.data[out->text.len++] = (uint8_t)byte;
}

// A float also when it is read back.
static inline void rf_json_out_number(rf_json_out *out, double number) {
    if (rf_json_out_room(out, RF_JSON_FLOAT_ROOM))
        out->text.len += rf_json_write_f64(rf_json_out_at(out), number, true);
}

void rf_json_out_text(rf_json_out *out, rf_str text);
void rf_json_out_uint(rf_json_out *out, uint64_t value);
// Numbers as a list, each a float also when it is read back.
void rf_json_out_numbers(rf_json_out *out, const double *numbers, unsigned count);
// A string in quotes. What comes from a world is valid UTF-8; anything else that isn't is RF_INVALID_UTF8.
void rf_json_out_string(rf_json_out *out, rf_str value);
// Any value, from its compact form.
void rf_json_out_term(rf_json_out *out, rf_str term);

// The bytes that a value of this type may take; 0 for strings and terms, which have no fixed room.
size_t rf_json_value_room(const rf_component_def *def);
// Writes a value as a column keeps it; answers where it ends. Needs the room above.
typedef char *(*rf_json_writer)(char *at, const rf_component_def *def, const uint8_t *value);
// What writes the values of this type; NULL for strings and terms.
rf_json_writer rf_json_writer_of(const rf_component_def *def);

#endif
