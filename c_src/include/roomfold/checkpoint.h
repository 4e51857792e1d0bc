// checkpoint.h: what a world has beside its entities and their components, to make the same one again elsewhere.
//
// To write a checkpoint: the seq; rf_world_oldest, rf_world_mirrors; each entity with its handle, rf_world_since, id
// and components; the free handles. To make a world of it: rf_world_new at `oldest`; rf_world_set_free with the handles
// of the entities and then the free ones; create the entities in the same order, each under the seq of its `since`,
// which must ascend; go to the seq; rf_world_resume. Then new entities get the same handles, and packed events may
// refer to handles of the past. What had changed is forgotten.
#ifndef ROOMFOLD_CHECKPOINT_H
#define ROOMFOLD_CHECKPOINT_H

#include <roomfold/world.h>

RF_BEGIN

// The free handles, each plus one, in the order in which new entities get them; after these come handles that were
// never used. Start with 0; 0 at the end, and after a handle that is not free.
RF_API uint32_t rf_world_next_free(const rf_world *world, uint32_t handle1);
// Has new entities get these handles, each plus one, in this order. RF_INVALID_ARGUMENT: the world is not a new one, or
// these are not the handles 0 to count - 1, each once. RF_WORLD_FULL, RF_NO_MEMORY.
RF_API rf_status rf_world_set_free(rf_world *world, const uint32_t *handles1, uint32_t count);
// Whether new entities get the lowest free handle, as in a world that mirrors another one by its packed frames;
// otherwise they get the one that was freed last.
RF_API bool rf_world_mirrors(const rf_world *world);
// The oldest seq whose handles packed events may refer to.
RF_API uint64_t rf_world_oldest(const rf_world *world);
// The seq at which the entity, which must be alive, came to be, but at least rf_world_oldest.
RF_API uint64_t rf_world_since(const rf_world *world, rf_entity entity);
// The world is as it was: from now on diffs can start.
RF_API void rf_world_resume(rf_world *world, bool mirror);

RF_END

#endif
