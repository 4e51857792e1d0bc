// followers.h: receivers of a world's frames, each at its own seq: applying a diff must give the same state as loading
// a snapshot.
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
    uint32_t history;  // of the sender, in seqs
    bool lossless;     // receivers must then be bit-equal to the sender
    uint64_t *state;   // of the generator that decides what each receiver gets
    bool rejoins;      // sometimes sends a snapshot although a diff would do
    unsigned look;     // checks the result of one in this many frames, and of all in the last step
    const char *about; // for messages of failures
    follower all[FOLLOWERS];
    // Where to write each frame and its receiver's expected state (format: test_wire_streams.c); or NULL.
    FILE *out;
} followers;

// Sends each receiver nothing, a diff or a snapshot. last: a diff to all.
void followers_step(followers *all, bool last);
void followers_free(followers *all);

#endif
