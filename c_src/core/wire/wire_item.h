// wire_item.h: a component of an entity in a snapshot or diff: how its value is written, and writing it
// (docs/wire-format.md, "Values").
#ifndef RF_CORE_WIRE_ITEM_H
#define RF_CORE_WIRE_ITEM_H

#include "frame/wire_out.h"
#include "wire_page.h"
#include <roomfold/schema.h>

// How a component's value is written.
typedef enum rf_wire_form {
    RF_ITEM_PLAIN, // not quantised
    RF_ITEM_RAW,   // as if not quantised, because it cannot be
    RF_ITEM_BITS,  // `bits`, which are complete
    RF_ITEM_STEPS,
    RF_ITEM_DELTA,
    RF_ITEM_REMOVED,
} rf_wire_form;

typedef struct rf_wire_item {
    const rf_column *column;
    const rf_quantiser *quantiser;
    const uint8_t *cell;
    rf_wire_form form;
    uint8_t len;                      // of `bits`; of a delta, its width
    uint64_t bits;                    // the complete encoding
    uint32_t numbers[RF_NUMBERS_MAX]; // steps; of a delta, zigzags
} rf_wire_item;

// Finds an entity's item of this part. since: as rf_wire_values.since. False: it is unchanged for the receiver.
bool rf_wire_item_find(rf_wire_item *it, rf_wire_part *part, uint32_t handle, uint32_t since);
// Writes its value. update: as a changed one. reserve: bits that are reserved, also afterwards.
void rf_wire_item_put(rf_wire_out *out, const rf_schema *schema, size_t reserve, const rf_wire_item *it, bool update);

#endif
