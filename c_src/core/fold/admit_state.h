// admit_state.h: an admission, for the fold that tries its events out.
#ifndef RF_CORE_ADMIT_STATE_H
#define RF_CORE_ADMIT_STATE_H

#include "base/buf.h"
#include "fold_state.h"
#include "base/key_set.h"
#include "json/scan.h"
#include <roomfold/admit.h>

// Who owns what the batch makes and the world does not have yet. Both strings lie in the arena.
typedef struct rf_made {
    rf_str id, owner;
} rf_made;

struct rf_admission {
    rf_world *world;
    rf_fold *fold;
    rf_report report;
    rf_allocator allocator;
    int64_t at;
    rf_buf text;
    uint64_t seq; // of the last record

    rf_arena arena; // what must outlive an event
    rf_made *made;
    uint32_t made_count, made_capacity;

    // The event at hand.
    rf_str by;
    bool trusted;
    rf_status denied; // found while it was read; reported when its name is known to be one
    rf_str denied_about;
    bool no_memory;
};

// A key of the event, its value to come at the scan.
void rf_admission_key(rf_admission *admission, const rf_scan *scan, rf_str key);
// May the sender touch this entity (handle: RF_NO_HANDLE if it is not there)? owner: a compact term, what a create
// would make its owner; empty otherwise.
bool rf_admission_touch(rf_admission *admission, rf_str id, uint32_t handle, bool create, rf_str owner);

// Reads the value at the scan; if it is an object it is drafted as an event (fold_json.c).
bool rf_fold_json_event(rf_fold *fold, rf_scan *scan);
// Everything an event does, without a look at its seq (fold.c).
rf_status rf_fold_apply_usable(rf_fold *fold);

#endif
