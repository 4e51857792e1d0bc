// arithmetic.h: the operation `add` of rules (docs/event-model.md, "Rules").
#ifndef RF_CORE_ARITHMETIC_H
#define RF_CORE_ARITHMETIC_H

#include <roomfold/term.h>

// *sum += addend, saturating for integers, then clamped to min and max (RF_TERM_NULL: no bound). All are RF_TERM_INT or
// RF_TERM_FLOAT. False if the sum is infinite.
bool rf_add_clamped(rf_term *sum, const rf_term *addend, const rf_term *min, const rf_term *max);

#endif
