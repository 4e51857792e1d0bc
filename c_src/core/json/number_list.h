// number_list.h: lists of numbers as programs write them, the bulk of most events.
#ifndef RF_CORE_NUMBER_LIST_H
#define RF_CORE_NUMBER_LIST_H

#include "scan.h"
#include <roomfold/simd.h>

// [n,n,n], exactly `count` numbers that are finite (integers within +-2^53), without white space: then scan->at is
// behind it. false: it is something else, or ends too close to the end of the text. Fast for up to seven digits,
// perhaps a point and up to seven more.
typedef bool rf_number_list_reader(rf_scan *scan, unsigned count, double *out);

// With the instructions that every processor has.
rf_number_list_reader rf_number_list;
#if defined(__x86_64__)
rf_number_list_reader rf_number_list_avx2;
#endif

// All answer the same.
static inline rf_number_list_reader *rf_number_list_best(void) {
#if defined(__x86_64__)
    if (rf_simd_available(RF_SIMD_AVX2)) return rf_number_list_avx2;
#endif
    return rf_number_list;
}

#endif
