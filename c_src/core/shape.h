// shape.h: which keys an object of some kind had before, in their order. The next one of its kind most likely has them too, so each
// key costs one comparison with what is expected: no search for its end, no look-up, no search for duplicates.
#ifndef RF_CORE_SHAPE_H
#define RF_CORE_SHAPE_H

#include <roomfold/base.h>
#include <string.h>

#define RF_SHAPE_KEYS 12
#define RF_SHAPE_TEXT 30
#define RF_SHAPES 16

typedef struct rf_shape_key {
    uint8_t len;   // of the text
    int8_t target; // whatever the owner of the shape means by it
    char text[RF_SHAPE_TEXT]; // the key with quotes and colon
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

// The place of the key that stands at `at`, from `next` on; -1 if none of them does.
static inline int rf_shape_match(const rf_shape *shape, uint32_t next, const char *at, const char *end) {
    uint64_t here, expected;
    if (end - at < RF_SHAPE_TEXT) return -1;
    memcpy(&here, at, 8);
    for (uint32_t i = next; i < shape->count; i++) {
        const rf_shape_key *key = &shape->keys[i];
        memcpy(&expected, key->text, 8);
        if (key->len >= 8) {
            uint64_t last, expected_last;
            if (here != expected) continue;
            memcpy(&last, at + key->len - 8, 8);
            memcpy(&expected_last, key->text + key->len - 8, 8);
            if (last == expected_last && (key->len <= 16 || memcmp(at + 8, key->text + 8, key->len - 8u) == 0))
                return (int)i;
        } else if (memcmp(at, key->text, key->len) == 0) {
            return (int)i;
        }
    }
    return -1;
}

// Remembers a key at this place, if there is room and it is new. text: with quotes and colon.
static inline void rf_shape_learn(rf_shape *shape, uint32_t place, rf_str text, int target) {
    rf_shape_key *key = &shape->keys[place];
    if (text.len > RF_SHAPE_TEXT || target > INT8_MAX || shape->count == RF_SHAPE_KEYS || place > shape->count) return;
    for (uint32_t i = 0; i < shape->count; i++)
        if (shape->keys[i].len == text.len && memcmp(shape->keys[i].text, text.data, text.len) == 0) return;
    memmove(key + 1, key, (shape->count - place) * sizeof *key);
    memset(key, 0, sizeof *key);
    key->len = (uint8_t)text.len;
    key->target = (int8_t)target;
    memcpy(key->text, text.data, text.len);
    shape->count++;
}

#endif
