// wire_events.h: a frame of events on its way into a fold.
#ifndef RF_CORE_WIRE_EVENTS_H
#define RF_CORE_WIRE_EVENTS_H

#include "fold_state.h"
#include "base/key_set.h"
#include "frame/wire_in.h"
#include "world/world_state.h"
#include <roomfold/wire.h>

// A text of the frame, and who it was when it was last looked up as an id.
typedef struct rf_packed_text {
    uint32_t at, len; // in the frame, which may move between two calls
    uint32_t handle1, generation;
    bool key; // known to be no other key
} rf_packed_text;

#define RF_PLAN_PARTS 8

// Values of 12 and 16 bytes in tight cells.
typedef enum rf_plan_shape { RF_PLAN_ANY, RF_PLAN_12, RF_PLAN_16, RF_PLAN_12_16 } rf_plan_shape;

// What a mask of nothing but numbers stands for: most events are updates with one of a few such masks.
typedef struct rf_packed_plan {
    uint32_t mask; // below 128: one byte
    uint32_t size, count;
    bool fast;   // else it is read value by value
    bool small;  // all of it binary32, at least two of them
    bool logged; // unless the shape is any: all components are quantised; else none is
    rf_plan_shape shape;
    rf_column *columns[RF_PLAN_PARTS];
} rf_packed_plan;

// What a fold keeps from call to call.
typedef struct rf_packed_state {
    rf_packed_text *texts;
    uint64_t text_count;
    bool handles;   // events use them
    uint32_t since; // the first revision after the seq they are of
    rf_packed_plan plan;
} rf_packed_state;

rf_packed_plan rf_packed_plan_of(const rf_world *world, uint32_t mask);

// A varint below 2^21; NULL: it is larger, or not in its one form. There must be three bytes.
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

// Of an update of numbers: the tag, an entity, a mask of one byte.
#define RF_PLAIN_HEAD 8

// wire_events_check.c: looks at the whole frame; on success batch and state are ready, and in stands at the first
// event.
bool rf_packed_check(rf_wire_in *in, const rf_world *world, rf_packed_batch *batch, rf_packed_state *state,
                     rf_allocator allocator);

// wire_events_plain.c: folds as many events in a row as need no draft, at most `most`, and says how many. Fails with
// RF_NO_MEMORY.
rf_status rf_packed_plain(rf_fold *fold, rf_packed_batch *batch, rf_wire_in *in, size_t most, size_t *done);
// Who an event is about, or RF_NO_HANDLE.
uint32_t rf_packed_find(const rf_world *world, rf_packed_state *state, const uint8_t *frame, uint64_t entity);

#endif
