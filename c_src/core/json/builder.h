// builder.h: writes a value, put piece by piece, as a compact term.
#ifndef RF_CORE_BUILDER_H
#define RF_CORE_BUILDER_H

#include "base/buf.h"
#include <roomfold/status.h>

// Levels of lists and maps in one term: an event has at most 64, two of them are around its components.
#define RF_TERM_DEPTH 62

typedef struct rf_builder_entry {
    uint32_t start, key_len, key_at, end; // of a map's entry, from the start of its map's entries
} rf_builder_entry;

typedef struct rf_builder_level {
    bool map;
    size_t start; // of the count in out
    uint64_t count;
    size_t first_entry; // in entries
} rf_builder_level;

typedef struct rf_builder {
    rf_buf out;     // the term; the caller takes it from here
    rf_buf entries; // rf_builder_entry of all open maps
    rf_buf sorted;  // scratch
    uint32_t depth;
    rf_status status; // RF_OK until something can't be said
    rf_builder_level levels[RF_TERM_DEPTH];
} rf_builder;

void rf_builder_init(rf_builder *builder, rf_allocator allocator);
void rf_builder_free(rf_builder *builder);
// Starts a value behind what is in out already.
void rf_builder_start(rf_builder *builder);

// After a failure they do nothing and return false; builder->status says why.
bool rf_builder_null(rf_builder *builder);
bool rf_builder_bool(rf_builder *builder, bool value);
bool rf_builder_int(rf_builder *builder, int64_t value);
bool rf_builder_float(rf_builder *builder, double value);
bool rf_builder_string(rf_builder *builder, rf_str value); // valid UTF-8
bool rf_builder_open(rf_builder *builder, bool map);
bool rf_builder_key(rf_builder *builder, rf_str key);
bool rf_builder_close(rf_builder *builder); // RF_DUPLICATE_KEY for a map that has one twice
bool rf_builder_fail(rf_builder *builder, rf_status status);

#endif
