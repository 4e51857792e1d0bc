// map_shape.h: reading small maps that mostly have the same keys as the one before.
//
// Asking a map of a few keys for one costs less than walking it, above all if the key is the very same term, as
// literals are. So the keys of the last map of each size are remembered with what they mean: a map of that size that
// has them all has no others. A map with more keys is walked, as each question would look at all keys before the one.
#ifndef ROOMFOLD_NIF_MAP_SHAPE_H
#define ROOMFOLD_NIF_MAP_SHAPE_H

#include "common.h"

#define NIF_SHAPE_KEYS 8

// Valid within one NIF call, on the same terms.
typedef struct nif_shape {
    uint32_t count; // 0: nothing is remembered
    ERL_NIF_TERM keys[NIF_SHAPE_KEYS];
    rf_str texts[NIF_SHAPE_KEYS]; // of the keys
    int meanings[NIF_SHAPE_KEYS];
} nif_shape;

typedef struct nif_shapes {
    nif_shape of_size[NIF_SHAPE_KEYS]; // of maps with 1 to NIF_SHAPE_KEYS keys
} nif_shapes;

void nif_shapes_start(nif_shapes *shapes);

// What a key means; below zero: a map with this key can't be read this way.
typedef int nif_meaning(const void *context, rf_str key);

// Reads all values of a map, in the order of the shape that is returned. NULL: it is not a map, it has no keys or too
// many, or one that is not a binary or that `meaning` refuses.
const nif_shape *nif_shapes_read(nif_shapes *shapes, ErlNifEnv *env, ERL_NIF_TERM map, nif_meaning *meaning,
                                 const void *context, ERL_NIF_TERM values[NIF_SHAPE_KEYS]);

#endif
