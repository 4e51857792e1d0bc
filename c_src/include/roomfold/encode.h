// encode.h: a world, or what changed in it, as text for others.
#ifndef ROOMFOLD_ENCODE_H
#define ROOMFOLD_ENCODE_H

#include <roomfold/world.h>

RF_BEGIN

typedef enum rf_by { RF_BY_ENTITY, RF_BY_COMPONENT, RF_BY_KIND } rf_by;

// The envelope of Phoenix's V2 protocol: [join_ref, ref, topic, event, payload]. A reference without data is null.
typedef struct rf_phoenix_frame {
    rf_str join_ref, ref, topic, event;
} rf_phoenix_frame;

// What is encoded. Zeroed, it is a snapshot by entity, without limit.
typedef struct rf_encode_def {
    bool diff; // what changed after `from`; else all there is
    uint64_t from;
    rf_by by;
    const rf_phoenix_frame *frame; // or NULL
    size_t limit;                  // bytes of output; 0: none
} rf_encode_def;

// JSON text in one piece (docs/event-model.md, "Snapshots and diffs as JSON"), made with `allocator` and the caller's
// to free. Fails with RF_HISTORY_GONE, RF_SEQ_AHEAD, RF_TOO_LARGE (the limit), RF_INVALID_UTF8 (of a frame) or
// RF_NO_MEMORY.
RF_API rf_status rf_encode_json(const rf_world *world, const rf_encode_def *def, rf_allocator allocator, char **out,
                                size_t *len);

RF_END

#endif
