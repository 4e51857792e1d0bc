#include "wire_words.h"

#include "schema/schema_state.h"
#include "frame/wire_numbers.h"
#include <roomfold/term.h>

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
    if (schema->word_count == 0 || !rf_wire_room(out, 2 * RF_NIB_BITS_MAX)) return false;
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
    if (!rf_wire_room(out, 4)) return;
    rf_wire_nib(out, 0);
    rf_wire_bit_bytes(out, bytes);
}

void rf_wire_name(rf_wire_out *out, const rf_schema *schema, rf_str text) {
    if (!put_word(out, schema, text)) put_inline(out, text);
}

void rf_wire_term(rf_wire_out *out, const rf_schema *schema, rf_str term) {
    rf_term_reader reader;
    rf_term head;
    int word;
    rf_term_read(&reader, term);
    head = rf_term_next(&reader);
    if (head.kind == RF_TERM_STRING && put_word(out, schema, head.as.string)) return;
    word = head.kind != RF_TERM_STRING ? rf_schema_word_term(schema, term) : -1;
    if (word < 0)
        put_inline(out, term);
    else if (rf_wire_room(out, RF_NIB_BITS_MAX))
        rf_wire_nib(out, (uint64_t)word + 1);
}
