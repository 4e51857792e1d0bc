// past.h: the committed states of a space. Each keeps all positions; between two states, positions are interpolated.
#ifndef RF_CORE_PAST_H
#define RF_CORE_PAST_H

#include "bvh.h"
#include "world/entity_id.h"
#include "sweep.h"
#include <roomfold/space.h>

// What does not change when a target moves. Shared by the present and the states that contain it.
typedef struct rf_profile {
    rf_shape shape;
    uint64_t incarnation; // differs for a target that replaces another one under its key
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
    uint32_t *match; // once indexed: the index of the same target in the next state, plus one; 0: none
    rf_sector *sectors;
    uint32_t sectors_count;
    rf_bvh index; // over each target's path to the next state
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
// Call when the sectors have been removed.
void rf_past_forget_sectors(rf_past *past, rf_mem *mem);
// The last state at or before a seq or time; UINT32_MAX if all are later.
uint32_t rf_past_find_seq(const rf_past *past, uint64_t seq);
uint32_t rf_past_find_time(const rf_past *past, double time);

#endif
