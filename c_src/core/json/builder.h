// builder.h: writes a term from pieces of a value.
#ifndef RF_CORE_BUILDER_H
#define RF_CORE_BUILDER_H

#include "base/buf.h"
#include <roomfold/status.h>

// Levels of lists and maps in a term: an event has at most 64, two of which are around a component's value.
#define RF_TERM_DEPTH 62

typedef struct rf_builder_entry {
    uint32_t start, key_len, key_at, end; // of a map's entry: offsets in out
} rf_builder_entry;

typedef struct rf_builder_level {
    bool map;
    size_t start; // the offset of the count in out
    uint64_t count;
    size_t first_entry; // its offset in entries
} rf_builder_level;

typedef struct rf_builder {
    rf_buf out;     // the term, for the caller
    rf_buf entries; // rf_builder_entry of all open maps
    rf_buf sorted;  // scratch
    uint32_t depth;
    uint32_t max_depth; // RF_TERM_DEPTH; at most one more
    rf_status status;   // RF_OK, or the first error
    rf_builder_level levels[RF_TERM_DEPTH + 1];
} rf_builder;

void rf_builder_init(rf_builder *builder, rf_allocator allocator);
void rf_builder_free(rf_builder *builder);
// Starts a value at the end of out.
void rf_builder_start(rf_builder *builder);

// After an error they do nothing and return false; see builder->status.
bool rf_builder_null(rf_builder *builder);
bool rf_builder_bool(rf_builder *builder, bool value);
bool rf_builder_int(rf_builder *builder, int64_t value);
bool rf_builder_float(rf_builder *builder, double value);
bool rf_builder_string(rf_builder *builder, rf_str value); // valid UTF-8
bool rf_builder_open(rf_builder *builder, bool map);
bool rf_builder_key(rf_builder *builder, rf_str key);
bool rf_builder_close(rf_builder *builder); // RF_DUPLICATE_KEY: a map has a key twice
bool rf_builder_fail(rf_builder *builder, rf_status status);

#endif
