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

static bool fail(json_slices *of, rf_status status, size_t at) {
    of->status = status;
    of->error_at = at;
    return false;
}

static bool unexpected(json_slices *of, rf_str text, size_t at) {
    return at < text.len ? fail(of, RF_UNEXPECTED_BYTE, at) : fail(of, RF_UNEXPECTED_END, text.len);
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

static void skip_space(rf_str text, size_t *at) {
    while (*at < text.len && memchr(" \t\r\n", text.data[*at], 4)) ++*at;
}

// Moves past the string that starts at *at.
static bool skip_string(json_slices *of, rf_str text, size_t *at) {
    for (++*at; *at < text.len && text.data[*at] != '"'; ++*at) {
        if ((unsigned char)text.data[*at] < 0x20) return unexpected(of, text, *at);
        if (text.data[*at] == '\\') ++*at;
    }
    if (*at >= text.len) return unexpected(of, text, text.len);
    ++*at;
    return true;
}

// Moves past the number or word that starts at *at.
static bool skip_word(json_slices *of, rf_str text, size_t *at) {
    size_t start = *at;
    while (*at < text.len && !memchr(",:]}[{\" \t\r\n", text.data[*at], 11)) ++*at;
    return *at > start || unexpected(of, text, start);
}

// Moves past the object or list that starts at *at.
static bool skip_nested(json_slices *of, rf_str text, size_t *at) {
    size_t depth = 0;
    do {
        char byte = *at < text.len ? text.data[*at] : '\0';
        if (*at >= text.len) return unexpected(of, text, text.len);
        if (byte == '"') {
            if (!skip_string(of, text, at)) return false;
            continue;
        }
        depth += byte == '{' || byte == '[';
        depth -= byte == '}' || byte == ']';
        ++*at;
    } while (depth > 0);
    return true;
}

static rf_json_kind kind_of(rf_str text, size_t at) {
    switch (at < text.len ? text.data[at] : '\0') {
    case '{':
        return RF_JSON_OPEN_MAP;
    case '[':
        return RF_JSON_OPEN_LIST;
    case '"':
        return RF_JSON_STRING;
    case 'n':
        return RF_JSON_NULL;
    case 't':
        return RF_JSON_TRUE;
    case 'f':
        return RF_JSON_FALSE;
    default:
        return RF_JSON_FLOAT; // or an integer
    }
}

static bool read_value(json_slices *of, rf_str text, size_t *at, json_slice *item) {
    size_t start = *at;
    bool fine;
    item->kind = kind_of(text, start);
    if (item->kind == RF_JSON_OPEN_MAP || item->kind == RF_JSON_OPEN_LIST)
        fine = skip_nested(of, text, at);
    else
        fine = item->kind == RF_JSON_STRING ? skip_string(of, text, at) : skip_word(of, text, at);
    item->value = (rf_str){text.data + start, *at - start};
    return fine;
}

static bool read_key(json_slices *of, rf_str text, size_t *at, json_slice *item) {
    json_slice key;
    size_t start = *at;
    if (start >= text.len || text.data[start] != '"') return unexpected(of, text, start);
    if (!skip_string(of, text, at)) return false;
    if (!json_slices_string(of, (rf_str){text.data + start, *at - start}, &key)) {
        of->error_at = start;
        return false;
    }
    item->key = key.key;
    item->key_len = key.key_len;
    skip_space(text, at);
    if (*at >= text.len || text.data[*at] != ':') return unexpected(of, text, *at);
    ++*at;
    skip_space(text, at);
    return true;
}

static bool read_members(json_slices *of, rf_str text, size_t *end) {
    bool map = text.data[0] == '{', first = true;
    size_t at = 1;
    for (;; first = false) {
        json_slice item = {.key = of->pool_len};
        skip_space(text, &at);
        if (at < text.len && text.data[at] == (map ? '}' : ']')) break;
        if (!first) {
            if (at >= text.len || text.data[at] != ',') return unexpected(of, text, at);
            at++;
            skip_space(text, &at);
        }
        item.key_at = at;
        if (map && !read_key(of, text, &at, &item)) return false;
        if (!read_value(of, text, &at, &item) || !add(of, &item)) return false;
    }
    *end = at + 1;
    return true;
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
    size_t first = out->count;
    if (text.len == 0) return unexpected(out, text, 0);
    if (text.data[0] != '{' && text.data[0] != '[') return fail(out, RF_NOT_AN_EVENT, 0);
    return read_members(out, text, end) && (text.data[0] == '[' || check_keys(out, first));
}

// The string at the start of the text, in its quotes, which has escapes.
static bool unescape(json_slices *of, rf_str text, json_slice *out) {
    rf_json_reader *reader;
    rf_json_token token;
    bool fine;
    if (rf_json_reader_new(rf_allocator_default(), text, 1, &reader) != RF_OK) return fail(of, RF_NO_MEMORY, 0);
    token = rf_json_next(reader);
    fine = token.kind == RF_JSON_STRING ? keep_key(of, token.as.string, out) : fail(of, RF_WRONG_TYPE, 0);
    rf_json_reader_free(reader);
    return fine;
}

bool json_slices_string(json_slices *of, rf_str text, json_slice *out) {
    rf_str plain;
    size_t end = 0;
    if (text.len == 0 || text.data[0] != '"') return fail(of, RF_WRONG_TYPE, 0);
    if (!skip_string(of, text, &end)) return false;
    plain = (rf_str){text.data + 1, end - 2};
    if (plain.len > 0 && memchr(plain.data, '\\', plain.len)) return unescape(of, (rf_str){text.data, end}, out);
    return rf_utf8_valid(plain) ? keep_key(of, plain, out) : fail(of, RF_INVALID_UTF8, 0);
}
