// arithmetic.h: adding to a component (docs/event-model.md, Rules).
#ifndef RF_CORE_ARITHMETIC_H
#define RF_CORE_ARITHMETIC_H

#include <roomfold/term.h>

// *sum += addend, integers with saturation, then clamped to the bounds (RF_TERM_NULL: none). All are RF_TERM_INT or
// RF_TERM_FLOAT. false if the sum is infinite.
bool rf_add_clamped(rf_term *sum, const rf_term *addend, const rf_term *min, const rf_term *max);

#endif
