// json_slices.h: splits a JSON object or list into its members, as slices of its text. Neither duplicate keys nor what
// a value means are looked at: a fold does that (line_check.h, offence.h).
#ifndef RF_CLI_JSON_SLICES_H
#define RF_CLI_JSON_SLICES_H

#include <roomfold/roomfold.h>

typedef struct json_slice {
    size_t key, key_len; // unescaped, in the pool; empty for members of a list
    size_t key_at;       // the key's offset in the text
    rf_json_kind kind;   // of the value's first token
    rf_str value;        // its text
} json_slice;

typedef struct json_slices {
    json_slice *items;
    size_t count, capacity;
    char *pool; // the bytes of keys
    size_t pool_len, pool_capacity;
    rf_status status; // of the last json_slices_read, and where
    size_t error_at;
} json_slices;

// Adds the members of the object or list at the start of `text`; *end: its length. What follows it is ignored. False,
// with `status`: RF_NOT_AN_EVENT (it is neither), the errors of JSON, RF_NO_MEMORY.
bool json_slices_read(json_slices *out, rf_str text, size_t *end);
void json_slices_free(json_slices *of);
// Empties the slices for reuse.
void json_slices_clear(json_slices *of);

static inline rf_str json_slices_key(const json_slices *of, const json_slice *item) {
    return (rf_str){of->pool + item->key, item->key_len};
}

// Adds the string at the start of `text`, unescaped, to the pool; *out is its key, but not one of `items`.
bool json_slices_string(json_slices *of, rf_str text, json_slice *out);
int json_slices_compare(rf_str a, rf_str b);

#endif
