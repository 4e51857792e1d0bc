#include "json_out.h"

#include "decimals_four.h"
#include "number.h"
#include <roomfold/term.h>
#include <roomfold/world.h>

#define EXACT_MAX 0x1p53

bool rf_json_out_grow(rf_json_out *out, size_t more) {
    if (out->status != RF_OK) return false;
    // What is reserved is an upper bound: the limit applies to what has been written.
    if (out->limit > 0 && out->text.len > out->limit)
        out->status = RF_TOO_LARGE;
    else if (!rf_buf_reserve(&out->text, more))
        out->status = RF_NO_MEMORY;
    return out->status == RF_OK;
}

void rf_json_out_text(rf_json_out *out, rf_str text) {
    if (rf_json_out_reserve(out, text.len)) rf_buf_bytes(&out->text, text.data, text.len);
}

void rf_json_out_uint(rf_json_out *out, uint64_t value) {
    if (rf_json_out_reserve(out, RF_JSON_INT_ROOM))
        out->text.len += rf_json_write_int(rf_json_out_at(out), (int64_t)value); // a seq, below 2^53
}

void rf_json_out_numbers(rf_json_out *out, const double *numbers, unsigned count) {
    char *at;
    if (!rf_json_out_reserve(out, count * (RF_JSON_FLOAT_ROOM + 1u) + 2)) return;
    at = rf_json_out_at(out);
    for (unsigned i = 0; i < count; i++) {
        *at++ = i == 0 ? '[' : ',';
        at += rf_json_write_f64(at, numbers[i], true);
    }
    *at++ = ']';
    out->text.len = (size_t)(at - (char *)out->text.data);
}

