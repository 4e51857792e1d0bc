// term.h: reads terms: any JSON value in a canonical compact form (docs/event-model.md, "Terms").
//
//     rf_term_read(&reader, component.as.term);
//     rf_term list = rf_term_next(&reader);
//     for (uint64_t i = 0; i < list.as.count; i++) item = rf_term_next(&reader);    if list.kind is RF_TERM_LIST
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
    RF_TERM_LIST, // as.count values follow
    RF_TERM_MAP,  // as.count pairs of a key (rf_term_key) and a value follow
    RF_TERM_END,  // the term has been read
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

// Reads a term from left to right. It must come from the core: the reader does not validate it.
typedef struct rf_term_reader {
    const uint8_t *at, *end;
} rf_term_reader;

// Starts reading. The bytes must outlive the reader; nothing has to be freed.
RF_API void rf_term_read(rf_term_reader *reader, rf_str term);
// The next value; RF_TERM_END after the last one.
RF_API rf_term rf_term_next(rf_term_reader *reader);
// The next key of a map; call it before rf_term_next for each entry.
RF_API rf_str rf_term_key(rf_term_reader *reader);

RF_END

#endif
