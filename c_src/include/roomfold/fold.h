// fold.h: folds (applies) events to a world.
//
//     rf_report_init(&report, allocator);
//     rf_fold_new(world, &report, &fold);
//     rf_json_batch batch = {.text = text};
//     while (!batch.done) rf_fold_json(fold, &batch, 1000);    at most 1,000 events per call
//     rf_fold_free(fold);
//     rf_report_free(&report);
//
// Events that are not JSON text: event.h and wire.h.
#ifndef ROOMFOLD_FOLD_H
#define ROOMFOLD_FOLD_H

#include <roomfold/report.h>
#include <roomfold/world.h>

RF_BEGIN

// One batch of events that is being folded: its progress and scratch memory.
typedef struct rf_fold rf_fold;

// The report must outlive the fold. A world can have one fold at a time. Fails with RF_NO_MEMORY only.
RF_API rf_status rf_fold_new(rf_world *world, rf_report *report, rf_fold **out);
// NULL is allowed.
RF_API void rf_fold_free(rf_fold *fold);

// JSON text that is being folded. Set `text`, and zero the rest.
typedef struct rf_json_batch {
    rf_str text;
    size_t at;    // bytes read so far
    uint8_t mode; // array or lines; set by the first call
    bool done;
    // One object may change several entities at once and still counts as one event. If such an object is longer than
    // `large` bytes (0: no limit), it is not folded: `stopped` is set and the call returns. To continue when there is
    // time for it, call again with another limit.
    bool stopped;
    size_t large;
} rf_json_batch;

// Folds at most max_events events from JSON text: one event, an array, or JSON Lines (docs/event-model.md, "Input to a
// fold"). Call again until batch->done. Fails with RF_NO_MEMORY only; bad events are in the report, and the others are
// folded.
RF_API rf_status rf_fold_json(rf_fold *fold, rf_json_batch *batch, size_t max_events);

RF_END

#endif