void rf_json_out_string(rf_json_out *out, rf_str value) {
    size_t len;
    if (value.len > (SIZE_MAX - 2) / 6 || !rf_json_out_reserve(out, RF_JSON_STRING_ROOM(value.len))) return;
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
        if (rf_json_out_reserve(out, RF_JSON_INT_ROOM))
            out->text.len += rf_json_write_int(rf_json_out_at(out), term->as.integer);
        break;
    case RF_TERM_FLOAT:
        rf_json_out_number(out, term->as.number);
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
    uint64_t left[RF_DEPTH_MAX]; // how many values each open list or map still has
    uint64_t maps = 0;           // a bit per level: it is a map
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

size_t rf_json_value_max(const rf_component_def *def) {
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

static inline char *write_number(char *at, const rf_component_def *def, const uint8_t *value) {
    double number;
    float narrow = 0;
    bool keep; // ".0": it could not be read back as an integer
    if (def->type == RF_TYPE_F32) {
        memcpy(&narrow, value, sizeof narrow);
        number = (double)narrow;
    } else {
        memcpy(&number, value, sizeof number);
    }
    if (def->fixed) return at + rf_decimals_write(at, number, def->decimals);
    keep = number > EXACT_MAX || number < -EXACT_MAX;
    return at + (def->type == RF_TYPE_F32 ? rf_json_write_f32(at, narrow, keep) : rf_json_write_f64(at, number, keep));
}

static char *write_single(char *at, const rf_component_def *def, const uint8_t *value) {
    return write_number(at, def, value);
}

static char *write_numbers(char *at, const rf_component_def *def, const uint8_t *value) {
    size_t size = def->type == RF_TYPE_F32 ? sizeof(float) : sizeof(double);
    for (unsigned i = 0; i < def->count; i++) {
        *at++ = i == 0 ? '[' : ',';
        at = write_number(at, def, value + i * size);
    }
    *at++ = ']';
    return at;
}

// ---- lists of binary32, up to four at a time ----------------------------------------------------

// Writes numbers of which some are hard.
static char *write_each(char *at, const rf_component_def *def, const rf_four *four, const uint8_t *value,
                        unsigned count, unsigned decimals) {
    for (unsigned i = 0; i < count; i++) {
        if (four->hard >> i & 1) {
            *at = ',';
            at = write_number(at + 1, def, value + i * sizeof(float));
        } else {
            at = rf_four_write_one(at, four, i, decimals);
        }
    }
    return at;
}

// Inlined with constant arguments, this is three times as fast.
#if defined(__GNUC__)
#define INLINE static inline __attribute__((always_inline))
#else
#define INLINE static inline
#endif

INLINE char *write_four(char *at, const rf_component_def *def, const uint8_t *value, unsigned count, unsigned decimals,
                        const rf_four_constants *with) {
    rf_four four;
    rf_four_make(&four, value, count, with, with == &rf_four_shortest);
    if (four.hard != 0) return write_each(at, def, &four, value, count, decimals);
    return rf_four_write(at, &four, count, decimals);
}

// Writes a list of exactly three or four numbers.
INLINE char *write_short_list(char *at, const rf_component_def *def, const uint8_t *value, unsigned count,
                              unsigned decimals, const rf_four_constants *with) {
    char *start = at;
    at = write_four(at, def, value, count, decimals, with);
    *start = '[';
    *at = ']';
    return at + 1;
}

INLINE char *write_list(char *at, const rf_component_def *def, const uint8_t *value, unsigned decimals,
                        const rf_four_constants *with) {
    unsigned left = def->count;
    char *start = at;
    for (; left >= 4; left -= 4, value += 4 * sizeof(float)) at = write_four(at, def, value, 4, decimals, with);
    for (; left > 0; left--, value += sizeof(float)) at = write_four(at, def, value, 1, decimals, with);
    *start = '[';
    *at = ']';
    return at + 1;
}

#define SHORT_LIST(name, count, decimals, with)                                                                        \
    static char *name(char *at, const rf_component_def *def, const uint8_t *value) {                                   \
        return write_short_list(at, def, value, count, decimals, with);                                                \
    }
#define LIST(name, decimals, with)                                                                                     \
    static char *name(char *at, const rf_component_def *def, const uint8_t *value) {                                   \
        return write_list(at, def, value, decimals, with);                                                             \
    }

SHORT_LIST(three_shortest, 3, 4, &rf_four_shortest)
SHORT_LIST(four_shortest, 4, 4, &rf_four_shortest)
LIST(any_shortest, 4, &rf_four_shortest)
LIST(any_fixed_1, 1, &rf_four_fixed[1])
LIST(any_fixed_2, 2, &rf_four_fixed[2])
SHORT_LIST(three_fixed_3, 3, 3, &rf_four_fixed[3])
SHORT_LIST(four_fixed_3, 4, 3, &rf_four_fixed[3])
LIST(any_fixed_3, 3, &rf_four_fixed[3])
SHORT_LIST(three_fixed_4, 3, 4, &rf_four_fixed[4])
SHORT_LIST(four_fixed_4, 4, 4, &rf_four_fixed[4])
LIST(any_fixed_4, 4, &rf_four_fixed[4])
LIST(any_fixed_5, 5, &rf_four_fixed[5])
LIST(any_fixed_6, 6, &rf_four_fixed[6])

static rf_json_writer list_writer(const rf_component_def *def) {
    static const rf_json_writer any[RF_JSON_DECIMALS_MAX + 1] = {
        write_numbers, any_fixed_1, any_fixed_2,   any_fixed_3,   any_fixed_4,
        any_fixed_5,   any_fixed_6, write_numbers, write_numbers,
    };
    if (def->count == 1) return write_single;
    if (def->type != RF_TYPE_F32 || !RF_NUMBER_IEEE) return write_numbers;
    if (!def->fixed) return def->count == 3 ? three_shortest : def->count == 4 ? four_shortest : any_shortest;
    if (def->count == 3 && def->decimals == 3) return three_fixed_3;
    if (def->count == 4 && def->decimals == 3) return four_fixed_3;
    if (def->count == 3 && def->decimals == 4) return three_fixed_4;
    if (def->count == 4 && def->decimals == 4) return four_fixed_4;
    return any[def->decimals];
}

// ---- any value of fixed size --------------------------------------------------------------------

static char *write_integer(char *at, const rf_component_def *def, const uint8_t *value) {
    int64_t integer;
    (void)def;
    memcpy(&integer, value, sizeof integer);
    return at + rf_json_write_int(at, integer);
}

static char *write_bool(char *at, const rf_component_def *def, const uint8_t *value) {
    (void)def;
    memcpy(at, *value ? "true" : "false", 5);
    return at + (*value ? 4 : 5);
}

rf_json_writer rf_json_writer_of(const rf_component_def *def) {
    switch (def->type) {
    case RF_TYPE_F32:
    case RF_TYPE_F64:
        return list_writer(def);
    case RF_TYPE_I64:
        return write_integer;
    case RF_TYPE_BOOL:
        return write_bool;
    case RF_TYPE_STRING:
    case RF_TYPE_TERM:
        break;
    }
    return NULL;
}
