// wire_events.h: a frame of events on its way into a fold.
#ifndef RF_CORE_WIRE_EVENTS_H
#define RF_CORE_WIRE_EVENTS_H

#include "key_set.h"
#include "wire_in.h"
#include <roomfold/wire.h>

// A text of the frame, and who it was when it was last looked up as an id.
typedef struct rf_packed_text {
    uint32_t at, len; // in the frame, which may move between two calls
    uint32_t handle1, generation;
    bool key; // known to be no other key
} rf_packed_text;

#define RF_PLAN_PARTS 8

// Components of fixed size that a mask stands for.
typedef struct rf_packed_plan {
    uint64_t mask;
    uint32_t size, count;
    bool fast; // else it is read value by value
    struct {
        uint8_t column;
        uint16_t size;
    } parts[RF_PLAN_PARTS];
} rf_packed_plan;

// What a fold keeps from call to call.
typedef struct rf_packed_state {
    rf_packed_text *texts;
    uint64_t text_count;
    bool handles;   // events use them
    uint32_t since; // the first revision after the seq they are of
    rf_packed_plan plan;
} rf_packed_state;

rf_packed_plan rf_packed_plan_of(const rf_world *world, uint64_t mask);

// wire_events_check.c: looks at the whole frame; on success batch and state are ready, and in stands at the first event.
bool rf_packed_check(rf_wire_in *in, const rf_world *world, rf_packed_batch *batch, rf_packed_state *state,
                     rf_allocator allocator);

#endif
