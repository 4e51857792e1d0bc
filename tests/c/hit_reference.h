// hit_reference.h: slow reference implementations of hits: one that only computes distances and bisects, for the
// geometry of each pair of shapes; and one that tests everything one by one, for the rest.
#ifndef TESTS_HIT_REFERENCE_H
#define TESTS_HIT_REFERENCE_H

#include "core/hit/sweep.h"
#include "support.h"

// --- geometry

// Something that stands still: a box from corner to corner + (first[0], first[1], first[2]), or all of corner + u *
// first
// + v * second with u, v from 0 to 1 (of a triangle u + v at most 1); and everything within radius around it.
typedef enum thing_kind { THING_BOX, THING_PANEL, THING_TRIANGLE } thing_kind;
typedef struct thing {
    thing_kind kind;
    double corner[3], first[3], second[3];
    double radius;
} thing;

typedef struct near_miss {
    bool hit, unsure; // unsure: too close to touching to be decided
    double t;
} near_miss;

// When the moving shape (a box with half extents, or a sphere) first touches the thing.
near_miss slow_sweep(const thing *other, const double origin[3], const double translation[3], const double half[3],
                     double radius);

// --- a space without index, history or SIMD

typedef struct model_target {
    bool there;
    char id[16], owner[16];
    rf_target target;
} model_target;

typedef struct model {
    model_target *targets; // by key
    uint32_t keys;
    rf_sector *sectors;
    uint32_t sectors_count;
    rf_wall *walls;
    uint32_t walls_count;
    double (*boxes)[2][3];
    uint32_t boxes_count;
    double (*triangles)[3][3];
    uint32_t triangles_count;
} model;

// All hits of a valid shot in their order; the caller frees items.
rf_hits slow_cast(const model *in, const rf_shot *shot);
rf_hits slow_overlap(const model *in, const rf_zone *zone);

// Whether the hits are equal, bit by bit.
bool same_hits(const rf_hit *a, const rf_hit *b, size_t count);

// --- random worlds

double random_between(uint64_t *state, double low, double high);
// A random number, low plus a multiple of step, so that things often touch and coincide.
double random_step(uint64_t *state, double low, double high, double step);

#endif
