// wire_events.h: folds a frame of events, in steps: check, then fold.
#ifndef RF_CORE_WIRE_EVENTS_H
#define RF_CORE_WIRE_EVENTS_H

#include "fold_state.h"
#include "base/key_set.h"
#include "frame/wire_in.h"
#include "world/world_state.h"
#include <roomfold/wire.h>

// A text of the frame, and the entity found when it was last looked up as an id.
typedef struct rf_packed_text {
    uint32_t at, len; // in the frame, which may move between calls
    uint32_t handle1, generation;
    bool key; // known to differ from all other keys
} rf_packed_text;

#define RF_PLAN_PARTS 8

// Values of 12 and 16 bytes in tight cells.
typedef enum rf_plan_shape { RF_PLAN_ANY, RF_PLAN_12, RF_PLAN_16, RF_PLAN_12_16 } rf_plan_shape;

// The meaning of a mask whose components are all numbers. Most events are updates with one of a few such masks.
typedef struct rf_packed_plan {
    uint32_t mask; // below 128: one byte
    uint32_t size, count;
    bool fast;   // otherwise values are read one by one
    bool small;  // all numbers are binary32, at least two of them
    bool logged; // if the shape is not ANY: all components are quantised; otherwise none is
    rf_plan_shape shape;
    rf_column *columns[RF_PLAN_PARTS];
} rf_packed_plan;

// What a fold keeps between calls.
typedef struct rf_packed_state {
    rf_packed_text *texts;
    uint64_t text_count;
    bool handles;   // some event refers to an entity by handle
    uint32_t since; // the first revision after the seq of these handles
    rf_packed_plan plan;
} rf_packed_state;

rf_packed_plan rf_packed_plan_of(const rf_world *world, uint32_t mask);

// Reads a varint below 2^21; NULL: it is larger or not in its shortest form. Three bytes must be readable.
static inline const uint8_t *rf_packed_small(const uint8_t *at, uint32_t *out) {
    uint32_t byte = *at++;
    *out = byte;
    if (byte < 0x80) return at;
    byte = *at++;
    *out = (*out & 0x7f) | (byte & 0x7f) << 7;
    if (byte >= 0x80) {
        byte = *at++;
        *out |= (byte & 0x7f) << 14;
    }
    return byte == 0 || byte >= 0x80 ? NULL : at;
}

// Bytes that must be readable before an update of numbers: its tag, its entity and a mask of one byte.
#define RF_PLAIN_HEAD 8

// wire_events_check.c: checks the whole frame. On success, batch and state are ready, and `in` is at the first event.
bool rf_packed_check(rf_wire_in *in, const rf_world *world, rf_packed_batch *batch, rf_packed_state *state,
                     rf_allocator allocator);

// wire_events_plain.c: folds consecutive events that need no draft, at most `most`; *done: how many. Fails with
// RF_NO_MEMORY only.
rf_status rf_packed_plain(rf_fold *fold, rf_packed_batch *batch, rf_wire_in *in, size_t most, size_t *done);
// The handle of the entity that an event is about, or RF_NO_HANDLE.
uint32_t rf_packed_find(const rf_world *world, rf_packed_state *state, const uint8_t *frame, uint64_t entity);

#endif
