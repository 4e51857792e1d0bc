// past.h: where everything was. Each committed state keeps all positions; between two states everything moves evenly.
#ifndef RF_CORE_PAST_H
#define RF_CORE_PAST_H

#include "bvh.h"
#include "world/entity_id.h"
#include "sweep.h"
#include <roomfold/space.h>

// What stays the same while a target moves. Shared by the present and the states it was in.
typedef struct rf_profile {
    rf_shape shape;
    uint64_t life; // a target that replaces another has another life
    uint32_t users;
    uint32_t key;
    uint32_t layers;
    rf_entity_id id, owner;
} rf_profile;

typedef struct rf_state {
    uint64_t seq;
    double time;
    uint32_t count;
    double (*positions)[3]; // in the order of keys
    rf_profile **profiles;
    uint32_t *match; // the same target in the next state, plus one; 0 if it isn't there. Once indexed
    rf_sector *sectors;
    uint32_t sectors_count;
    rf_bvh index; // over the way of each target to the next state
    bool indexed;
} rf_state;

typedef struct rf_past {
    rf_state *states; // a ring: oldest first
    uint32_t first, count, capacity;
    double length; // in milliseconds
} rf_past;

void rf_profile_release(rf_profile *profile, rf_mem *mem);
rf_state *rf_past_state(const rf_past *past, uint32_t number);
void rf_past_free(rf_past *past, rf_mem *mem);
void rf_past_clear(rf_past *past, rf_mem *mem);
// For when the sectors are no longer there.
void rf_past_forget_sectors(rf_past *past, rf_mem *mem);
// The last state at or before a seq or time; UINT32_MAX if all are later.
uint32_t rf_past_find_seq(const rf_past *past, uint64_t seq);
uint32_t rf_past_find_time(const rf_past *past, double time);

#endif
