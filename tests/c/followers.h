// followers.h: receivers of a world's frames, each at a seq of its own: what a diff makes of what they have must be
// what a snapshot would give them.
#ifndef TESTS_FOLLOWERS_H
#define TESTS_FOLLOWERS_H

#include "support.h"

#include <stdio.h>

#define FOLLOWERS 4

typedef struct follower {
    rf_world *world; // from packed frames; NULL: it has not joined
    json_t *json;    // from the same frames as JSON
} follower;

typedef struct followers {
    const rf_world *sender;
    uint32_t history;  // seqs it remembers
    bool lossless;     // then they have what it has, to the bit
    uint64_t *state;   // of the generator: who gets what
    bool rejoins;      // now and then somebody gets everything, though a diff would do
    unsigned look;     // what has come of one in so many frames is looked at, and all of the last step
    const char *about; // what a failure is of
    follower all[FOLLOWERS];
    // Where every frame is written, and what its receiver must have then (docs in test_wire_streams.c); or NULL.
    FILE *out;
} followers;

// Gives each of them nothing, what it lacks, or everything. last: everybody what it lacks.
void followers_step(followers *all, bool last);
void followers_free(followers *all);

#endif
