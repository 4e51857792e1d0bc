// number.h: converts between floats and decimal text, correctly rounded, without libc and its locale.
#ifndef RF_CORE_NUMBER_H
#define RF_CORE_NUMBER_H

#include <float.h>
#include <roomfold/base.h>

// Decimal digits that always fit in 64 bits.
#define RF_NUMBER_DIGITS 19

// Whether + - * / on a double round once (x87 rounds twice).
#define RF_NUMBER_IEEE (FLT_EVAL_METHOD == 0 || FLT_EVAL_METHOD == 1)

typedef struct rf_decimal {
    uint64_t digits;
    int32_t exponent; // the value is digits × 10^exponent
} rf_decimal;

// The binary64 nearest to digits × 10^exponent, ties to even; infinity if that is too large.
double rf_number_f64(uint64_t digits, int64_t exponent, bool negative);
// The same for the text of a JSON number of any length, which must be well-formed.
double rf_number_parse(rf_str text);

// The shortest decimal that reads back as this finite value above zero; of several, the closest. Trailing zeros do not
// count. At most 17 digits.
rf_decimal rf_number_shortest_f64(double value);
// The same for a binary32, if it is read as the nearest binary64 and then rounded. At most 9 digits.
rf_decimal rf_number_shortest_f32(float value);

#endif
