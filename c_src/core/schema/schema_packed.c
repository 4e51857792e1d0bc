// schema_packed.c: the packed form of a schema, as in snapshots, and its words.
#include "base/alloc.h"
#include "base/error.h"
#include "json/json_term.h"
#include "schema_state.h"
#include "frame/wire_in.h"
#include "frame/wire_out.h"

static rf_status invalid(rf_error *error, rf_str about) {
    return rf_error_set(error, RF_INVALID_SCHEMA, RF_NOWHERE, about);
}

// FNV-1a of 32 bits (Fowler, Noll, Vo), its four bytes put together.
static uint8_t tag_of(const uint8_t *bytes, size_t len) {
    uint32_t hash = UINT32_C(2166136261);
    for (size_t i = 0; i < len; i++) hash = (hash ^ bytes[i]) * UINT32_C(16777619);
    return (uint8_t)(hash ^ hash >> 8 ^ hash >> 16 ^ hash >> 24);
}

static void write_component(rf_wire_out *out, const rf_component_def *def) {
    rf_wire_bytes(out, def->name);
    rf_wire_u8(out, (uint8_t)def->type);
    rf_wire_u8(out, def->count);
    rf_wire_u8(out, def->fixed ? (uint8_t)(def->decimals + 1) : 0);
    rf_wire_u8(out, def->quantise);
    if (def->quantise == RF_QUANTISE_SMALLEST_THREE) rf_wire_u8(out, def->bits);
    if (def->quantise != RF_QUANTISE_STEP) return;
    rf_wire_f64(out, def->step);
    rf_wire_f64(out, def->min);
    rf_wire_f64(out, def->max);
}

// ---- words ------------------------------------------------------------------------------------------

static rf_str text_of(rf_str term) {
    rf_term head = rf_term_head(term);
    return head.kind == RF_TERM_STRING ? head.as.string : (rf_str){0};
}

static int find(const rf_schema *schema, rf_str bytes, bool text) {
    uint32_t at;
    if (!schema->word_table) return -1;
    at = (uint32_t)rf_hash(bytes, text) % RF_WORD_TABLE;
    for (; schema->word_table[at] != 0; at = (at + 1) % RF_WORD_TABLE) {
        const rf_word *word = &schema->words[schema->word_table[at] - 1];
        if (text ? word->text.data && rf_str_eq(word->text, bytes) : rf_str_eq(word->term, bytes))
            return schema->word_table[at] - 1;
    }
    return -1;
}

int rf_schema_word_text(const rf_schema *schema, rf_str text) {
    return find(schema, text, true);
}

int rf_schema_word_term(const rf_schema *schema, rf_str term) {
    return find(schema, term, false);
}

// The words point into packed, after the components.
static bool add_word(rf_schema *schema, rf_str term) {
    rf_word word = {.term = term, .text = text_of(term)};
    rf_str key = word.text.data ? word.text : word.term;
    uint32_t at = (uint32_t)rf_hash(key, word.text.data != NULL) % RF_WORD_TABLE;
    if (find(schema, key, word.text.data != NULL) >= 0) return false;
    schema->words[schema->word_count++] = word;
    while (schema->word_table[at] != 0) at = (at + 1) % RF_WORD_TABLE;
    schema->word_table[at] = (uint16_t)schema->word_count;
    return true;
}

static rf_status add_words(rf_schema *schema, const rf_str *words, size_t count, size_t at, rf_error *error) {
    if (count == 0) return RF_OK;
    schema->words = rf_alloc(schema->allocator, count * sizeof *schema->words);
    schema->word_table = rf_alloc_zero(schema->allocator, RF_WORD_TABLE * sizeof *schema->word_table);
    if (!schema->words || !schema->word_table) return rf_error_set(error, RF_NO_MEMORY, RF_NOWHERE, RF_LIT(""));
    for (size_t i = 0; i < count; i++) {
        if (!add_word(schema, (rf_str){(const char *)schema->packed + at, words[i].len}))
            return invalid(error, RF_LIT("words"));
        at += words[i].len;
    }
    return RF_OK;
}

