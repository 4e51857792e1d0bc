// schema_state.h: the contents of a schema, for the core's own files.
#ifndef RF_CORE_SCHEMA_STATE_H
#define RF_CORE_SCHEMA_STATE_H

#include "base/hash.h"
#include "quantise.h"
#include "base/str.h"
#include <roomfold/schema.h>
#include <stdatomic.h>

#define RF_SCHEMA_TABLE 128 // twice the most components, so that look-ups are short
#define RF_WORD_TABLE 2048  // twice the most words

// A value that the packed format encodes as a number. text: a string's bytes, without tag and length.
typedef struct rf_word {
    rf_str term;
    rf_str text; // data is NULL unless it is a string
} rf_word;

struct rf_schema {
    rf_allocator allocator;
    atomic_uint references;
    size_t count;
    rf_component_def defs[RF_SCHEMA_MAX]; // names point to `names` below
    uint8_t table[RF_SCHEMA_TABLE];       // index plus one, by the name's hash
    rf_quantiser quantisers[RF_SCHEMA_MAX];
    uint8_t tag; // the schema tag of frames
    uint32_t packed_len;
    uint8_t *packed; // the schema as in a snapshot; the words point into it
    uint32_t word_count;
    rf_word *words;
    uint16_t *word_table; // word plus one, by the hash of its text or term; NULL without words
    char names[];
};

static inline int rf_schema_lookup(const rf_schema *schema, rf_str name) {
    uint32_t at = (uint32_t)rf_hash(name, 0) % RF_SCHEMA_TABLE;
    for (; schema->table[at] != 0; at = (at + 1) % RF_SCHEMA_TABLE) {
        int index = schema->table[at] - 1;
        if (rf_str_eq(schema->defs[index].name, name)) return index;
    }
    return -1;
}

// The number of the word that is this text, or this term; -1: none.
int rf_schema_word_text(const rf_schema *schema, rf_str text);
int rf_schema_word_term(const rf_schema *schema, rf_str term);

// schema_packed.c. The first makes packed, tag and words of a schema whose components are set; the second reads a
// schema:
struct rf_wire_in;
// `in` contains only the schema. RF_INVALID_FRAME, RF_NO_MEMORY.
rf_status rf_schema_unpack(rf_allocator allocator, struct rf_wire_in *in, rf_schema **out);
rf_status rf_schema_pack(rf_schema *schema, const rf_str *words, size_t word_count, rf_error *error);

#endif
