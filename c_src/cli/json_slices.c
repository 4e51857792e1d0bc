#include "json_slices.h"

#include <stdlib.h>
#include <string.h>

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

static bool fail(json_slices *of, rf_status status, size_t offset) {
    of->error = (rf_error){.status = status, .offset = offset};
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

// The end of the string, number or word at `at`, which has been read without an error.
static size_t scalar_end(rf_str text, size_t at) {
    if (text.data[at] == '"') {
        for (at++; text.data[at] != '"'; at++)
            if (text.data[at] == '\\') at++;
        return at + 1;
    }
    while (at < text.len && !memchr(",]} \t\r\n", text.data[at], 7)) at++;
    return at;
}

static bool opens(rf_json_kind kind) {
    return kind == RF_JSON_OPEN_MAP || kind == RF_JSON_OPEN_LIST;
}

static bool closes(rf_json_kind kind) {
    return kind == RF_JSON_CLOSE_MAP || kind == RF_JSON_CLOSE_LIST;
}

// Reads the rest of a value whose first token has been read; *end is its end.
static bool finish_value(rf_json_reader *reader, rf_json_token first, rf_str text, size_t *end) {
    rf_json_token token = first;
    size_t depth = 1;
    if (!opens(first.kind)) {
        *end = scalar_end(text, first.offset);
        return true;
    }
    while (depth > 0) {
        token = rf_json_next(reader);
        if (token.kind == RF_JSON_ERROR) return false;
        if (opens(token.kind)) depth++;
        if (closes(token.kind)) depth--;
    }
    *end = token.offset + 1;
    return true;
}

static bool read_members(json_slices *of, rf_json_reader *reader, rf_str text, size_t *end) {
    for (;;) {
        json_slice item = {.key = of->pool_len};
        rf_json_token token = rf_json_next(reader);
        size_t behind;
        if (closes(token.kind)) {
            *end = token.offset + 1;
            return true;
        }
        item.key_at = token.offset;
        if (token.kind == RF_JSON_KEY) {
            if (!keep_key(of, token.as.string, &item)) return false;
            token = rf_json_next(reader);
        }
        if (token.kind == RF_JSON_ERROR || !finish_value(reader, token, text, &behind)) {
            of->error = rf_json_error(reader);
            return false;
        }
        item.kind = token.kind;
        item.value = (rf_str){text.data + token.offset, behind - token.offset};
        if (!add(of, &item)) return false;
    }
}

// qsort has no context argument, so each item points to its text.
typedef struct sorted_key {
    rf_str key;
    size_t at;
} sorted_key;

static int compare_keys(const void *left, const void *right) {
    const sorted_key *a = left, *b = right;
    int order = json_slices_compare(a->key, b->key);
    return order != 0 ? order : (a->at > b->at) - (a->at < b->at);
}

static bool check_keys(json_slices *of, size_t first) {
    size_t count = of->count - first;
    sorted_key *keys;
    bool fine = true;
    if (count < 2) return true;
    keys = malloc(count * sizeof *keys);
    if (!keys) return fail(of, RF_NO_MEMORY, 0);
    for (size_t i = 0; i < count; i++) {
        const json_slice *item = &of->items[first + i];
        keys[i] = (sorted_key){.key = json_slices_key(of, item), .at = item->key_at};
    }
    qsort(keys, count, sizeof *keys, compare_keys);
    for (size_t i = 1; i < count && fine; i++)
        if (json_slices_compare(keys[i - 1].key, keys[i].key) == 0) fine = fail(of, RF_DUPLICATE_KEY, keys[i].at);
    free(keys);
    return fine;
}

bool json_slices_read(json_slices *out, rf_str text, size_t *end) {
    rf_json_reader *reader;
    rf_json_token token;
    size_t first = out->count;
    bool fine;
    if (rf_json_reader_new(rf_allocator_default(), text, JSON_SLICES_DEPTH, &reader) != RF_OK)
        return fail(out, RF_NO_MEMORY, 0);
    token = rf_json_next(reader);
    if (token.kind == RF_JSON_ERROR) {
        out->error = rf_json_error(reader);
        fine = false;
    } else if (!opens(token.kind)) {
        fine = fail(out, RF_NOT_AN_EVENT, token.offset);
    } else {
        fine = read_members(out, reader, text, end) && (token.kind == RF_JSON_OPEN_LIST || check_keys(out, first));
    }
    rf_json_reader_free(reader);
    return fine;
}

bool json_slices_string(json_slices *of, rf_str text, json_slice *out) {
    rf_json_reader *reader;
    rf_json_token token;
    bool fine;
    if (rf_json_reader_new(rf_allocator_default(), text, 1, &reader) != RF_OK) return fail(of, RF_NO_MEMORY, 0);
    token = rf_json_next(reader);
    fine = token.kind == RF_JSON_STRING ? keep_key(of, token.as.string, out) : fail(of, RF_WRONG_TYPE, 0);
    rf_json_reader_free(reader);
    return fine;
}
