#include "map_shape.h"

// Its first key is none, which is enough: keys are compared in their order.
static void forget(nif_shape *shape) {
    shape->keys[0] = (nif_key){.text = {NULL, SIZE_MAX}};
}

void nif_shapes_start(nif_shapes *shapes) {
    for (uint32_t i = 0; i < NIF_SHAPE_KEYS; i++) forget(&shapes->of_size[i]);
}

const nif_shape *nif_shapes_learn(nif_shapes *shapes, ErlNifEnv *env, const nif_entries *entries, nif_meaning *meaning,
                                  const void *context) {
    nif_shape *shape = &shapes->of_size[entries->count - 1];
    for (uint32_t i = 0; i < entries->count; i++) {
        nif_key *key = &shape->keys[i];
        bool ok = nif_bytes(env, entries->keys[i], &key->text);
        key->term = entries->keys[i];
        key->meaning = ok ? meaning(context, key->text) : -1;
        if (key->meaning >= 0) continue;
        forget(shape);
        return NULL;
    }
    return shape;
}
