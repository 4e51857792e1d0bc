// event.h: how a source that has events in a form of its own (Erlang terms, ei, ...) folds them.
//
//     rf_event_begin(fold, name)
//       rf_event_field(fold, key, &want)       for each key of the payload
//         rf_put_...(fold, ...)                its value, if it was wanted
//     rf_event_end(fold)
//
// The core says for each key how it would like to have the value; a source may always put what it has
// (rf_put_null to rf_put_close_map), the core converts and checks. Numbers for an f32 or f64 component can be put
// at once. Nothing that was put is kept beyond rf_event_end, so it need only live until then.
// A value that can't be said in JSON is put by rf_put_bad.
#ifndef ROOMFOLD_EVENT_H
#define ROOMFOLD_EVENT_H

#include <roomfold/fold.h>

RF_BEGIN

typedef enum rf_want_kind {
    RF_WANT_NOTHING,    // put nothing for this key
    RF_WANT_VALUE,      // put any value
    RF_WANT_NUMBERS,    // a list of want.count numbers: rf_put_numbers is the fast way; any value else
    RF_WANT_STRING,     // an id: rf_put_string; any value else
    RF_WANT_COMPONENTS, // a map of components: rf_event_components, then rf_event_component for each;
                        // or any value, if it isn't a map
} rf_want_kind;

typedef struct rf_want {
    rf_want_kind kind;
    uint8_t count;
} rf_want;

// Starts an event as in a list of {name, payload}: create, update and delete are entity events.
RF_API void rf_event_begin(rf_fold *fold, rf_str name);
RF_API rf_want rf_event_field(rf_fold *fold, rf_str key);
// The payload's "components" is a map: its entries follow, until the next rf_event_field or rf_event_end.
RF_API void rf_event_components(rf_fold *fold);
RF_API rf_want rf_event_component(rf_fold *fold, rf_str name);
// Applies the event. RF_NO_MEMORY is the only failure: the world is then as before this event's operation.
RF_API rf_status rf_event_end(rf_fold *fold);

// One declared f32 or f64 component: its index in the schema, and exactly as many finite numbers as it has; integers
// among them must lie within +-2^53.
typedef struct rf_numbers {
    int component;
    const double *values;
} rf_numbers;

typedef enum rf_entity_op { RF_ENTITY_CREATE, RF_ENTITY_UPDATE, RF_ENTITY_DELETE } rf_entity_op;

// A whole create, update or delete that holds nothing but an id, numbers for as many different components (none for
// delete), and perhaps a seq (0: none).
typedef struct rf_entity_event {
    rf_entity_op op;
    rf_str id;
    uint64_t seq;
    const rf_numbers *numbers;
    size_t count;
} rf_entity_event;

// In place of begin to end for each of them, and faster, most of all if they come several at a time. Stops at a
// failure, which can only be RF_NO_MEMORY.
RF_API rf_status rf_event_entities(rf_fold *fold, const rf_entity_event *events, size_t count);

// In place of begin to end: an event that could not even be read.
RF_API rf_status rf_event_unreadable(rf_fold *fold, rf_status reason);

// Between these two every event is applied under one seq, whatever it says itself: how a diff (a seq above
// the world's) or a snapshot (the world's own seq: nothing of it is a change) is applied. A seq below the
// world's or above RF_SEQ_MAX is RF_INVALID_ARGUMENT.
RF_API rf_status rf_patch_begin(rf_fold *fold, uint64_t seq);
RF_API void rf_patch_end(rf_fold *fold);

RF_API void rf_put_null(rf_fold *fold);
RF_API void rf_put_bool(rf_fold *fold, bool value);
RF_API void rf_put_int(rf_fold *fold, int64_t value);
RF_API void rf_put_float(rf_fold *fold, double value); // finite
RF_API void rf_put_string(rf_fold *fold, rf_str value);
// Exactly want.count finite numbers; integers among them must lie within +-2^53.
RF_API void rf_put_numbers(rf_fold *fold, const double *values);
// Lists and maps may nest: open, then the values (before each value of a map its key), then close.
// They return false where going on is pointless (too deep, too large): then put nothing more of this value.
RF_API bool rf_put_open_list(rf_fold *fold);
RF_API bool rf_put_open_map(rf_fold *fold);
RF_API bool rf_put_key(rf_fold *fold, rf_str key);
RF_API bool rf_put_close(rf_fold *fold);
// The value can't be represented: RF_UNSUPPORTED_VALUE, RF_INVALID_UTF8, RF_NUMBER_OUT_OF_RANGE ...
RF_API void rf_put_bad(rf_fold *fold, rf_status reason);

RF_END

#endif
