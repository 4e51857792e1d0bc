// admit.h: checks incoming events before a room accepts them, and numbers them. An admitted event is a record (one line
// of JSON) that a fold will use in full.
//
//     rf_admission_new(world, now_ms, &admission);
//     status = rf_admit(admission, &item, &first, &error, &index);    once for each item
//     records = rf_admission_text(admission);                         append these to a log, then fold them
//     rf_admission_free(admission);
#ifndef ROOMFOLD_ADMIT_H
#define ROOMFOLD_ADMIT_H

#include <roomfold/alloc.h>
#include <roomfold/status.h>
#include <roomfold/world.h>

RF_BEGIN

// Events that are admitted together or not at all. Each text is one event as a JSON object without "seq", "at" and
// "by".
typedef struct rf_item {
    rf_str by;    // the sender; becomes "by" in the records
    bool trusted; // the sender speaks for the room. Otherwise `by` is a user id: the rules restrict which events it may
                  // send, and it may only touch entities whose id or "owner" it is, or create ones that it owns
    const rf_str *texts;
    size_t count;
} rf_item;

typedef struct rf_admission rf_admission;

// Starts a batch. at: the time of all its events, in milliseconds. The admission does not change the world, and the
// world must not change until the admission is freed. Fails with RF_NO_MEMORY only.
RF_API rf_status rf_admission_new(rf_world *world, int64_t at, rf_admission **out);
// NULL is allowed.
RF_API void rf_admission_free(rf_admission *admission);

// Adds an item to the batch. RF_OK: its events became records, numbered from *first. Any other status: the whole item
// was refused, *index is the text at fault and *error the reason. The batch can be continued after any error but
// RF_NO_MEMORY.
RF_API rf_status rf_admit(rf_admission *admission, const rf_item *item, uint64_t *first, rf_error *error,
                          size_t *index);

// All records so far: one per line, each with seq, at and by as its last keys, and a line feed after each. Valid until
// the next call.
RF_API rf_str rf_admission_text(const rf_admission *admission);

RF_END

#endif
