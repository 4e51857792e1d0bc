#include "wire_words.h"

#include "schema/schema_state.h"
#include "frame/wire_numbers.h"
#include <roomfold/term.h>

// ---- writing ------------------------------------------------------------------------------------------

// Length and value of the decimal suffix that can be sent as a number: at most 9 digits, no leading zero. 0: none.
static size_t suffix(rf_str text, uint32_t *number) {
    size_t len = 0;
    *number = 0;
    while (len < text.len && text.data[text.len - 1 - len] >= '0' && text.data[text.len - 1 - len] <= '9') len++;
    if (len == 0 || len > RF_WIRE_SUFFIX_DIGITS || (len > 1 && text.data[text.len - len] == '0')) return 0;
    for (size_t i = text.len - len; i < text.len; i++) *number = *number * 10 + (uint32_t)(text.data[i] - '0');
    return len;
}

// Writes the text as a word, perhaps with a number; false: impossible.
static bool put_word(rf_wire_out *out, const rf_schema *schema, rf_str text) {
    uint32_t number;
    size_t digits;
    int word;
    if (schema->word_count == 0 || !rf_wire_reserve(out, 2 * RF_NIB_BITS_MAX)) return false;
    word = rf_schema_word_text(schema, text);
    if (word >= 0) {
        rf_wire_nib(out, (uint64_t)word + 1);
        rf_wire_bits(out, 0, 1);
        return true;
    }
    digits = suffix(text, &number);
    if (digits == 0) return false;
    word = rf_schema_word_text(schema, (rf_str){text.data, text.len - digits});
    if (word < 0) return false;
    rf_wire_nib(out, (uint64_t)word + 1);
    rf_wire_bits(out, 1, 1);
    rf_wire_nib(out, number);
    return true;
}

static void put_inline(rf_wire_out *out, rf_str bytes) {
    if (!rf_wire_reserve(out, 4)) return;
    rf_wire_nib(out, 0);
    rf_wire_bit_bytes(out, bytes);
}

void rf_words_put_name(rf_wire_out *out, const rf_schema *schema, rf_str text) {
    if (!put_word(out, schema, text)) put_inline(out, text);
}

void rf_words_put_term(rf_wire_out *out, const rf_schema *schema, rf_str term) {
    rf_term_reader reader;
    rf_term head;
    int word;
    rf_term_read(&reader, term);
    head = rf_term_next(&reader);
    if (head.kind == RF_TERM_STRING && put_word(out, schema, head.as.string)) return;
    word = head.kind != RF_TERM_STRING ? rf_schema_word_term(schema, term) : -1;
    if (word < 0)
        put_inline(out, term);
    else if (rf_wire_reserve(out, RF_NIB_BITS_MAX))
        rf_wire_nib(out, (uint64_t)word + 1);
}

// ---- reading ------------------------------------------------------------------------------------------

static void *scratch(rf_wire_in *in, rf_arena *arena, size_t size) {
    void *out = rf_arena_alloc(arena, size);
    if (!out) rf_wire_fail(in, RF_NO_MEMORY);
    return out;
}

static rf_str inline_bytes(rf_wire_in *in, rf_arena *arena) {
    uint64_t len = rf_wire_get_nib(in);
    uint8_t *bytes;
    if (len > UINT64_MAX / 8 || !rf_wire_has(in, len * 8)) {
        rf_wire_fail(in, RF_INVALID_FRAME);
        return (rf_str){0};
    }
    bytes = scratch(in, arena, (size_t)len + 1);
    for (uint64_t i = 0; bytes && i < len; i++) bytes[i] = (uint8_t)rf_wire_get(in, 8);
    return (rf_str){(const char *)bytes, bytes ? (size_t)len : 0};
}

static rf_str with_number(rf_wire_in *in, rf_arena *arena, rf_str stem, uint32_t number) {
    char digits[RF_WIRE_SUFFIX_DIGITS];
    size_t len = 0;
    char *out;
    do {
        digits[sizeof digits - ++len] = (char)('0' + number % 10);
        number /= 10;
    } while (number > 0);
    out = scratch(in, arena, stem.len + len);
    if (!out) return (rf_str){0};
    if (stem.len > 0) memcpy(out, stem.data, stem.len);
    memcpy(out + stem.len, digits + sizeof digits - len, len);
    return (rf_str){out, stem.len + len};
}

// Reads what follows a word that is a string: the text is the word, or the word with a number.
static rf_str word_text(rf_wire_in *in, rf_arena *arena, const rf_word *word) {
    uint64_t number;
    if (rf_wire_get(in, 1) == 0) return word->text;
    number = rf_wire_get_nib(in);
    if (number > RF_WIRE_SUFFIX_MAX) {
        rf_wire_fail(in, RF_INVALID_FRAME);
        return (rf_str){0};
    }
    return with_number(in, arena, word->text, (uint32_t)number);
}

// NULL: the value follows inline.
static const rf_word *get_word(rf_wire_in *in, const rf_schema *schema) {
    uint64_t number = rf_wire_get_nib(in);
    if (number > schema->word_count) rf_wire_fail(in, RF_INVALID_FRAME);
    return in->status == RF_OK && number > 0 ? &schema->words[number - 1] : NULL;
}

rf_str rf_words_get_name(rf_wire_in *in, const rf_schema *schema, rf_arena *arena) {
    uint64_t start = in->at;
    const rf_word *word = get_word(in, schema);
    rf_str out;
    if (word && !word->text.data) rf_wire_fail_at(in, start, RF_INVALID_FRAME);
    if (in->status != RF_OK) return (rf_str){0};
    out = word ? word_text(in, arena, word) : inline_bytes(in, arena);
    if (in->status == RF_OK && rf_utf8_check(out) != out.len) rf_wire_fail_at(in, start, RF_INVALID_FRAME);
    return out;
}

static rf_str term_of_text(rf_wire_in *in, rf_arena *arena, rf_str text) {
    uint8_t *out = scratch(in, arena, 1 + RF_VARINT_MAX + text.len);
    size_t len = 1;
    if (!out) return (rf_str){0};
    out[0] = RF_TAG_STRING;
    len += rf_varint_write(out + 1, text.len);
    if (text.len > 0) memcpy(out + len, text.data, text.len);
    return (rf_str){(const char *)out, len + text.len};
}

rf_str rf_words_get_term(rf_wire_in *in, const rf_schema *schema, size_t max_bytes, rf_arena *arena) {
    uint64_t start = in->at;
    const rf_word *word = get_word(in, schema);
    rf_str out;
    if (in->status != RF_OK) return (rf_str){0};
    if (word && word->text.data) {
        rf_str text = word_text(in, arena, word);
        out = in->status == RF_OK ? term_of_text(in, arena, text) : text;
    } else {
        out = word ? word->term : inline_bytes(in, arena);
        if (in->status == RF_OK && !word && !rf_term_canonical(out)) rf_wire_fail_at(in, start, RF_INVALID_FRAME);
    }
    if (in->status == RF_OK && out.len > max_bytes) rf_wire_fail_at(in, start, RF_TOO_LARGE);
    return out;
}
