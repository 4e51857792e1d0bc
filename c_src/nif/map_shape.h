// map_shape.h: reads small maps that mostly have the same keys as the previous one.
//
// For each size of map it remembers which key was at which position (in the VM's order) and what it means. The keys of
// the next map are compared one by one, which costs next to nothing if they are identical terms, as literals are.
#ifndef ROOMFOLD_NIF_MAP_SHAPE_H
#define ROOMFOLD_NIF_MAP_SHAPE_H

#include "common.h"

#define NIF_SHAPE_KEYS 8

// In every VM so far, a term's machine word is its address. If it were not, this would do no harm: it is only a hint.
#if defined(__GNUC__)
#define NIF_PREFETCH(term) __builtin_prefetch((const void *)(term))
#else
#define NIF_PREFETCH(term) ((void)(term))
#endif

typedef struct nif_key {
    ERL_NIF_TERM term; // 0: empty; then text has a length that no key has
    rf_str text;
    uint64_t ends[2]; // the first and the last 8 bytes of a text of 8 to 16 bytes, as most are
    int meaning;
} nif_key;

// Valid within one NIF call.
typedef struct nif_shape {
    nif_key keys[NIF_SHAPE_KEYS + 1]; // and a sentinel
} nif_shape;

typedef struct nif_shapes {
    nif_shape of_size[NIF_SHAPE_KEYS]; // of maps with 1 to NIF_SHAPE_KEYS keys
} nif_shapes;

void nif_shapes_start(nif_shapes *shapes);

// What a key means. Negative: a map with this key cannot be read this way.
typedef int nif_meaning(const void *context, rf_str key);

// Starts reading a map of 1 to NIF_SHAPE_KEYS keys; its remembered keys are *key up to *end. False for any other term.
static inline bool nif_shape_start(nif_shapes *shapes, ErlNifEnv *env, ERL_NIF_TERM map, ErlNifMapIterator *entries,
                                   nif_key **key, nif_key **end) {
    size_t size;
    if (!enif_get_map_size(env, map, &size) || size - 1 >= NIF_SHAPE_KEYS) return false;
    *key = shapes->of_size[size - 1].keys;
    *end = *key + size;
    return enif_map_iterator_create(env, map, entries, ERL_NIF_MAP_ITERATOR_FIRST);
}

// Remembers this key and its meaning.
int nif_key_learn(nif_key *key, ErlNifEnv *env, ERL_NIF_TERM term, nif_meaning *meaning, const void *context);

static inline bool nif_key_is(const nif_key *key, rf_str text) {
    uint64_t ends[2];
    if (text.len != key->text.len) return false;
    if (text.len - 8 > 8) return text.len == 0 || memcmp(text.data, key->text.data, text.len) == 0;
    memcpy(&ends[0], text.data, 8);
    memcpy(&ends[1], text.data + text.len - 8, 8);
    return ((ends[0] ^ key->ends[0]) | (ends[1] ^ key->ends[1])) == 0;
}

static inline int nif_key_meaning(nif_key *key, ErlNifEnv *env, ERL_NIF_TERM term, nif_meaning *meaning,
                                  const void *context) {
    rf_str text;
    if (term == key->term || (nif_bytes(env, term, &text) && nif_key_is(key, text))) return key->meaning;
    return nif_key_learn(key, env, term, meaning, context);
}

#endif
