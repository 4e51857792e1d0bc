#include "text_table.h"

#include "base/hash.h"
#include "base/str.h"

#define FIRST_SIZE 256

// Where a text is in `out`, behind its length.
typedef struct place {
    uint32_t at, len;
} place;

void rf_text_table_init(rf_text_table *table, rf_allocator allocator, uint64_t seed) {
    *table = (rf_text_table){.allocator = allocator, .seed = seed};
    rf_buf_init(&table->out.buf, allocator);
    rf_buf_init(&table->places, allocator);
}

void rf_text_table_free(rf_text_table *table) {
    rf_buf_free(&table->out.buf);
    rf_buf_free(&table->places);
    rf_free(table->allocator, table->slots);
}

static rf_str text_at(const rf_text_table *table, uint32_t number) {
    place at;
    memcpy(&at, table->places.data + number * sizeof at, sizeof at);
    return (rf_str){(const char *)table->out.buf.data + at.at, at.len};
}

static bool grow_table(rf_text_table *table) {
    uint32_t size = table->size ? table->size * 2 : FIRST_SIZE;
    uint32_t *slots = rf_alloc_zero(table->allocator, size * sizeof *slots);
    if (!slots) return false;
    for (uint32_t i = 0; i < table->count; i++) {
        uint32_t at = (uint32_t)rf_hash(text_at(table, i), table->seed) & (size - 1);
        while (slots[at] != 0) at = (at + 1) & (size - 1);
        slots[at] = i + 1;
    }
    rf_free(table->allocator, table->slots);
    table->slots = slots;
    table->size = size;
    return true;
}

uint64_t rf_text_table_add(rf_text_table *table, rf_str bytes) {
    uint32_t at;
    place where;
    if (table->count * 2 >= table->size && !grow_table(table)) {
        table->out.buf.failed = true;
        return 0;
    }
    at = (uint32_t)rf_hash(bytes, table->seed) & (table->size - 1);
    for (; table->slots[at] != 0; at = (at + 1) & (table->size - 1))
        if (rf_str_eq(text_at(table, table->slots[at] - 1), bytes)) return table->slots[at] - 1;
    rf_wire_varint(&table->out, bytes.len);
    where = (place){(uint32_t)table->out.buf.len, (uint32_t)bytes.len};
    rf_buf_bytes(&table->out.buf, bytes.data, bytes.len);
    rf_buf_bytes(&table->places, &where, sizeof where);
    if (table->out.buf.failed || table->places.failed) return 0;
    table->slots[at] = ++table->count;
    return table->count - 1;
}

static size_t texts_len(const rf_text_table *table) {
    rf_str last = table->count > 0 ? text_at(table, table->count - 1) : (rf_str){0};
    return last.data ? (size_t)(last.data - (const char *)table->out.buf.data) + last.len : 0;
}

bool rf_text_table_failed(const rf_text_table *table) {
    return table->out.buf.failed || table->places.failed;
}

void rf_text_table_recover(rf_text_table *table) {
    table->places.len = table->count * sizeof(place);
    table->out.buf.len = texts_len(table);
    table->out.buf.failed = table->places.failed = false;
}

void rf_text_table_clear(rf_text_table *table) {
    table->out.buf.len = table->places.len = 0;
    if (table->slots) memset(table->slots, 0, table->size * sizeof *table->slots);
    table->count = 0;
}
