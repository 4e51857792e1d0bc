// term.h: any JSON value in a canonical compact form (docs/event-model.md, Terms).
#ifndef ROOMFOLD_TERM_H
#define ROOMFOLD_TERM_H

#include <roomfold/base.h>

RF_BEGIN

typedef enum rf_term_kind {
    RF_TERM_NULL,
    RF_TERM_FALSE,
    RF_TERM_TRUE,
    RF_TERM_INT,
    RF_TERM_FLOAT,
    RF_TERM_STRING,
    RF_TERM_LIST, // count values follow
    RF_TERM_MAP,  // count times a key (rf_term_key) and a value follow
    RF_TERM_END,
} rf_term_kind;

typedef struct rf_term {
    rf_term_kind kind;
    union {
        int64_t integer;
        double number;
        rf_str string;
        uint64_t count;
    } as;
} rf_term;

// Reads a compact term that the core wrote, from left to right.
typedef struct rf_term_reader {
    const uint8_t *at, *end;
} rf_term_reader;

RF_API void rf_term_read(rf_term_reader *reader, rf_str term);
// The next value; for a key inside a map call rf_term_key. RF_TERM_END behind the last.
RF_API rf_term rf_term_next(rf_term_reader *reader);
RF_API rf_str rf_term_key(rf_term_reader *reader);

RF_END

#endif
