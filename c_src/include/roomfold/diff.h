// diff.h: what changed since a seq.
#ifndef ROOMFOLD_DIFF_H
#define ROOMFOLD_DIFF_H

#include <roomfold/world.h>

RF_BEGIN

// Walks what changed after `from`: first the deletes, then creates and updates together, each in the order of handles.
typedef enum rf_change_kind { RF_CHANGE_DELETE, RF_CHANGE_CREATE, RF_CHANGE_UPDATE } rf_change_kind;

typedef struct rf_change {
    rf_change_kind kind;
    uint32_t handle;
    rf_str id;                    // valid until the world changes
    rf_component_iter components; // of a create: all; of an update: the changed ones, also removed ones
} rf_change;

typedef struct rf_diff rf_diff;

// Fails with RF_HISTORY_GONE, RF_SEQ_AHEAD or RF_NO_MEMORY. The world must not change until the diff is freed.
RF_API rf_status rf_diff_new(const rf_world *world, uint64_t from, rf_diff **out);
RF_API bool rf_diff_next(rf_diff *diff, rf_change *out);
RF_API void rf_diff_free(rf_diff *diff);

RF_END

#endif
