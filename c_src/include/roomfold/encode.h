// encode.h: encodes a world (a snapshot) or its changes (a diff) as JSON.
//
//     rf_encode_def def = {.diff = true, .from = seq};
//     status = rf_encode_json(world, &def, allocator, &text, &len);
#ifndef ROOMFOLD_ENCODE_H
#define ROOMFOLD_ENCODE_H

#include <roomfold/world.h>

RF_BEGIN

// How the output is grouped: id -> components, component -> id -> value, or kind -> list of entities.
typedef enum rf_by { RF_BY_ENTITY, RF_BY_COMPONENT, RF_BY_KIND } rf_by;

// Wraps the output as the payload of a message of Phoenix's V2 protocol: [join_ref, ref, topic, event, payload]. A
// string whose data is NULL is encoded as null.
typedef struct rf_phoenix_frame {
    rf_str join_ref, ref, topic, event;
} rf_phoenix_frame;

// What to encode. Zeroed: a snapshot by entity, without a limit.
typedef struct rf_encode_def {
    bool diff;     // a diff; otherwise a snapshot
    uint64_t from; // of a diff: the seq after which changes count
    rf_by by;
    const rf_phoenix_frame *frame; // NULL: no envelope
    size_t limit;                  // bytes of output, at most; 0: no limit
} rf_encode_def;

// Encodes JSON text (docs/event-model.md, "Snapshots and diffs as JSON"). The text is allocated with `allocator`; the
// caller frees it. RF_HISTORY_GONE and RF_SEQ_AHEAD: as rf_diff_new. RF_TOO_LARGE: the limit. RF_INVALID_UTF8: a string
// of the envelope. RF_NO_MEMORY.
RF_API rf_status rf_encode_json(const rf_world *world, const rf_encode_def *def, rf_allocator allocator, char **out,
                                size_t *len);

RF_END

#endif
