#include "json_slices.h"

#include <stdlib.h>
#include <string.h>

#define DEPTH 512 // of values; an event's and a snapshot's are limited elsewhere

int json_slices_compare(rf_str a, rf_str b) {
    size_t len = a.len < b.len ? a.len : b.len;
    int order = len > 0 ? memcmp(a.data, b.data, len) : 0;
    return order != 0 ? order : (a.len > b.len) - (a.len < b.len);
}

void json_slices_free(json_slices *of) {
    free(of->items);
    free(of->pool);
    *of = (json_slices){0};
}

void json_slices_clear(json_slices *of) {
    of->count = of->pool_len = 0;
}

static bool fail(json_slices *of, rf_status status, size_t at) {
    of->status = status;
    of->error_at = at;
    return false;
}

static bool keep_key(json_slices *of, rf_str key, json_slice *out) {
    if (!of->pool || key.len > of->pool_capacity - of->pool_len) {
        size_t capacity = of->pool_capacity * 2 + key.len + 256;
        char *pool = realloc(of->pool, capacity);
        if (!pool) return fail(of, RF_NO_MEMORY, 0);
        of->pool = pool;
        of->pool_capacity = capacity;
    }
    if (key.len > 0) memcpy(of->pool + of->pool_len, key.data, key.len);
    out->key = of->pool_len;
    out->key_len = key.len;
    of->pool_len += key.len;
    return true;
}

static bool add(json_slices *of, const json_slice *item) {
    if (of->count == of->capacity) {
        size_t capacity = of->capacity ? of->capacity * 2 : 32;
        json_slice *items = realloc(of->items, capacity * sizeof *items);
        if (!items) return fail(of, RF_NO_MEMORY, 0);
        of->items = items;
        of->capacity = capacity;
    }
    of->items[of->count++] = *item;
    return true;
}

static bool read_failed(json_slices *of, const rf_json_reader *reader) {
    rf_error error = rf_json_error(reader);
    return fail(of, error.status, (size_t)error.offset);
}

// Reads the members of the object or list that has just been opened. *last: its closing bracket, or an error.
static bool read_members(json_slices *of, rf_json_reader *reader, bool map, rf_json_token *last) {
    for (;;) {
        json_slice item = {.key = of->pool_len};
        if (map) {
            *last = rf_json_next(reader);
            if (last->kind != RF_JSON_KEY) return true;
            item.key_at = last->offset;
            if (!keep_key(of, last->as.string, &item)) return false;
        }
        *last = rf_json_skip(reader, &item.value);
        if (last->kind == RF_JSON_ERROR || last->kind == RF_JSON_CLOSE_LIST) return true;
        item.kind = last->kind;
        if (!add(of, &item)) return false;
    }
}

bool json_slices_read(json_slices *out, rf_str text, size_t *end) {
    rf_json_reader *reader;
    rf_json_token token;
    bool fine = true;
    if (rf_json_reader_new(rf_allocator_default(), text, DEPTH, &reader) != RF_OK) return fail(out, RF_NO_MEMORY, 0);
    token = rf_json_next(reader);
    if (token.kind == RF_JSON_OPEN_MAP || token.kind == RF_JSON_OPEN_LIST)
        fine = read_members(out, reader, token.kind == RF_JSON_OPEN_MAP, &token);
    else if (token.kind != RF_JSON_ERROR)
        fine = fail(out, RF_NOT_AN_EVENT, 0);
    if (token.kind == RF_JSON_ERROR) fine = read_failed(out, reader);
    *end = token.offset + 1;
    rf_json_reader_free(reader);
    return fine;
}

bool json_slices_string(json_slices *of, rf_str text, json_slice *out) {
    rf_json_reader *reader;
    rf_json_token token;
    bool fine;
    if (rf_json_reader_new(rf_allocator_default(), text, 1, &reader) != RF_OK) return fail(of, RF_NO_MEMORY, 0);
    token = rf_json_next(reader);
    if (token.kind == RF_JSON_STRING)
        fine = keep_key(of, token.as.string, out);
    else
        fine = token.kind == RF_JSON_ERROR ? read_failed(of, reader) : fail(of, RF_WRONG_TYPE, 0);
    rf_json_reader_free(reader);
    return fine;
}
