// fold_text.h: folds JSON text into a world.
#ifndef TESTS_FUZZ_FOLD_TEXT_H
#define TESTS_FUZZ_FOLD_TEXT_H

#include <roomfold/roomfold.h>
#include <stdlib.h>

// `slice` events at a time. Returns how many were rejected.
static inline uint64_t fold_text(rf_world *world, rf_str text, size_t slice) {
    rf_json_batch batch = {.text = text};
    rf_report report;
    rf_fold *fold;
    uint64_t rejected;
    rf_report_init(&report, rf_allocator_default());
    if (rf_fold_new(world, &report, &fold) != RF_OK) abort();
    while (!batch.done)
        if (rf_fold_json(fold, &batch, slice) != RF_OK) abort();
    rejected = report.rejected_count;
    rf_fold_free(fold);
    rf_report_free(&report);
    return rejected;
}

#endif
