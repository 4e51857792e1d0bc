// hit.h: who is hit. The exact meaning of every word here is in docs/hits.md.
#ifndef ROOMFOLD_HIT_H
#define ROOMFOLD_HIT_H

#include <roomfold/space.h>

RF_BEGIN

// What a shot or query is tested against.
typedef enum rf_moment_kind {
    RF_NOW,     // where everything is, committed or not
    RF_AT_SEQ,  // moment.value is a seq
    RF_AT_TIME, // moment.value is a time in ms
} rf_moment_kind;

typedef struct rf_moment {
    rf_moment_kind kind;
    double value;
} rf_moment;

typedef enum rf_shot_kind {
    RF_SHOT_FIRST,  // the earliest hit
    RF_SHOT_PIERCE, // all targets up to the first static thing, and that
    RF_SHOT_ALL,    // everything on its way
} rf_shot_kind;

// A shape on its way. Zero it, then set what is needed: a zeroed collider is a ray.
typedef struct rf_shot {
    rf_shot_kind kind;
    uint32_t mask;       // 0 stands for RF_LAYERS_ALL
    double origin[3];    // where the collider's position starts
    double direction[3]; // of any length but zero
    double range;        // how far it goes
    rf_collider collider;
    rf_str owner; // an id: passes through this target and through everything it owns; or empty
    rf_moment moment;
} rf_shot;

typedef enum rf_hit_kind {
    RF_HIT_TARGET,
    RF_HIT_WALL,
    RF_HIT_BOX,
    RF_HIT_TRIANGLE,
} rf_hit_kind;

typedef struct rf_hit {
    rf_hit_kind kind;
    uint32_t number;  // the target's key (at the moment tested), or the number of the static thing
    rf_str id;        // of the target; valid until the space changes
    double t;         // 0 at the origin, 1 at the end of the range; of a query: unused
    double distance;  // t in metres; of a query: from its centre to the nearest point of the target's collider
    double point[3];  // where the collider's position is then
    double normal[3]; // of what was hit, towards the shot, length 1; against the direction if it was hit at t = 0
} rf_hit;

// Hits of many shots, one behind the other. Memory grows by doubling, up to the limit.
typedef struct rf_hits {
    rf_allocator allocator;
    size_t limit; // of len; what would go beyond it is RF_TOO_LARGE
    rf_hit *items;
    size_t len, capacity;
} rf_hits;

RF_API rf_hits rf_hits_new(rf_allocator allocator, size_t limit);
RF_API void rf_hits_free(rf_hits *hits);

// What became of one shot or query.
typedef struct rf_answer {
    rf_status status; // RF_OK, or why it was not tested
    uint32_t count;   // of its hits,
    size_t first;     // which start here in the list
    uint64_t seq;     // the state it was tested against (not for RF_NOW),
    double blend;     // and how much of the way to the next one, 0 to below 1
} rf_answer;

// Tests count shots, filling count answers and adding to hits. Work is proportional to count, so a batch can be cut
// anywhere. Fails with RF_NO_MEMORY only; the shots that were not tested then have that status too.
RF_API rf_status rf_cast(rf_space *space, const rf_shot *shots, size_t count, rf_answer *answers, rf_hits *hits);

// Which targets touch a box or sphere? (Static geometry is not asked.) Hits in the order of their ids.
typedef struct rf_zone {
    uint32_t mask; // 0 stands for RF_LAYERS_ALL
    double position[3];
    rf_collider collider;
    rf_moment moment;
} rf_zone;

RF_API rf_status rf_overlap(rf_space *space, const rf_zone *zones, size_t count, rf_answer *answers, rf_hits *hits);

RF_END

#endif
