// admit_state.h: the state of an admission, for the fold that tries out its events.
#ifndef RF_CORE_ADMIT_STATE_H
#define RF_CORE_ADMIT_STATE_H

#include "base/buf.h"
#include "fold_state.h"
#include "operation.h"
#include "base/key_set.h"
#include "json/scan.h"
#include <roomfold/admit.h>

// An entity that the batch creates, whoever its sender is, and the owner that it gives it: empty if none. Both strings
// are in the arena.
typedef struct rf_created_entity {
    rf_str id, owner;
    uint64_t hash;  // of the id
    uint32_t older; // the next one in its bucket, plus one
} rf_created_entity;

struct rf_admission {
    rf_world *world;
    rf_fold *fold;
    rf_report report;
    rf_allocator allocator;
    int64_t at;
    rf_buf text;
    uint64_t seq; // of the last record

    rf_arena arena; // for what must outlive an event
    rf_created_entity *created;
    uint32_t created_count, created_capacity;
    uint32_t *buckets; // created_capacity of them, a power of two: the newest of each, plus one

    // The current event.
    rf_str by;
    bool trusted;
    rf_status denied; // found while the event is read; reported once its name is known to be valid
    rf_str denied_about;
    bool no_memory;
};

// Checks a key of the event; the scan is at its value.
void rf_admission_key(rf_admission *admission, const rf_scan *scan, rf_str key);
// Whether the sender may touch this entity. owner: the owner that a create would give it, as a term; otherwise empty.
bool rf_admission_touch(rf_admission *admission, const rf_operation_target *target, bool create, rf_str owner);

// Applies the drafted event without looking at its seq (fold.c).
rf_status rf_fold_apply_usable(rf_fold *fold);

#endif