rf_status rf_schema_pack(rf_schema *schema, const rf_str *words, size_t word_count, rf_error *error) {
    rf_wire_out out = {0};
    size_t first_word;
    if (word_count > RF_WIRE_WORDS_MAX) return invalid(error, RF_LIT("words"));
    rf_buf_init(&out.buf, schema->allocator);
    rf_wire_varint(&out, schema->count);
    for (size_t i = 0; i < schema->count; i++) write_component(&out, &schema->defs[i]);
    rf_wire_varint(&out, word_count);
    first_word = out.buf.len;
    for (size_t i = 0; i < word_count; i++) {
        if (words[i].len > RF_WIRE_WORD_BYTES || !rf_term_canonical(words[i])) {
            rf_buf_free(&out.buf);
            return invalid(error, RF_LIT("words"));
        }
        rf_buf_bytes(&out.buf, words[i].data, words[i].len);
    }
    if (out.buf.failed) {
        rf_buf_free(&out.buf);
        return rf_error_set(error, RF_NO_MEMORY, RF_NOWHERE, RF_LIT(""));
    }
    schema->packed = out.buf.data;
    schema->packed_len = (uint32_t)out.buf.len;
    schema->tag = tag_of(out.buf.data, out.buf.len);
    return add_words(schema, words, word_count, first_word, error);
}

// ---- reading ----------------------------------------------------------------------------------------

static void read_component(rf_wire_in *in, rf_component_def *out) {
    uint8_t type, decimals;
    *out = (rf_component_def){.name = rf_wire_get_text(in)};
    type = rf_wire_get_u8(in);
    out->count = rf_wire_get_u8(in);
    decimals = rf_wire_get_u8(in);
    out->fixed = decimals > 0;
    out->decimals = decimals > 0 ? (uint8_t)(decimals - 1) : 0;
    out->quantise = rf_wire_get_u8(in);
    if (type > RF_TYPE_TERM) rf_wire_fail(in, RF_INVALID_FRAME);
    out->type = (rf_type)type;
    if (out->quantise == RF_QUANTISE_SMALLEST_THREE) out->bits = rf_wire_get_u8(in);
    if (out->quantise != RF_QUANTISE_STEP) return;
    out->step = rf_wire_get_f64(in);
    out->min = rf_wire_get_f64(in);
    out->max = rf_wire_get_f64(in);
}

static rf_status make(rf_allocator allocator, rf_wire_in *in, const rf_component_def *defs, size_t count,
                      rf_schema **out) {
    rf_str words[64], *more = words;
    uint64_t word_count = rf_wire_get_varint(in);
    rf_status status;
    if (word_count > RF_WIRE_WORDS_MAX) rf_wire_fail(in, RF_INVALID_FRAME);
    if (in->status != RF_OK) return in->status;
    if (word_count > sizeof words / sizeof *words) more = rf_alloc(allocator, (size_t)word_count * sizeof *more);
    if (!more) {
        rf_wire_fail(in, RF_NO_MEMORY);
        return in->status;
    }
    for (uint64_t i = 0; i < word_count; i++) more[i] = rf_wire_get_term(in);
    if (in->status == RF_OK && in->at != in->size) rf_wire_fail(in, RF_INVALID_FRAME);
    if (in->status == RF_OK) {
        status = rf_schema_new_with_words(allocator, defs, count, more, (size_t)word_count, out, NULL);
        if (status != RF_OK) rf_wire_fail(in, status == RF_NO_MEMORY ? status : RF_INVALID_FRAME);
    }
    if (more != words) rf_free(allocator, more);
    return in->status;
}

rf_status rf_schema_unpack(rf_allocator allocator, rf_wire_in *in, rf_schema **out) {
    rf_component_def defs[RF_SCHEMA_MAX];
    uint64_t count = rf_wire_get_varint(in);
    *out = NULL;
    if (count > RF_SCHEMA_MAX) rf_wire_fail(in, RF_INVALID_FRAME);
    for (uint64_t i = 0; i < count && in->status == RF_OK; i++) read_component(in, &defs[i]);
    return in->status == RF_OK ? make(allocator, in, defs, (size_t)count, out) : in->status;
}
