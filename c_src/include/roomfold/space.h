// space.h: where everything is that can be hit: targets that move, geometry that doesn't, and where it all was.
//
// Metres, y up, in binary64. All coordinates, sizes and ranges must lie within +-RF_SPACE_LIMIT.
// A space is not locked: one thread at a time, also for casting (an index may have to be brought up to date).
#ifndef ROOMFOLD_SPACE_H
#define ROOMFOLD_SPACE_H

#include <roomfold/alloc.h>
#include <roomfold/collider.h>
#include <roomfold/simd.h>
#include <roomfold/status.h>

RF_BEGIN

#define RF_SPACE_LIMIT 1e9
#define RF_LAYER_DEFAULT 1u
#define RF_LAYERS_ALL UINT32_MAX
#define RF_NO_SECTOR UINT32_MAX

typedef struct rf_space rf_space;

// How a space is made. Start from rf_space_def_default().
typedef struct rf_space_def {
    uint32_t cookie;
    rf_allocator allocator;
    rf_simd simd;            // RF_SIMD_AUTO
    uint32_t max_targets;    // keys are below this; 1,048,576
    uint32_t max_statics;    // walls, boxes, triangles and sectors each; 1,048,576
    double history_ms;       // how far back shots can be tested; 1,000
    uint32_t history_states; // and at most so many states; 128
} rf_space_def;

RF_API rf_space_def rf_space_def_default(void);
RF_API rf_status rf_space_new(const rf_space_def *def, rf_space **out);
RF_API void rf_space_free(rf_space *space);
RF_API size_t rf_space_memory(const rf_space *space); // bytes it has allocated, all of them
RF_API rf_simd rf_space_simd(const rf_space *space);  // what it uses; never RF_SIMD_AUTO

// --- targets: named by a number of the caller's (an entity's handle), below max_targets

typedef struct rf_target {
    rf_str id;    // 1 to 255 bytes; equal hits are ordered by it
    rf_str owner; // somebody's id, or empty: shots of that owner pass through
    rf_collider collider;
    double position[3];
    uint32_t layers; // a shot meets it if its mask has one of these bits
} rf_target;

// Creates the target, or replaces the one under this key: with the past of that one it has nothing to do.
// A refused target leaves what was under the key untouched.
RF_API rf_status rf_space_put(rf_space *space, uint32_t key, const rf_target *target);
// The same target gets another collider, owner or layers (and position); its past is still its own. The id must be the
// same.
RF_API rf_status rf_space_change(rf_space *space, uint32_t key, const rf_target *target);
// RF_INVALID_ARGUMENT if there is no such target, RF_NUMBER_OUT_OF_RANGE if the position is not one.
RF_API rf_status rf_space_move(rf_space *space, uint32_t key, const double position[3]);
// Does nothing if there is no such target.
RF_API void rf_space_remove(rf_space *space, uint32_t key);
RF_API bool rf_space_has(const rf_space *space, uint32_t key);
RF_API bool rf_space_position(const rf_space *space, uint32_t key, double out[3]);
RF_API uint32_t rf_space_count(const rf_space *space);

// --- static geometry: numbered from 0 in the order it was added

// A room of a level, for the heights of the walls around it.
typedef struct rf_sector {
    double floor, ceiling;
} rf_sector;

// An upright wall over the segment from (x1, z1) to (x2, z2), from bottom to top (which may be infinite). Between two
// sectors it is open from the higher floor to the lower ceiling, and where both floors or both ceilings are level it is
// open without end on that side. What just fits through passes.
typedef struct rf_wall {
    double x1, z1, x2, z2;
    double bottom, top;
    uint32_t front, back; // sectors; without a back (RF_NO_SECTOR) there is no opening
    uint32_t layers;
} rf_wall;

RF_API rf_status rf_space_add_sector(rf_space *space, rf_sector sector, uint32_t *number);
// A door or lift moves.
RF_API rf_status rf_space_set_sector(rf_space *space, uint32_t number, rf_sector sector);
RF_API uint32_t rf_space_sectors(const rf_space *space);
RF_API bool rf_space_sector(const rf_space *space, uint32_t number, rf_sector *out);
RF_API rf_status rf_space_add_wall(rf_space *space, const rf_wall *wall, uint32_t *number);
RF_API rf_status rf_space_add_box(rf_space *space, const double low[3], const double high[3], uint32_t layers,
                                  uint32_t *number);
// Hit from both sides.
RF_API rf_status rf_space_add_triangle(rf_space *space, const double corners[3][3], uint32_t layers, uint32_t *number);
// All geometry and all sectors, also from the past.
RF_API void rf_space_clear_statics(rf_space *space);
RF_API uint32_t rf_space_walls(const rf_space *space);

// --- the past

// Everything is now where it is at this seq and time (milliseconds): remembered for shots at the past. Neither may fall
// (RF_INVALID_ARGUMENT); the same again does nothing.
RF_API rf_status rf_space_commit(rf_space *space, uint64_t seq, double time_ms);
RF_API void rf_space_forget(rf_space *space);
// The oldest and the newest state; false if there is none.
typedef struct rf_span {
    uint64_t first_seq, last_seq;
    double first_ms, last_ms;
} rf_span;
RF_API bool rf_space_span(const rf_space *space, rf_span *out);

RF_END

#endif
