// fold.h: folding events into a world.
#ifndef ROOMFOLD_FOLD_H
#define ROOMFOLD_FOLD_H

#include <roomfold/report.h>
#include <roomfold/world.h>

RF_BEGIN

// One batch on its way into a world: what has been read so far, and scratch memory.
typedef struct rf_fold rf_fold;

// The report must outlive the fold. One fold at a time per world.
RF_API rf_status rf_fold_new(rf_world *world, rf_report *report, rf_fold **out);
RF_API void rf_fold_free(rf_fold *fold);

// A text on its way into a fold. Zero it but for the text.
typedef struct rf_json_batch {
    rf_str text;
    size_t at;    // how far it has been read
    uint8_t mode; // what the text turned out to be
    bool done;
    // An object that speaks of several entities counts as one event. If one has more bytes than `large` (0: no limit),
    // it is left alone, and `stopped` is set: to be gone on with where there is time, with another limit.
    bool stopped;
    size_t large;
} rf_json_batch;

// Folds events from JSON text (one event, an array, JSON Lines; objects that speak of several entities are among
// them), at most max_events of them; call again until batch->done.
RF_API rf_status rf_fold_json(rf_fold *fold, rf_json_batch *batch, size_t max_events);

RF_END

#endif
