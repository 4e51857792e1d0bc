// text_table.h: the texts of a frame of events: ids, names and short strings, each of which is written once and then
// has a number.
#ifndef RF_CORE_TEXT_TABLE_H
#define RF_CORE_TEXT_TABLE_H

#include "frame/wire_out.h"

typedef struct rf_text_table {
    rf_allocator allocator;
    uint64_t seed;   // of the hash
    rf_wire_out out; // as in the frame: each text behind its length
    rf_buf places;   // by number: where it is in `out`
    uint32_t count;
    uint32_t *slots; // open addressing with linear probing: a text's number plus one, by its hash
    uint32_t size;   // of slots: a power of two
} rf_text_table;

void rf_text_table_init(rf_text_table *table, rf_allocator allocator, uint64_t seed);
void rf_text_table_free(rf_text_table *table);
// The number of a text, which is added if it is new. Without memory 0, and the table has failed.
uint64_t rf_text_table_add(rf_text_table *table, rf_str bytes);
bool rf_text_table_failed(const rf_text_table *table);
// After a failure: drops an incomplete text.
void rf_text_table_recover(rf_text_table *table);
// Removes all texts.
void rf_text_table_clear(rf_text_table *table);

#endif
