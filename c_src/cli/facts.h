// facts.h: what an event says of itself, apart from what it does: name, seq, at, by; and whether it is one of several
// entities.
#ifndef RF_CLI_FACTS_H
#define RF_CLI_FACTS_H

#include <roomfold/roomfold.h>

typedef enum fact_state {
    FACT_ABSENT, // or null
    FACT_THERE,
    FACT_WRONG, // not of the type it must have
} fact_state;

// A text is cut after 255 bytes, since names and ids may not have more.
typedef struct fact {
    fact_state state;
    size_t offset; // of the value, in the event's text
    double number;
    size_t len;
    char text[RF_NAME_MAX];
} fact;

// Of an object without a name (docs/event-model.md: Several entities at once).
typedef enum facts_form {
    FACTS_OTHER,
    FACTS_SEVERAL, // changes of several entities
    FACTS_ALL,     // all there is
} facts_form;

typedef struct facts {
    bool readable; // an object, read to its end
    facts_form form;
    fact name; // under "event" or "event_name"
    fact seq;  // an integer from 1 to 2^53-1
    fact at;   // a number that is not negative: milliseconds
    fact by;   // 1 to 255 bytes
} facts;

// Of the event that `text` starts with.
rf_status facts_read(rf_str text, facts *out);
// Where the value of an event's key stands, or of a key of its components, those first; 0 if it has none.
size_t facts_find(rf_str text, rf_str key);

#endif
