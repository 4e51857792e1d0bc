// column.h: the values of one declared component, in pages of 64 entities.
//
// A page has a bit per entity (whether it has the component) and a cell per entity: the revision of the last change,
// then the value, so that a write touches one cache line. Strings and terms are blobs on the heap. The cell of a
// quantised component ends with the number of its previous value (value_log.h).
#ifndef RF_CORE_COLUMN_H
#define RF_CORE_COLUMN_H

#include "value_log.h"
#include <roomfold/schema.h>

#define RF_PAGE_SIZE 64

typedef struct rf_blob {
    uint32_t len, capacity;
    char bytes[];
} rf_blob;

typedef struct rf_column_page {
    uint64_t present;
    uint32_t removed; // the latest revision at which an update removed the component of one of them
    uint32_t changed; // strings and terms: the latest revision at which one was set or removed
    uint64_t cells[]; // RF_PAGE_SIZE * stride bytes
} rf_column_page;

typedef struct rf_column {
    rf_component_def def;
    uint16_t stride;       // bytes of a cell
    uint16_t value_offset; // in a cell
    uint16_t value_size;   // bytes of a value in a cell
    uint16_t link_offset;  // in a cell, of a quantised component
    bool blobs;
    uint8_t tight;     // 12 or 16: values are binary32 of this many bytes, right after the stamp; otherwise 0
    uint32_t capacity; // pages that the array has room for
    rf_column_page **pages;
    rf_value_log log; // of a quantised component
} rf_column;

// history: how many replaced values a quantised component remembers. False when out of memory.
bool rf_column_init(rf_column *column, const rf_component_def *def, rf_mem *mem, uint32_t history);
void rf_column_free(rf_column *column, rf_mem *mem);
bool rf_column_copy(rf_column *to, const rf_column *from, rf_mem *mem);
// Ensures that this handle's page exists; false when out of memory.
bool rf_column_reserve(rf_column *column, rf_mem *mem, uint32_t handle);

static inline rf_column_page *rf_column_page_of(const rf_column *column, uint32_t handle) {
    uint32_t page = handle / RF_PAGE_SIZE;
    return page < column->capacity ? column->pages[page] : NULL;
}

static inline uint8_t *rf_column_cell(const rf_column *column, const rf_column_page *page, uint32_t handle) {
    return (uint8_t *)(uintptr_t)page->cells + (size_t)(handle % RF_PAGE_SIZE) * column->stride;
}

static inline bool rf_column_has(const rf_column_page *page, uint32_t handle) {
    return page && (page->present >> (handle % RF_PAGE_SIZE) & 1);
}

static inline uint32_t rf_cell_stamp(const uint8_t *cell) {
    return *(const uint32_t *)(const void *)cell;
}

static inline void rf_cell_set_stamp(uint8_t *cell, uint32_t stamp) {
    *(uint32_t *)(void *)cell = stamp;
}

static inline rf_blob **rf_cell_blob(const rf_column *column, uint8_t *cell) {
    return (rf_blob **)(void *)(cell + column->value_offset);
}

static inline uint32_t *rf_cell_link(const rf_column *column, uint8_t *cell) {
    return (uint32_t *)(void *)(cell + column->link_offset);
}

// Of a quantised component; else NULL.
static inline rf_value_log *rf_column_log(rf_column *column) {
    return column->log.length > 0 ? &column->log : NULL;
}

// Call before an update replaces or removes the value at this revision.
static inline void rf_column_remember(rf_column *column, uint32_t handle, uint8_t *cell, uint32_t revision) {
    uint32_t *link = rf_cell_link(column, cell);
    if (column->log.length == 0) return;
    *link = rf_value_log_add(&column->log, handle, *link, rf_cell_stamp(cell), revision, cell + column->value_offset,
                             column->value_size);
}

rf_blob *rf_blob_new(rf_mem *mem, rf_str bytes);
void rf_blob_free(rf_mem *mem, rf_blob *blob);

#endif
