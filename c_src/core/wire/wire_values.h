// wire_values.h: quantised values of several entities at once, as the bits that say them in a frame.
#ifndef RF_CORE_WIRE_VALUES_H
#define RF_CORE_WIRE_VALUES_H

#include "world/column.h"
#include "schema/quantise.h"

#define RF_WIRE_VALUE_RAW 255 // a length that is none: the value has no integers, it goes as it is

// Which of a page's entities, in ascending order. Those behind the last, up to a whole group of RF_WIRE_GROUP, are some
// that may be looked at, too.
#define RF_WIRE_GROUP 8
typedef struct rf_wire_places {
    uint32_t count;
    uint8_t at[RF_PAGE_SIZE + RF_WIRE_GROUP];
} rf_wire_places;

// Values of one component, of entities of one page that have it.
typedef struct rf_wire_values {
    const rf_column *column;
    const uint8_t *cells; // of the page
    uint32_t first;       // the page's first handle
    uint32_t since;       // only what changed at this revision or later is said, as an update; 0: all, as wholes
    const rf_wire_places *who;
} rf_wire_values;

// What is said of each. A group may begin at any of them, so there is room behind the last one to be looked at.
typedef struct rf_wire_sayings {
    uint64_t bits[RF_PAGE_SIZE + RF_WIRE_GROUP];
    uint8_t len[RF_PAGE_SIZE + RF_WIRE_GROUP]; // of bits; 0: for the receiver nothing has changed; or RF_WIRE_VALUE_RAW
} rf_wire_sayings;

// May write sayings up to a whole number of groups.
typedef void rf_wire_values_function(const rf_quantiser *quantiser, const rf_wire_values *values, rf_wire_sayings *out);

#endif
