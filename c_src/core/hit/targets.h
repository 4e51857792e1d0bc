// targets.h: the current targets of a space.
#ifndef RF_CORE_TARGETS_H
#define RF_CORE_TARGETS_H

#include "bvh.h"
#include "past.h"

// A target's position and shape: one cache line, which is all that the index and the final test need.
typedef struct rf_body {
    double position[3];
    rf_shape shape;
} rf_body;

typedef struct rf_targets {
    rf_body *bodies; // contiguous, unordered; aligned to cache lines
    rf_profile **profiles;
    uint32_t *layers; // copies of the profiles' layers, to avoid a cache miss
    uint32_t count, capacity;
    void *block;           // the memory of bodies
    uint32_t *places;      // by key: the index in bodies plus one; 0: no target
    uint32_t keys;         // length of places
    uint64_t incarnations; // that rf_space_put has given away
    rf_bvh index;
    bool indexed; // the index contains the current targets,
    bool fitted;  // at their current positions
} rf_targets;

void rf_targets_free(rf_targets *targets, rf_mem *mem);
// Updates the index; false when out of memory.
bool rf_targets_index(rf_targets *targets, rf_mem *mem);
// Creates, changes or replaces the target under this key. It has the same past as before if this is its incarnation,
// also if it was removed for a while. Fails as rf_space_put.
rf_status rf_targets_put(rf_space *space, uint32_t key, const rf_target *target, uint64_t incarnation);

// Prefetches what the final test will read; hits come in no memory order.
static inline void rf_targets_prefetch(const rf_targets *targets, uint32_t place) {
    __builtin_prefetch(&targets->bodies[place]);
    __builtin_prefetch(&targets->layers[place]);
    __builtin_prefetch(&targets->profiles[place]);
}

// The target's index in bodies; UINT32_MAX: no such target.
static inline uint32_t rf_targets_place(const rf_targets *targets, uint32_t key) {
    return key < targets->keys ? targets->places[key] - 1 : UINT32_MAX;
}

#endif
