// value.h: from any value to the bytes a component of some type keeps.
#ifndef RF_CORE_VALUE_H
#define RF_CORE_VALUE_H

#include <roomfold/schema.h>
#include <roomfold/term.h>

#define RF_VALUE_FIXED (RF_NUMBERS_MAX * 8)

// Converts a compact term for a component (def NULL: undeclared, a term). Numbers and booleans go to `fixed` as a
// column keeps them, strings and terms are the bytes in the term itself; *image says where.
// RF_WRONG_TYPE, RF_NUMBER_OUT_OF_RANGE, RF_TOO_LARGE.
rf_status rf_value_from_term(const rf_component_def *def, rf_str term, uint32_t max_bytes, uint8_t *fixed,
                             rf_str *image);
// The same for def->count finite numbers, for an f32 or f64.
rf_status rf_value_from_numbers(const rf_component_def *def, const double *numbers, uint8_t *fixed, rf_str *image);
// The compact term of a column's bytes, for numbers that are added to: RF_TERM_INT or RF_TERM_FLOAT; false if it isn't
// one number.
bool rf_value_number(const rf_component_def *def, rf_str image, rf_term *out);

#endif
