// event.h: folds events that are not JSON text (Erlang terms, structs, another format).
//
//     rf_event_begin(fold, name)
//       want = rf_event_field(fold, key)     for each key of the payload
//         rf_put_...(fold, ...)              its value, unless want.kind is RF_WANT_NOTHING
//     rf_event_end(fold)
//
// rf_event_field tells how the core would like to get the value. That is a hint: the caller may always put the value it
// has (rf_put_null to rf_put_close), and the core converts and checks it. Only rf_put_numbers must be asked for. A
// value that JSON cannot represent is put with rf_put_bad. Names, keys and strings need only live until rf_event_end.
#ifndef ROOMFOLD_EVENT_H
#define ROOMFOLD_EVENT_H

#include <roomfold/fold.h>

RF_BEGIN

// Integers for f32 and f64 components must lie between -RF_EXACT_INTEGER_MAX and RF_EXACT_INTEGER_MAX: a binary64 holds
// them exactly.
#define RF_EXACT_INTEGER_MAX (INT64_C(1) << 53)

typedef enum rf_want_kind {
    RF_WANT_NOTHING,    // put nothing for this key
    RF_WANT_VALUE,      // put any value
    RF_WANT_NUMBERS,    // a list of want.count numbers: fastest with rf_put_numbers; any other value is allowed
    RF_WANT_STRING,     // an id: rf_put_string; any other value is allowed
    RF_WANT_COMPONENTS, // a map of components: call rf_event_components, then rf_event_component for each of them; a
                        // value that is not a map is put as usual
} rf_want_kind;

typedef struct rf_want {
    rf_want_kind kind;
    uint8_t count;
} rf_want;

// Starts an event. The names create, update and delete mean entity events; any other name needs a rule (rules.h).
RF_API void rf_event_begin(rf_fold *fold, rf_str name);
// The value of this key of the payload comes next.
RF_API rf_want rf_event_field(rf_fold *fold, rf_str key);
// The payload's "components" is a map. Its entries come next, until rf_event_field or rf_event_end.
RF_API void rf_event_components(rf_fold *fold);
// The value of this component comes next.
RF_API rf_want rf_event_component(rf_fold *fold, rf_str name);
// Applies the event. What is wrong with it is in the report. Fails with RF_NO_MEMORY only; the operation that failed
// has then changed nothing.
RF_API rf_status rf_event_end(rf_fold *fold);

// The value of one declared f32 or f64 component: exactly as many finite numbers as the schema says. Integers must lie
// within +-RF_EXACT_INTEGER_MAX.
typedef struct rf_numbers {
    int component; // its index in the schema
    const double *values;
} rf_numbers;

typedef enum rf_entity_op { RF_ENTITY_CREATE, RF_ENTITY_UPDATE, RF_ENTITY_DELETE } rf_entity_op;

// A create, update or delete with nothing but an id, an optional seq, and numbers.
typedef struct rf_entity_event {
    rf_entity_op op;
    rf_str id;
    uint64_t seq; // 0: none
    const rf_numbers *numbers;
    size_t count; // of `numbers`, each for another component; 0 for a delete
} rf_entity_event;

// Folds whole entity events. Means the same as rf_event_begin to rf_event_end for each of them, but is faster,
// particularly for several at a time. Stops at the first failure, which can only be RF_NO_MEMORY.
RF_API rf_status rf_event_entities(rf_fold *fold, const rf_entity_event *events, size_t count);

// Reports an event that the caller could not read. It takes the next seq and the next index. Always RF_OK.
RF_API rf_status rf_event_unreadable(rf_fold *fold, rf_status reason);

// Between these two calls all events are applied under this one seq, whatever their own seqs are. To apply a diff, pass
// a seq above the world's. To load a snapshot, pass the world's seq: then nothing counts as a change.
// RF_INVALID_ARGUMENT: the seq is below the world's or above RF_SEQ_MAX.
RF_API rf_status rf_patch_begin(rf_fold *fold, uint64_t seq);
RF_API void rf_patch_end(rf_fold *fold);

RF_API void rf_put_null(rf_fold *fold);
RF_API void rf_put_bool(rf_fold *fold, bool value);
RF_API void rf_put_int(rf_fold *fold, int64_t value);
RF_API void rf_put_float(rf_fold *fold, double value); // finite
RF_API void rf_put_string(rf_fold *fold, rf_str value);
// After RF_WANT_NUMBERS only: exactly want.count finite numbers. Integers must lie within +-RF_EXACT_INTEGER_MAX.
RF_API void rf_put_numbers(rf_fold *fold, const double *values);
// Lists and maps may be nested: open one, put its values (in a map, a key before each value), close it. False: the core
// has given the value up (it is too deep, too large, or not wanted); put nothing more of it.
RF_API bool rf_put_open_list(rf_fold *fold);
RF_API bool rf_put_open_map(rf_fold *fold);
RF_API bool rf_put_key(rf_fold *fold, rf_str key);
RF_API bool rf_put_close(rf_fold *fold);
// The value cannot be represented: RF_UNSUPPORTED_VALUE, RF_INVALID_UTF8, RF_NUMBER_OUT_OF_RANGE and so on.
RF_API void rf_put_bad(rf_fold *fold, rf_status reason);

RF_END

#endif
