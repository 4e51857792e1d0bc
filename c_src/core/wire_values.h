// wire_values.h: quantised values of several entities at once, as the bits that say them in a frame.
#ifndef RF_CORE_WIRE_VALUES_H
#define RF_CORE_WIRE_VALUES_H

#include "column.h"
#include "quantise.h"

#define RF_WIRE_VALUE_RAW 255 // a length that is none: the value has no integers, it goes as it is

// What entities of one page have: numbers, to be read 16 bytes from where they begin.
typedef struct rf_wire_values {
    uint32_t count;
    bool update; // the receiver has the entities: a delta may be said, and nothing if nothing changed
    const uint8_t *now[RF_PAGE_SIZE];
    const uint8_t *was[RF_PAGE_SIZE]; // what the receiver has; the same place as `now` if that is not known
} rf_wire_values;

// What is said of each.
typedef struct rf_wire_sayings {
    uint64_t bits[RF_PAGE_SIZE];
    uint8_t len[RF_PAGE_SIZE]; // of bits; 0: for the receiver nothing has changed; or RF_WIRE_VALUE_RAW
} rf_wire_sayings;

// May fill values up to a whole number of groups.
typedef void rf_wire_values_function(const rf_quantiser *quantiser, rf_wire_values *values, rf_wire_sayings *out);

#endif
