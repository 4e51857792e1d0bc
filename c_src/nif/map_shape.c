#include "map_shape.h"

void nif_shapes_start(nif_shapes *shapes) {
    for (uint32_t i = 0; i < NIF_SHAPE_KEYS; i++) shapes->of_size[i].count = 0;
}

const nif_shape *nif_shapes_learn(nif_shapes *shapes, ErlNifEnv *env, const nif_entries *entries, nif_meaning *meaning,
                                  const void *context) {
    nif_shape *shape = &shapes->of_size[entries->count - 1];
    shape->count = 0;
    for (uint32_t i = 0; i < entries->count; i++) {
        if (!nif_bytes(env, entries->keys[i], &shape->texts[i])) return NULL;
        shape->keys[i] = entries->keys[i];
        shape->meanings[i] = meaning(context, shape->texts[i]);
        if (shape->meanings[i] < 0) return NULL;
    }
    shape->count = entries->count;
    return shape;
}
