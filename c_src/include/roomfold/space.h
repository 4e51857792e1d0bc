// space.h: everything that can be hit: moving targets, static geometry, and their recent past.
//
//     rf_space_def def = rf_space_def_default();
//     rf_space_new(&def, &space);
//     rf_target bat = {.id = {"bat", 3}, .collider = rf_collider_box(0.5, 2), .position = {10, 0, 3}, .layers = 1};
//     rf_space_put(space, 0, &bat);
//     rf_space_commit(space, seq, time_ms);    each tick; then shots can also be cast at this moment
//
// Metres, y up, binary64. All coordinates, sizes and ranges must lie within +-RF_SPACE_LIMIT. A space is not locked:
// use it from one thread at a time, even for casting (a cast may update an index).
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

// Options of a new space, with their defaults. Start from rf_space_def_default().
typedef struct rf_space_def {
    uint32_t cookie; // set by rf_space_def_default()
    rf_allocator allocator;
    rf_simd simd;            // RF_SIMD_AUTO
    uint32_t max_targets;    // keys are below this; 1,048,576; at most 2^24
    uint32_t max_statics;    // of each kind: walls, boxes, triangles, sectors; 1,048,576; at most 2^24
    double history_ms;       // how far back shots can be cast; 1,000
    uint32_t history_states; // committed states that are kept, at most; 128; 1 to 4,096
} rf_space_def;

RF_API rf_space_def rf_space_def_default(void);
// RF_INVALID_ARGUMENT: the def has no cookie or allocator, a limit is out of range, or `simd` is not available.
// RF_NO_MEMORY.
RF_API rf_status rf_space_new(const rf_space_def *def, rf_space **out);
// NULL is allowed.
RF_API void rf_space_free(rf_space *space);
RF_API size_t rf_space_memory(const rf_space *space); // bytes allocated in total
RF_API rf_simd rf_space_simd(const rf_space *space);  // what is in use; never RF_SIMD_AUTO

// --- targets: the caller gives each a key below max_targets (such as an entity's handle)

typedef struct rf_target {
    rf_str id;            // 1 to 255 bytes; breaks ties between hits
    rf_str owner;         // an id of up to 255 bytes, or empty: shots with this owner pass through
    rf_collider collider; // any kind except RF_COLLIDER_POINT
    double position[3];
    uint32_t layers; // bits; a shot can hit it if its mask has at least one of them
} rf_target;

// Creates a target, or replaces the target under this key by an unrelated one: the two are not interpolated into each
// other. RF_TOO_LARGE (the key), RF_INVALID_ID, RF_NUMBER_OUT_OF_RANGE, RF_INVALID_COLLIDER, RF_NO_MEMORY; after an
// error the target under the key is as it was.
RF_API rf_status rf_space_put(rf_space *space, uint32_t key, const rf_target *target);
// Changes a target's collider, owner, layers and position, keeping its past. Fails as rf_space_put, and with
// RF_INVALID_ARGUMENT if there is no target under this key or its id is another one.
RF_API rf_status rf_space_change(rf_space *space, uint32_t key, const rf_target *target);
// RF_INVALID_ARGUMENT: there is no target under this key. RF_NUMBER_OUT_OF_RANGE: the position.
RF_API rf_status rf_space_move(rf_space *space, uint32_t key, const double position[3]);
// Does nothing if there is no target under this key.
RF_API void rf_space_remove(rf_space *space, uint32_t key);
// Whether there is a target under this key.
RF_API bool rf_space_has(const rf_space *space, uint32_t key);
// Its position; false if there is no target under this key.
RF_API bool rf_space_position(const rf_space *space, uint32_t key, double out[3]);
// How many targets there are.
RF_API uint32_t rf_space_count(const rf_space *space);

// --- static geometry: each kind is numbered from 0 in the order of addition
//
// The functions that add return RF_NUMBER_OUT_OF_RANGE, RF_TOO_LARGE (max_statics) or RF_NO_MEMORY; those for walls and
// boxes also RF_INVALID_ARGUMENT, if the lower end is above the upper one, or a wall with a back sector names an
// unknown sector. `number` may be NULL.

// An area of a level. Its heights define the openings of the walls around it.
typedef struct rf_sector {
    double floor, ceiling;
} rf_sector;

// An upright wall over the segment from (x1, z1) to (x2, z2), from bottom to top (either may be infinite). Between two
// sectors it has an opening from the higher floor to the lower ceiling. If both floors are equal, the opening has no
// lower end; if both ceilings are equal, no upper end. A shape that just fits passes.
typedef struct rf_wall {
    double x1, z1, x2, z2;
    double bottom, top;
    uint32_t front, back; // sectors; a wall whose back is RF_NO_SECTOR has no opening
    uint32_t layers;
} rf_wall;

RF_API rf_status rf_space_add_sector(rf_space *space, rf_sector sector, uint32_t *number);
// Moves a sector's floor and ceiling (a door, a lift). RF_INVALID_ARGUMENT: an unknown sector. RF_NUMBER_OUT_OF_RANGE.
RF_API rf_status rf_space_set_sector(rf_space *space, uint32_t number, rf_sector sector);
// How many sectors there are.
RF_API uint32_t rf_space_sectors(const rf_space *space);
// A sector's heights; false for an unknown sector.
RF_API bool rf_space_sector(const rf_space *space, uint32_t number, rf_sector *out);
RF_API rf_status rf_space_add_wall(rf_space *space, const rf_wall *wall, uint32_t *number);
RF_API rf_status rf_space_add_box(rf_space *space, const double low[3], const double high[3], uint32_t layers,
                                  uint32_t *number);
// A triangle can be hit from both sides.
RF_API rf_status rf_space_add_triangle(rf_space *space, const double corners[3][3], uint32_t layers, uint32_t *number);
// Removes all static geometry and all sectors, including sectors in past states.
RF_API void rf_space_clear_statics(rf_space *space);
// How many walls there are.
RF_API uint32_t rf_space_walls(const rf_space *space);
// Whether the static geometry is indexed. If not, the next cast begins with that: about half a microsecond for each
// wall, box or triangle.
RF_API bool rf_space_indexed(const rf_space *space);

// --- the past

// Records the current state under a seq and a time (milliseconds), for shots at past moments. RF_INVALID_ARGUMENT if
// either is below that of the newest state; the same two again do nothing. RF_NUMBER_OUT_OF_RANGE (a time that is not
// finite), RF_NO_MEMORY.
RF_API rf_status rf_space_commit(rf_space *space, uint64_t seq, double time_ms);
// Forgets all committed states.
RF_API void rf_space_forget(rf_space *space);
// The oldest and the newest committed state.
typedef struct rf_span {
    uint64_t first_seq, last_seq;
    double first_ms, last_ms;
} rf_span;
// False if no state is committed.
RF_API bool rf_space_span(const rf_space *space, rf_span *out);

RF_END

#endif
