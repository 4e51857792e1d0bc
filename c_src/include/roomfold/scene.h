// scene.h: a world's entities as targets in a space, which follows what is folded.
#ifndef ROOMFOLD_SCENE_H
#define ROOMFOLD_SCENE_H

#include <roomfold/hit.h>
#include <roomfold/world.h>

RF_BEGIN

// A target is every entity with a position (three numbers) and a collider:
//   "collider": {"shape": "box" | "sphere" | "capsule", "radius": r, "height": h}; a box may have "size": [x, y, z] in
//   place of both; "at": "base" (default) or "centre"; "layers": bits. Without them it is in layer 1, and who has
//   health in layer 2 as well, so that a shot's mask can tell the living from what lies about.
// Its id is the entity's, its owner the component "owner", its key the handle. An entity whose state is "dead" is none,
// nor is one whose collider does not fit: it can't be hit. An entity "sector-N" with floor and ceiling moves sector N.
typedef struct rf_scene rf_scene;

#define RF_LAYER_LIVING 2u

// Takes over the space, and frees it with the scene.
RF_API rf_status rf_scene_new(rf_allocator allocator, rf_space *space, rf_scene **out);
RF_API void rf_scene_free(rf_scene *scene);
// For static geometry, casts and queries.
RF_API rf_space *rf_scene_space(rf_scene *scene);

// Brings the targets to where the world is now. Always the same world: what changed since the last time is found by its
// history; if that is gone, all is looked at.
RF_API rf_status rf_scene_follow(rf_scene *scene, const rf_world *world);
// Follows, then remembers where everything is, as of the world's seq and this time. RF_INVALID_ARGUMENT if the time is
// before the last one.
RF_API rf_status rf_scene_mark(rf_scene *scene, const rf_world *world, double time_ms);

RF_END

#endif
