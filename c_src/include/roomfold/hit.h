// hit.h: casts shots through a space, and finds which targets touch a zone. docs/hits.md defines every term exactly.
//
//     rf_shot shot = {.origin = {0, 1, 0}, .direction = {1, 0, 0}, .range = 20};
//     rf_hits hits = rf_hits_new(allocator, 1000);
//     rf_cast(space, &shot, 1, &answer, &hits);
//     for (size_t i = 0; i < answer.count; i++) use(&hits.items[answer.first + i]);
//     rf_hits_free(&hits);
#ifndef ROOMFOLD_HIT_H
#define ROOMFOLD_HIT_H

#include <roomfold/space.h>

RF_BEGIN

// When a shot or query takes place.
typedef enum rf_moment_kind {
    RF_NOW,     // everything at its current position, committed or not
    RF_AT_SEQ,  // moment.value is a seq: the last state committed at or before it
    RF_AT_TIME, // moment.value is a time in ms: interpolated between the states around it
} rf_moment_kind;

typedef struct rf_moment {
    rf_moment_kind kind;
    double value;
} rf_moment;

typedef enum rf_shot_kind {
    RF_SHOT_FIRST,  // the earliest hit
    RF_SHOT_PIERCE, // all targets up to the first static thing, and that thing
    RF_SHOT_ALL,    // everything along the way
} rf_shot_kind;

// A ray or a moving shape. Zero it, then set what is needed; a zeroed collider makes it a ray.
typedef struct rf_shot {
    rf_shot_kind kind;
    uint32_t mask;       // layers it can hit; 0: all
    double origin[3];    // the collider's position at the start
    double direction[3]; // of any length except zero
    double range;        // metres
    rf_collider collider;
    rf_str owner; // an id, or empty: the shot passes through this target and everything it owns
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
    uint32_t number;  // the target's key (at the shot's moment), or the number of the static thing
    rf_str id;        // of a target; valid until the space changes
    double t;         // 0 at the origin, 1 at the end of the range; unused for zones
    double distance;  // t in metres; for zones, from the zone's centre to the nearest point of the target's collider
    double point[3];  // of a shot, its collider's position at t; for zones, that nearest point
    double normal[3]; // of the surface that was hit, towards the shot, length 1; at t = 0 the reversed direction
} rf_hit;

// The hits of several shots, in the order of the shots. Grows by doubling, up to the limit.
typedef struct rf_hits {
    rf_allocator allocator;
    size_t limit; // of len; a shot whose hits do not fit gets RF_TOO_LARGE
    rf_hit *items;
    size_t len, capacity;
} rf_hits;

// An empty list; allocates nothing yet.
RF_API rf_hits rf_hits_new(rf_allocator allocator, size_t limit);
// Frees the items. The list is then empty and can be used again.
RF_API void rf_hits_free(rf_hits *hits);

// The result of one shot or query.
typedef struct rf_answer {
    rf_status status; // RF_OK, or why it could not be tested (docs/hits.md, "Errors")
    uint32_t count;   // how many hits it has
    size_t first;     // the index of its first hit in the list
    uint64_t seq;     // the state it was tested against; 0 for RF_NOW
    double blend;     // how far between that state and the next one, from 0 to below 1
} rf_answer;

// Casts `count` shots: fills as many answers and appends to hits. The work is proportional to count, so a batch can be
// split anywhere. A bad shot gets its own status. The call fails with RF_NO_MEMORY only; the shots that were not tested
// then have that status too.
RF_API rf_status rf_cast(rf_space *space, const rf_shot *shots, size_t count, rf_answer *answers, rf_hits *hits);

// A query for all targets that touch a collider.
typedef struct rf_zone {
    uint32_t mask; // layers it can touch; 0: all
    double position[3];
    rf_collider collider; // any kind
    rf_moment moment;
} rf_zone;

// Tests `count` zones against targets, not against static geometry. The hits of a zone are in the order of their ids.
// Statuses as for rf_cast.
RF_API rf_status rf_overlap(rf_space *space, const rf_zone *zones, size_t count, rf_answer *answers, rf_hits *hits);

RF_END

#endif
