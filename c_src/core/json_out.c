#include "json_out.h"

#include "decimals.h"
#include <roomfold/term.h>
#include <roomfold/world.h>

#define EXACT_MAX 0x1p53

bool rf_json_out_grow(rf_json_out *out, size_t more) {
    if (out->status != RF_OK) return false;
    // Room that is asked for is an upper bound: only what is written counts.
    if (out->limit > 0 && out->text.len > out->limit)
        out->status = RF_TOO_LARGE;
    else if (!rf_buf_reserve(&out->text, more))
        out->status = RF_NO_MEMORY;
    return out->status == RF_OK;
}

void rf_json_out_text(rf_json_out *out, rf_str text) {
    if (rf_json_out_room(out, text.len)) rf_buf_bytes(&out->text, text.data, text.len);
}

void rf_json_out_uint(rf_json_out *out, uint64_t value) {
    if (rf_json_out_room(out, RF_JSON_INT_ROOM))
        out->text.len += rf_json_write_int(rf_json_out_at(out), (int64_t)value); // a seq, below 2^53
}

void rf_json_out_string(rf_json_out *out, rf_str value) {
    size_t len;
    if (value.len > (SIZE_MAX - 2) / 6 || !rf_json_out_room(out, RF_JSON_STRING_ROOM(value.len))) return;
    len = rf_json_write_string(rf_json_out_at(out), value);
    if (len == 0) out->status = RF_INVALID_UTF8;
    out->text.len += len;
}

static void scalar(rf_json_out *out, const rf_term *term) {
    switch (term->kind) {
    case RF_TERM_NULL:
        rf_json_out_text(out, RF_LIT("null"));
        break;
    case RF_TERM_FALSE:
        rf_json_out_text(out, RF_LIT("false"));
        break;
    case RF_TERM_TRUE:
        rf_json_out_text(out, RF_LIT("true"));
        break;
    case RF_TERM_INT:
        if (rf_json_out_room(out, RF_JSON_INT_ROOM))
            out->text.len += rf_json_write_int(rf_json_out_at(out), term->as.integer);
        break;
    case RF_TERM_FLOAT:
        if (rf_json_out_room(out, RF_JSON_FLOAT_ROOM))
            out->text.len += rf_json_write_f64(rf_json_out_at(out), term->as.number, true);
        break;
    case RF_TERM_STRING:
        rf_json_out_string(out, term->as.string);
        break;
    case RF_TERM_LIST:
    case RF_TERM_MAP:
    case RF_TERM_END:
        break;
    }
}

void rf_json_out_term(rf_json_out *out, rf_str term) {
    uint64_t left[RF_DEPTH_MAX]; // values of each open list or map that are still to come
    uint64_t maps = 0;           // a bit per level: map or list
    unsigned depth = 0;
    rf_term_reader reader;
    rf_term_read(&reader, term);
    for (;;) {
        rf_term head = rf_term_next(&reader);
        bool first = false;
        if (head.kind == RF_TERM_LIST || head.kind == RF_TERM_MAP) {
            rf_json_out_byte(out, head.kind == RF_TERM_MAP ? '{' : '[');
            maps = maps << 1 | (head.kind == RF_TERM_MAP);
            left[depth++] = head.as.count;
            first = true;
        } else {
            scalar(out, &head);
        }
        for (; depth > 0 && left[depth - 1] == 0; depth--, maps >>= 1, first = false)
            rf_json_out_byte(out, maps & 1 ? '}' : ']');
        if (depth == 0 || out->status != RF_OK) return;
        left[depth - 1]--;
        if (!first) rf_json_out_byte(out, ',');
        if (maps & 1) {
            rf_json_out_string(out, rf_term_key(&reader));
            rf_json_out_byte(out, ':');
        }
    }
}

// ---- values of fixed size -----------------------------------------------------------------------

size_t rf_json_value_room(const rf_component_def *def) {
    switch (def->type) {
    case RF_TYPE_F32:
    case RF_TYPE_F64:
        return def->count * (RF_JSON_FLOAT_ROOM + 1u) + 2;
    case RF_TYPE_I64:
        return RF_JSON_INT_ROOM;
    case RF_TYPE_BOOL:
        return 5;
    case RF_TYPE_STRING:
    case RF_TYPE_TERM:
        break;
    }
    return 0;
}

static inline char *write_number(char *at, const rf_component_def *def, const uint8_t *value, unsigned i) {
    double number;
    float narrow = 0;
    bool keep; // ".0": as an integer it could not be read back
    if (def->type == RF_TYPE_F32) {
        memcpy(&narrow, value + i * sizeof narrow, sizeof narrow);
        number = (double)narrow;
    } else {
        memcpy(&number, value + i * sizeof number, sizeof number);
    }
    if (def->fixed) return at + rf_decimals_write(at, number, def->decimals);
    keep = number > EXACT_MAX || number < -EXACT_MAX;
    return at + (def->type == RF_TYPE_F32 ? rf_json_write_f32(at, narrow, keep) : rf_json_write_f64(at, number, keep));
}

static char *write_fixed_f32(char *at, const uint8_t *value, unsigned count, unsigned decimals) {
    for (unsigned i = 0; i < count; i++) {
        float number;
        memcpy(&number, value + i * sizeof number, sizeof number);
        *at++ = i == 0 ? '[' : ',';
        at += rf_decimals_write(at, (double)number, decimals);
    }
    *at++ = ']';
    return at;
}

static char *write_numbers(char *at, const rf_component_def *def, const uint8_t *value) {
    if (def->count == 1) return write_number(at, def, value, 0);
    if (def->fixed && def->type == RF_TYPE_F32) return write_fixed_f32(at, value, def->count, def->decimals);
    for (unsigned i = 0; i < def->count; i++) {
        *at++ = i == 0 ? '[' : ',';
        at = write_number(at, def, value, i);
    }
    *at++ = ']';
    return at;
}

char *rf_json_write_value(char *at, const rf_component_def *def, const uint8_t *value) {
    int64_t integer;
    switch (def->type) {
    case RF_TYPE_F32:
    case RF_TYPE_F64:
        return write_numbers(at, def, value);
    case RF_TYPE_I64:
        memcpy(&integer, value, sizeof integer);
        return at + rf_json_write_int(at, integer);
    case RF_TYPE_BOOL:
        memcpy(at, *value ? "true" : "false", 5);
        return at + (*value ? 4 : 5);
    case RF_TYPE_STRING:
    case RF_TYPE_TERM:
        break;
    }
    return at;
}
