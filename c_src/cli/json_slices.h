// json_slices.h: the members of a JSON object or list as pieces of its text.
#ifndef RF_CLI_JSON_SLICES_H
#define RF_CLI_JSON_SLICES_H

#include <roomfold/roomfold.h>

typedef struct json_slice {
    size_t key, key_len; // unescaped, in the pool; of a list's members: empty
    size_t key_at;       // where the key stands in the text
    rf_json_kind kind;   // of the value's first token
    rf_str value;        // its text
} json_slice;

typedef struct json_slices {
    json_slice *items;
    size_t count, capacity;
    char *pool; // of keys; bytes, not strings
    size_t pool_len, pool_capacity;
    rf_error error; // of the last json_slices_read
} json_slices;

#define JSON_SLICES_DEPTH (RF_DEPTH_MAX + 2)

// Adds the members of the object or list at the start of `text`; *end: the bytes it has. What comes behind it is not
// looked at. A key that comes twice is RF_DUPLICATE_KEY; something that is neither object nor list, RF_NOT_AN_EVENT.
bool json_slices_read(json_slices *out, rf_str text, size_t *end);
void json_slices_free(json_slices *of);
// Forgets what was read, for the next use.
void json_slices_clear(json_slices *of);

static inline rf_str json_slices_key(const json_slices *of, const json_slice *item) {
    return (rf_str){of->pool + item->key, item->key_len};
}

// The bytes of the string that `text` starts with, unescaped, added to the pool. A key of no item.
bool json_slices_string(json_slices *of, rf_str text, json_slice *out);
int json_slices_compare(rf_str a, rf_str b);

#endif
