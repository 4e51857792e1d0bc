#include "map_shape.h"

void nif_shapes_start(nif_shapes *shapes) {
    for (uint32_t i = 0; i < NIF_SHAPE_KEYS; i++) shapes->of_size[i].count = 0;
}

static bool learn_key(nif_shape *shape, ErlNifEnv *env, ERL_NIF_TERM key, nif_meaning *meaning, const void *context) {
    rf_str text;
    int means;
    if (!nif_bytes(env, key, &text) || (means = meaning(context, text)) < 0) return false;
    shape->keys[shape->count] = key;
    shape->texts[shape->count] = text;
    shape->meanings[shape->count++] = means;
    return true;
}

// Walks the map and remembers its keys.
static bool learn(nif_shape *shape, ErlNifEnv *env, ERL_NIF_TERM map, nif_meaning *meaning, const void *context,
                  ERL_NIF_TERM values[NIF_SHAPE_KEYS]) {
    ErlNifMapIterator entries;
    ERL_NIF_TERM key;
    bool ok = true;
    shape->count = 0;
    if (!enif_map_iterator_create(env, map, &entries, ERL_NIF_MAP_ITERATOR_FIRST)) return false;
    while (ok && enif_map_iterator_get_pair(env, &entries, &key, &values[shape->count])) {
        ok = learn_key(shape, env, key, meaning, context);
        enif_map_iterator_next(env, &entries);
    }
    enif_map_iterator_destroy(env, &entries);
    if (!ok) shape->count = 0;
    return ok;
}

static inline bool is_key(ErlNifEnv *env, const nif_shape *shape, uint32_t i, ERL_NIF_TERM key) {
    rf_str text;
    return key == shape->keys[i] || (nif_bytes(env, key, &text) && nif_same(text, shape->texts[i]));
}

// Whether the map, of as many keys as the shape, has the shape's keys, in its order.
static inline bool walk(const nif_shape *shape, ErlNifEnv *env, ERL_NIF_TERM map, ERL_NIF_TERM values[NIF_SHAPE_KEYS]) {
    ErlNifMapIterator entries;
    ERL_NIF_TERM key;
    uint32_t i = 0;
    if (!enif_map_iterator_create(env, map, &entries, ERL_NIF_MAP_ITERATOR_FIRST)) return false;
    while (enif_map_iterator_get_pair(env, &entries, &key, &values[i]) && is_key(env, shape, i, key) &&
           ++i < shape->count)
        enif_map_iterator_next(env, &entries);
    enif_map_iterator_destroy(env, &entries);
    return i == shape->count;
}

const nif_shape *nif_shapes_read(nif_shapes *shapes, ErlNifEnv *env, ERL_NIF_TERM map, nif_meaning *meaning,
                                 const void *context, ERL_NIF_TERM values[NIF_SHAPE_KEYS]) {
    size_t size;
    nif_shape *shape;
    if (!enif_get_map_size(env, map, &size) || size == 0 || size > NIF_SHAPE_KEYS) return NULL;
    shape = &shapes->of_size[size - 1];
    if (shape->count == size && walk(shape, env, map, values)) return shape;
    return learn(shape, env, map, meaning, context, values) ? shape : NULL;
}
