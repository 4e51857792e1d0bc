// quantise.h: numbers in steps, and quaternions by their smallest three (docs/wire-format.md, Values). binary64 in a
// fixed order throughout: every implementation gets the same integers and the same floats.
#ifndef RF_CORE_QUANTISE_H
#define RF_CORE_QUANTISE_H

#include <roomfold/schema.h>

// A component's way to be quantised, ready to use.
typedef struct rf_quantiser {
    uint8_t kind;               // rf_quantise
    uint8_t bits;               // of each integer
    uint8_t count;              // integers: the component's numbers, or 3
    uint8_t values;             // numbers of the component
    bool wide;                  // f64
    uint32_t most;              // the largest integer
    double min, step, per_step; // per_step: 1 / step; of a turn: what a number is multiplied by
    double half_up;             // of a turn: min, and what rounds
} rf_quantiser;

bool rf_quantiser_valid(const rf_component_def *def);
rf_quantiser rf_quantiser_of(const rf_component_def *def);

// From a column's value to integers; false: it has none (out of bounds, no unit quaternion). For a turn *index is its
// largest number's place, or with `forced` the place to be left out whatever is largest.
bool rf_quantise_value(const rf_quantiser *quantiser, const void *value, bool forced, uint32_t *index, uint32_t *out);
// Whether another value of a turn has its largest number at the same place; true for steps.
bool rf_quantise_same_place(const rf_quantiser *quantiser, const void *value, uint32_t index);
// And back, as a column keeps it. The integers are in range.
void rf_dequantise_value(const rf_quantiser *quantiser, const uint32_t *numbers, uint32_t index, void *value);

#endif
