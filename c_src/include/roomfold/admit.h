// admit.h: what a room takes in: events as text, checked for who sends them and numbered. An event that is admitted is
// one that a fold will use whole.
#ifndef ROOMFOLD_ADMIT_H
#define ROOMFOLD_ADMIT_H

#include <roomfold/alloc.h>
#include <roomfold/status.h>
#include <roomfold/world.h>

RF_BEGIN

// What came together and goes in together, or not at all. Each text is one event as a JSON object, without seq, at and
// by.
typedef struct rf_item {
    rf_str by;    // what the events will say
    bool trusted; // it speaks for the room; else `by` is a user: the rules say what it may send, and it
                  // touches only what has its id, or its id as "owner", or what it makes so
    const rf_str *texts;
    size_t count;
} rf_item;

typedef struct rf_admission rf_admission;

// A batch for this world as it is; `at`: the time of all its events, milliseconds. The world must stay as it is until
// the admission is freed; nothing of it is changed.
RF_API rf_status rf_admission_new(rf_world *world, int64_t at, rf_admission **out);
RF_API void rf_admission_free(rf_admission *admission);

// RF_OK: its events are records with the seqs from *first on. Else *error says why, and *index which of its texts; and
// of this item nothing is in the batch. Only RF_NO_MEMORY ends the batch.
RF_API rf_status rf_admit(rf_admission *admission, const rf_item *item, uint64_t *first, rf_error *error,
                          size_t *index);

// All records so far, one a line, each with seq, at and by at its end, and a line feed behind it. Valid until the next
// call.
RF_API rf_str rf_admission_text(const rf_admission *admission);

RF_END

#endif
