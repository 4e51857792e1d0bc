// diff.h: iterates over what changed in a world since a seq.
//
//     rf_diff_new(world, from, &diff);
//     while (rf_diff_next(diff, &change))
//         while (rf_component_next(&change.components, &component)) ...
//     rf_diff_free(diff);
#ifndef ROOMFOLD_DIFF_H
#define ROOMFOLD_DIFF_H

#include <roomfold/world.h>

RF_BEGIN

// Deletes come first, in the order of handles; then creates and updates together, again in the order of handles.
typedef enum rf_change_kind { RF_CHANGE_DELETE, RF_CHANGE_CREATE, RF_CHANGE_UPDATE } rf_change_kind;

typedef struct rf_change {
    rf_change_kind kind;
    uint32_t handle;
    rf_str id;                    // valid until the world changes
    rf_component_iter components; // of a create: all of them; of an update: those that changed or were removed
} rf_change;

typedef struct rf_diff rf_diff;

// Starts an iteration over the changes after the seq `from`. RF_HISTORY_GONE: the world does not remember that far
// back. RF_SEQ_AHEAD: `from` is above the world's seq. RF_NO_MEMORY. The world must not change until the diff is freed.
RF_API rf_status rf_diff_new(const rf_world *world, uint64_t from, rf_diff **out);
// The next change; false at the end.
RF_API bool rf_diff_next(rf_diff *diff, rf_change *out);
// NULL is allowed.
RF_API void rf_diff_free(rf_diff *diff);

RF_END

#endif
