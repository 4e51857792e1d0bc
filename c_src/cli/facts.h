// facts.h: reads an event's own keys: its name, seq, at and by; and whether it speaks of several entities.
#ifndef RF_CLI_FACTS_H
#define RF_CLI_FACTS_H

#include <roomfold/roomfold.h>

typedef enum fact_state {
    FACT_ABSENT, // or null
    FACT_THERE,
    FACT_WRONG, // of a wrong type
} fact_state;

// A text is cut after 255 bytes, the longest name or id.
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
    bool readable; // it is a complete JSON object
    facts_form form;
    fact name; // under "event" or "event_name"
    fact seq;  // an integer from 1 to 2^53-1
    fact at;   // a number from 0, below 2^53: milliseconds
    fact by;   // 1 to 255 bytes
} facts;

// Reads the event at the start of `text`.
rf_status facts_read(rf_str text, facts *out);
// The offset of the value of a component with this name, else of the event's own key; 0 if it has neither.
size_t facts_find(rf_str text, rf_str key);

#endif
