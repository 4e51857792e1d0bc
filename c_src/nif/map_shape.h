// map_shape.h: reading small maps that mostly have the same keys as the one before.
//
// The keys of the last map of each size are remembered, in the VM's order, with what they mean: the next one's are
// compared with them one by one, which takes nothing if they are the very same terms, as literals are.
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

// Of a tuple, small map or short binary, which may lie on two lines: both.
static inline void nif_prefetch_both(ERL_NIF_TERM term) {
    NIF_PREFETCH(term);
    NIF_PREFETCH(term + 3 * sizeof term);
}

// What a map of 1 to NIF_SHAPE_KEYS keys holds.
typedef struct nif_entries {
    uint32_t count;
    ERL_NIF_TERM keys[NIF_SHAPE_KEYS], values[NIF_SHAPE_KEYS];
} nif_entries;

typedef struct nif_key {
    ERL_NIF_TERM term; // 0: nothing is remembered, and no text is as long as this one
    rf_str text;
    int meaning;
} nif_key;

// Valid within one NIF call, on the same terms.
typedef struct nif_shape {
    nif_key keys[NIF_SHAPE_KEYS];
} nif_shape;

typedef struct nif_shapes {
    nif_shape of_size[NIF_SHAPE_KEYS]; // of maps with 1 to NIF_SHAPE_KEYS keys
} nif_shapes;

void nif_shapes_start(nif_shapes *shapes);

// And asks for what it holds. false: it is not a map, or has no keys or too many.
static inline bool nif_entries_read(ErlNifEnv *env, ERL_NIF_TERM map, nif_entries *out) {
    ErlNifMapIterator iterator;
    size_t size, i = 0;
    if (!enif_get_map_size(env, map, &size) || size - 1 >= NIF_SHAPE_KEYS) return false;
    if (!enif_map_iterator_create(env, map, &iterator, ERL_NIF_MAP_ITERATOR_FIRST)) return false;
    while (enif_map_iterator_get_pair(env, &iterator, &out->keys[i], &out->values[i])) {
        nif_prefetch_both(out->keys[i]);
        nif_prefetch_both(out->values[i]);
        if (++i == size) break;
        enif_map_iterator_next(env, &iterator);
    }
    enif_map_iterator_destroy(env, &iterator);
    out->count = (uint32_t)size;
    return i == size;
}

// What a key means; below zero: a map with this key can't be read this way.
typedef int nif_meaning(const void *context, rf_str key);

// Remembers these keys. NULL: one is not a binary, or `meaning` refuses it.
const nif_shape *nif_shapes_learn(nif_shapes *shapes, ErlNifEnv *env, const nif_entries *entries, nif_meaning *meaning,
                                  const void *context);

static inline bool nif_key_is(const nif_key *key, ErlNifEnv *env, ERL_NIF_TERM term) {
    rf_str text;
    return term == key->term || (nif_bytes(env, term, &text) && nif_same(text, key->text));
}

// The shape whose meanings are those of the entries, one by one. NULL: there is none (nif_shapes_learn).
static inline const nif_shape *nif_shapes_of(nif_shapes *shapes, ErlNifEnv *env, const nif_entries *entries,
                                             nif_meaning *meaning, const void *context) {
    const nif_shape *shape = &shapes->of_size[entries->count - 1];
    const ERL_NIF_TERM *term = entries->keys, *end = term + entries->count;
    for (const nif_key *key = shape->keys; term < end; key++, term++)
        if (!nif_key_is(key, env, *term)) return nif_shapes_learn(shapes, env, entries, meaning, context);
    return shape;
}

#endif
