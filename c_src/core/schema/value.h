// value.h: converts values to the bytes that a component's column keeps.
#ifndef RF_CORE_VALUE_H
#define RF_CORE_VALUE_H

#include <roomfold/schema.h>
#include <roomfold/term.h>

#define RF_VALUE_FIXED (RF_NUMBERS_MAX * 8)

// Converts a term to a component's value (def NULL: undeclared, so a term). *image: the bytes; of numbers and booleans
// in `fixed`, of strings and terms in the term itself. RF_WRONG_TYPE, RF_NUMBER_OUT_OF_RANGE, RF_TOO_LARGE.
rf_status rf_value_from_term(const rf_component_def *def, rf_str term, uint32_t max_bytes, uint8_t *fixed,
                             rf_str *image);
// The same for def->count finite numbers, for an f32 or f64.
rf_status rf_value_from_numbers(const rf_component_def *def, const double *numbers, uint8_t *fixed, rf_str *image);
// Reads a column's bytes as a single number, RF_TERM_INT or RF_TERM_FLOAT; false if they are not one.
bool rf_value_number(const rf_component_def *def, rf_str image, rf_term *out);

#endif
