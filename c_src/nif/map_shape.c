#include "map_shape.h"

static void forget(nif_key *key) {
    *key = (nif_key){.text = {NULL, SIZE_MAX}};
}

void nif_shapes_start(nif_shapes *shapes) {
    for (uint32_t i = 0; i < NIF_SHAPE_KEYS; i++) forget(&shapes->of_size[i].keys[0]);
}

int nif_key_learn(nif_key *key, ErlNifEnv *env, ERL_NIF_TERM term, nif_meaning *meaning, const void *context) {
    forget(key);
    if (!nif_bytes(env, term, &key->text)) return -1;
    key->term = term;
    if (key->text.len - 8 <= 8) {
        memcpy(&key->ends[0], key->text.data, 8);
        memcpy(&key->ends[1], key->text.data + key->text.len - 8, 8);
    }
    key->meaning = meaning(context, key->text);
    forget(key + 1); // the keys after this one are learnt again, too
    return key->meaning;
}
