// wire_values.h: encodes quantised values of several entities at once, as bits of a frame.
#ifndef RF_CORE_WIRE_VALUES_H
#define RF_CORE_WIRE_VALUES_H

#include "world/column.h"
#include "schema/quantise.h"

#define RF_WIRE_VALUE_RAW 255 // instead of a length: the value cannot be quantised and is sent raw

// Positions of entities in a page, ascending. After the last one, up to a multiple of RF_WIRE_GROUP, there are
// arbitrary valid positions, which may be read too.
#define RF_WIRE_GROUP 8
typedef struct rf_wire_places {
    uint32_t count;
    uint8_t at[RF_PAGE_SIZE + RF_WIRE_GROUP];
} rf_wire_places;

// The values of a component, of entities of a page that have it.
typedef struct rf_wire_values {
    const rf_column *column;
    const uint8_t *cells; // of the page
    uint32_t first;       // the page's first handle
    uint32_t since;       // encodes only changes at this revision or later, as updates; 0: all values, in full
    const rf_wire_places *places;
} rf_wire_values;

// The encoded values. A group may begin at any of them, so there is padding after the last one.
typedef struct rf_wire_codes {
    uint64_t bits[RF_PAGE_SIZE + RF_WIRE_GROUP];
    uint8_t len[RF_PAGE_SIZE + RF_WIRE_GROUP]; // in bits; 0: unchanged for the receiver; or RF_WIRE_VALUE_RAW
} rf_wire_codes;

// May write values up to a multiple of RF_WIRE_GROUP.
typedef void rf_wire_values_function(const rf_quantiser *quantiser, const rf_wire_values *values, rf_wire_codes *out);

#endif
