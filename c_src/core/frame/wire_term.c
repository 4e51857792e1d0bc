// wire_term.c: reads and validates terms from untrusted sources. Only the canonical form is accepted, because in a
// world equal values must have equal bytes.
#include "json/builder.h"
#include "base/str.h"
#include "wire_in.h"
#include <math.h>

typedef struct level {
    uint64_t left; // values
    bool map;
    rf_str key; // the previous key
} level;

static bool narrow(double value) {
    float binary32 = (float)value;
    double back = (double)binary32;
    return memcmp(&back, &value, sizeof back) == 0;
}

static bool scalar(rf_wire_in *in, uint8_t tag) {
    double value;
    uint32_t bits;
    switch (tag) {
    case RF_TAG_NULL:
    case RF_TAG_FALSE:
    case RF_TAG_TRUE:
        return true;
    case RF_TAG_INT:
        rf_wire_get_varint(in);
        return true;
    case RF_TAG_F32:
        if (!rf_wire_has(in, 32)) return false;
        bits = rf_load32(rf_wire_here(in));
        if ((bits & 0x7f800000) == 0x7f800000) return rf_wire_fail(in, RF_INVALID_FRAME);
        in->at += 32;
        return true;
    case RF_TAG_F64:
        value = rf_wire_get_f64(in);
        if (!isfinite(value) || narrow(value)) return rf_wire_fail(in, RF_INVALID_FRAME);
        return true;
    case RF_TAG_STRING:
        rf_wire_get_text(in);
        return true;
    default:
        return rf_wire_fail(in, RF_INVALID_FRAME);
    }
}

static bool key(rf_wire_in *in, level *at, bool first) {
    rf_str text = rf_wire_get_text(in);
    if (in->status != RF_OK) return false;
    if (!first && rf_str_cmp(at->key, text) >= 0) return rf_wire_fail(in, RF_INVALID_FRAME);
    at->key = text;
    return true;
}

// Opens a list or a map; false on an error.
static bool open_level(rf_wire_in *in, level *levels, uint32_t *depth, bool map) {
    uint64_t count = rf_wire_get_varint(in);
    if (in->status != RF_OK) return false;
    if (*depth == RF_TERM_DEPTH) return rf_wire_fail(in, RF_TOO_DEEP);
    // Each value has at least one byte.
    if (count > (in->size - in->at) / 8) return rf_wire_fail(in, RF_INVALID_FRAME);
    levels[(*depth)++] = (level){.left = count, .map = map};
    return count == 0 || !map || key(in, &levels[*depth - 1], true);
}

static void walk(rf_wire_in *in) {
    level levels[RF_TERM_DEPTH];
    uint32_t depth = 0;
    do {
        uint8_t tag = rf_wire_get_u8(in);
        bool nested = tag == RF_TAG_LIST || tag == RF_TAG_MAP;
        if (in->status != RF_OK) return;
        if (!(nested ? open_level(in, levels, &depth, tag == RF_TAG_MAP) : scalar(in, tag))) return;
        if (nested && levels[depth - 1].left > 0) continue;
        // A value has ended, and perhaps also the levels around it.
        if (nested) depth--;
        while (depth > 0 && --levels[depth - 1].left == 0) depth--;
        if (depth > 0 && levels[depth - 1].map && !key(in, &levels[depth - 1], false)) return;
    } while (depth > 0 && in->status == RF_OK);
}

rf_str rf_wire_get_term(rf_wire_in *in) {
    const uint8_t *start = rf_wire_here(in);
    walk(in);
    if (in->status != RF_OK) return (rf_str){0};
    return (rf_str){(const char *)start, (size_t)(rf_wire_here(in) - start)};
}

bool rf_term_canonical(rf_str bytes) {
    rf_wire_in in = rf_wire_read(bytes);
    rf_wire_get_term(&in);
    return in.status == RF_OK && in.at == in.size;
}
