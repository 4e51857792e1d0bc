// shape.h: which keys an object of some kind had before, in their order. The next one of its kind most likely has them too, so each
// key costs one comparison with what is expected: no search for its end, no look-up, no search for duplicates.
#ifndef RF_CORE_SHAPE_H
#define RF_CORE_SHAPE_H

#include <roomfold/base.h>
#include <string.h>

#define RF_SHAPE_KEYS 12
#define RF_SHAPE_TEXT 32
#define RF_SHAPES 16

typedef struct rf_shape_key {
    uint64_t words[RF_SHAPE_TEXT / 8]; // the key with quotes and colon, then zeros
    uint64_t masks[RF_SHAPE_TEXT / 8]; // all ones where there is text
    uint8_t len;                       // of the text
    int8_t target;                     // whatever the owner of the shape means by it
} rf_shape_key;

// All keys are different. An object that has some of them in this order has none of them twice.
typedef struct rf_shape {
    const void *owner;
    uint32_t count;
    rf_shape_key keys[RF_SHAPE_KEYS];
} rf_shape;

typedef struct rf_shapes {
    rf_shape shapes[RF_SHAPES];
} rf_shapes;

// The shape of this owner's objects; starts over if another one had the place.
static inline rf_shape *rf_shape_of(rf_shapes *shapes, const void *owner) {
    uint64_t mixed = (uint64_t)(uintptr_t)owner * UINT64_C(0x9e3779b97f4a7c15);
    rf_shape *shape = &shapes->shapes[mixed >> 60];
    if (shape->owner != owner) {
        shape->owner = owner;
        shape->count = 0;
    }
    return shape;
}

static inline bool rf_shape_is(const rf_shape_key *key, const char *at) {
    uint64_t here[4];
    memcpy(here, at, 16);
    if (((here[0] ^ key->words[0]) & key->masks[0]) | ((here[1] ^ key->words[1]) & key->masks[1])) return false;
    if (key->len <= 16) return true;
    memcpy(here + 2, at + 16, 16);
    return (((here[2] ^ key->words[2]) & key->masks[2]) | ((here[3] ^ key->words[3]) & key->masks[3])) == 0;
}

// The key that stands at `at`, from the shape's `next` on; NULL if none of them does, or the text ends too soon to tell.
static inline const rf_shape_key *rf_shape_match(const rf_shape *shape, uint32_t next, const char *at, const char *end) {
    if (end - at < RF_SHAPE_TEXT) return NULL;
    for (uint32_t i = next; i < shape->count; i++)
        if (rf_shape_is(&shape->keys[i], at)) return &shape->keys[i];
    return NULL;
}

static inline rf_str rf_shape_key_name(const rf_shape_key *key) {
    return (rf_str){(const char *)key->words + 1, key->len - 3u};
}

// Remembers a key at this place, if there is room and it is new. text: with quotes and colon.
static inline void rf_shape_learn(rf_shape *shape, uint32_t place, rf_str text, int target) {
    rf_shape_key *key = &shape->keys[place];
    if (text.len > RF_SHAPE_TEXT || target > INT8_MAX || shape->count == RF_SHAPE_KEYS || place > shape->count) return;
    for (uint32_t i = 0; i < shape->count; i++)
        if (shape->keys[i].len == text.len && memcmp(shape->keys[i].words, text.data, text.len) == 0) return;
    memmove(key + 1, key, (shape->count - place) * sizeof *key);
    memset(key, 0, sizeof *key);
    key->len = (uint8_t)text.len;
    key->target = (int8_t)target;
    memcpy(key->words, text.data, text.len);
    memset(key->masks, 0xff, text.len);
    shape->count++;
}

#endif
