// map_shape.h: reading small maps that mostly have the same keys as the one before.
//
// For maps of each size it is remembered which key stood in which place last, in the VM's order, and what it means: the
// next one's are compared with them one by one, which takes nothing if they are the very same terms, as literals are.
#ifndef ROOMFOLD_NIF_MAP_SHAPE_H
#define ROOMFOLD_NIF_MAP_SHAPE_H

#include "common.h"

#define NIF_SHAPE_KEYS 8

// Where a term lies says its word, in every VM so far. Elsewhere this harms nobody: it is a hint.
#if defined(__GNUC__)
#define NIF_PREFETCH(term) __builtin_prefetch((const void *)(term))
#else
#define NIF_PREFETCH(term) ((void)(term))
#endif

typedef struct nif_key {
    ERL_NIF_TERM term; // 0: nothing is remembered, and no text is as long as this one
    rf_str text;
    uint64_t ends[2]; // of a text of 8 to 16 bytes, which most are: the first and the last 8
    int meaning;
} nif_key;

// Valid within one NIF call, on the same terms.
typedef struct nif_shape {
    nif_key keys[NIF_SHAPE_KEYS + 1]; // one more, which is none
} nif_shape;

typedef struct nif_shapes {
    nif_shape of_size[NIF_SHAPE_KEYS]; // of maps with 1 to NIF_SHAPE_KEYS keys
} nif_shapes;

void nif_shapes_start(nif_shapes *shapes);

// What a key means; below zero: a map with this key can't be read this way.
typedef int nif_meaning(const void *context, rf_str key);

// Begins with a map of 1 to NIF_SHAPE_KEYS keys, which are looked up from *key on and end at *end. false: it is none.
static inline bool nif_shape_start(nif_shapes *shapes, ErlNifEnv *env, ERL_NIF_TERM map, ErlNifMapIterator *entries,
                                   nif_key **key, nif_key **end) {
    size_t size;
    if (!enif_get_map_size(env, map, &size) || size - 1 >= NIF_SHAPE_KEYS) return false;
    *key = shapes->of_size[size - 1].keys;
    *end = *key + size;
    return enif_map_iterator_create(env, map, entries, ERL_NIF_MAP_ITERATOR_FIRST);
}

// Remembers this key, and what it means.
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
