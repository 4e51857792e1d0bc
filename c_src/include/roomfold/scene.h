// scene.h: keeps the targets of a space up to date with the entities of a world.
//
//     rf_scene_new(allocator, space, &scene);
//     rf_scene_mark(scene, world, time_ms);                                 each tick, after folding
//     rf_cast(rf_scene_space(scene), shots, count, answers, &hits);
//     rf_scene_free(scene);
#ifndef ROOMFOLD_SCENE_H
#define ROOMFOLD_SCENE_H

#include <roomfold/hit.h>
#include <roomfold/world.h>

RF_BEGIN

// Every entity with these two components is a target:
//
//     "position": [x, y, z]
//     "collider": {"shape": "box" | "sphere" | "capsule", "radius": r, "height": h}
//
// A sphere has no height. A box may have "size": [x, y, z] instead of radius and height. "at" is "base" (default) or
// "centre". "layers" is a bit mask; the default is RF_LAYER_DEFAULT, plus RF_LAYER_LIVING for an entity with the
// component "health". The target's id is the entity's id, its key the handle, its owner the component "owner", if that
// can be an id. An entity whose "state" is "dead", or whose collider is invalid, is not a target; it is the same target
// again, with its past, when that is over. An entity with the id "sector-N", N without leading zeros, moves sector N by
// its components "floor" and "ceiling"; heights beyond RF_SPACE_LIMIT are ignored.
typedef struct rf_scene rf_scene;

#define RF_LAYER_LIVING 2u

// Takes ownership of the space, unless it fails (RF_NO_MEMORY).
RF_API rf_status rf_scene_new(rf_allocator allocator, rf_space *space, rf_scene **out);
// Frees the space too. NULL is allowed.
RF_API void rf_scene_free(rf_scene *scene);
// The space, for adding static geometry, casts and queries.
RF_API rf_space *rf_scene_space(rf_scene *scene);

// Updates the targets to the world's current state. Pass the same world each time: the scene asks it for the changes
// since the last call, and goes through all entities only if the world no longer remembers them. RF_NO_MEMORY.
// RF_SEQ_AHEAD: the world's seq has decreased.
RF_API rf_status rf_scene_follow(rf_scene *scene, const rf_world *world);
// rf_scene_follow, then rf_space_commit with the world's seq and this time. Fails as they do.
RF_API rf_status rf_scene_mark(rf_scene *scene, const rf_world *world, double time_ms);

RF_END

#endif
