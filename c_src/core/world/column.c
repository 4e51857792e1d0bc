#include "column.h"

static uint16_t value_size(const rf_component_def *def) {
    switch (def->type) {
    case RF_TYPE_F32:
        return (uint16_t)(4 * def->count);
    case RF_TYPE_F64:
        return (uint16_t)(8 * def->count);
    case RF_TYPE_I64:
        return 8;
    case RF_TYPE_BOOL:
        return 1;
    case RF_TYPE_STRING:
    case RF_TYPE_TERM:
        break;
    }
    return sizeof(rf_blob *);
}

// Only on little-endian machines, like frames.
static bool is_tight(const rf_column *column) {
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    return column->def.type == RF_TYPE_F32 && (column->value_size == 12 || column->value_size == 16);
#else
    (void)column;
    return false;
#endif
}

bool rf_column_init(rf_column *column, const rf_component_def *def, rf_mem *mem, uint32_t history) {
    bool wide = def->type != RF_TYPE_F32 && def->type != RF_TYPE_BOOL;
    unsigned align = wide ? 8 : 4;
    *column = (rf_column){.def = *def, .value_size = value_size(def)};
    column->value_offset = (uint16_t)align;
    column->link_offset = (uint16_t)(column->value_offset + column->value_size);
    column->stride = (uint16_t)(column->link_offset + (def->quantise != RF_QUANTISE_NONE ? 4 : 0));
    column->stride = (uint16_t)((column->stride + align - 1) / align * align);
    column->blobs = def->type == RF_TYPE_STRING || def->type == RF_TYPE_TERM;
    column->tight = is_tight(column) ? (uint8_t)column->value_size : 0;
    return def->quantise == RF_QUANTISE_NONE || rf_value_log_init(&column->log, mem, history, column->value_size);
}

// Cells of 20 bytes and more are read 32 bytes at a time (wire_values.h), so the last one needs this padding.
#define SPARE 12

static size_t page_bytes(const rf_column *column) {
    size_t bytes = sizeof(rf_column_page) + (size_t)RF_PAGE_SIZE * column->stride;
    return column->def.quantise != RF_QUANTISE_NONE ? bytes + SPARE : bytes;
}

static void free_blobs(rf_column *column, rf_column_page *page, rf_mem *mem) {
    for (uint32_t i = 0; column->blobs && i < RF_PAGE_SIZE; i++)
        rf_blob_free(mem, *rf_cell_blob(column, rf_column_cell(column, page, i)));
}

void rf_column_free(rf_column *column, rf_mem *mem) {
    for (uint32_t i = 0; i < column->capacity; i++) {
        rf_column_page *page = column->pages[i];
        if (!page) continue;
        free_blobs(column, page, mem);
        rf_mem_free(mem, page, page_bytes(column));
    }
    rf_mem_free(mem, column->pages, column->capacity * sizeof(rf_column_page *));
    column->pages = NULL;
    column->capacity = 0;
    rf_value_log_free(&column->log, mem);
}

static rf_column_page *copy_page(rf_column *to, const rf_column_page *from, rf_mem *mem) {
    rf_column_page *page = rf_mem_alloc(mem, page_bytes(to));
    bool ok = true;
    if (!page) return NULL;
    memcpy(page, from, page_bytes(to));
    for (uint32_t i = 0; to->blobs && i < RF_PAGE_SIZE; i++) {
        rf_blob **blob = rf_cell_blob(to, rf_column_cell(to, page, i));
        if (*blob) {
            *blob = ok ? rf_blob_new(mem, (rf_str){(*blob)->bytes, (*blob)->len}) : NULL;
            ok = ok && *blob;
        }
    }
    if (ok) return page;
    free_blobs(to, page, mem);
    rf_mem_free(mem, page, page_bytes(to));
    return NULL;
}

// On failure, `to` holds what was copied so far and can be freed.
bool rf_column_copy(rf_column *to, const rf_column *from, rf_mem *mem) {
    *to = *from;
    to->capacity = 0;
    to->pages = NULL;
    if (!rf_value_log_copy(&to->log, &from->log, mem)) return false;
    if (from->capacity == 0) return true;
    to->pages = rf_mem_zero(mem, from->capacity * sizeof(rf_column_page *));
    if (!to->pages) return false;
    to->capacity = from->capacity;
    for (uint32_t i = 0; i < from->capacity; i++) {
        if (!from->pages[i]) continue;
        to->pages[i] = copy_page(to, from->pages[i], mem);
        if (!to->pages[i]) return false;
    }
    return true;
}

bool rf_column_reserve(rf_column *column, rf_mem *mem, uint32_t handle) {
    uint32_t page = handle / RF_PAGE_SIZE;
    if (page >= column->capacity) {
        uint32_t capacity = column->capacity ? column->capacity : 1;
        rf_column_page **pages;
        while (capacity <= page) capacity *= 2;
        pages = rf_mem_resize(mem, column->pages, column->capacity * sizeof *pages, capacity * sizeof *pages);
        if (!pages) return false;
        memset(pages + column->capacity, 0, (capacity - column->capacity) * sizeof *pages);
        column->pages = pages;
        column->capacity = capacity;
    }
    if (!column->pages[page]) column->pages[page] = rf_mem_zero(mem, page_bytes(column));
    return column->pages[page] != NULL;
}

rf_blob *rf_blob_new(rf_mem *mem, rf_str bytes) {
    rf_blob *blob = rf_mem_alloc(mem, sizeof *blob + bytes.len);
    if (!blob) return NULL;
    blob->len = blob->capacity = (uint32_t)bytes.len;
    if (bytes.len > 0) memcpy(blob->bytes, bytes.data, bytes.len);
    return blob;
}

void rf_blob_free(rf_mem *mem, rf_blob *blob) {
    if (blob) rf_mem_free(mem, blob, sizeof *blob + blob->capacity);
}
