// targets.h: the targets that are there now.
#ifndef RF_CORE_TARGETS_H
#define RF_CORE_TARGETS_H

#include "bvh.h"
#include "past.h"

// Where a target is and what is around it: one cache line, all that the index and the final test need.
typedef struct rf_body {
    double position[3];
    rf_shape shape;
} rf_body;

typedef struct rf_targets {
    rf_body *bodies; // without gaps, in no order; aligned to cache lines
    rf_profile **profiles;
    uint32_t *layers; // those of the profiles, again: a look into them costs a cache miss
    uint32_t count, capacity;
    void *block;      // the memory of bodies
    uint32_t *places; // by key: the place in bodies plus one; 0 if there is no such target
    uint32_t keys;    // length of places
    uint64_t lives;   // how many targets there ever were
    rf_bvh index;
    bool indexed; // the index has the same targets,
    bool fitted;  // where they are now
} rf_targets;

void rf_targets_free(rf_targets *targets, rf_mem *mem);
// Brings the index up to date; false when out of memory.
bool rf_targets_index(rf_targets *targets, rf_mem *mem);

// What the final test looks at, before it does: places are in no order.
static inline void rf_targets_prefetch(const rf_targets *targets, uint32_t place) {
    __builtin_prefetch(&targets->bodies[place]);
    __builtin_prefetch(&targets->layers[place]);
    __builtin_prefetch(&targets->profiles[place]);
}

// The place in bodies; UINT32_MAX if there is no such target.
static inline uint32_t rf_targets_place(const rf_targets *targets, uint32_t key) {
    return key < targets->keys ? targets->places[key] - 1 : UINT32_MAX;
}

#endif
