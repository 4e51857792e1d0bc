// number_list.h: fast reading of lists of numbers, which are most of the text of events.
#ifndef RF_CORE_NUMBER_LIST_H
#define RF_CORE_NUMBER_LIST_H

#include "scan.h"
#include <roomfold/simd.h>

// Reads [n,n,n]: exactly `count` finite numbers (integers within +-2^53) without white space, and moves scan->at past
// it. False: anything else, or too close to the end of the text. Fastest for up to seven digits, optionally with a
// point and up to seven more.
typedef bool rf_number_list_reader(rf_scan *scan, unsigned count, double *out);

// With instructions that every processor has.
rf_number_list_reader rf_number_list;
#if defined(__x86_64__)
rf_number_list_reader rf_number_list_avx2;
#endif

// The fastest one; all give the same results.
static inline rf_number_list_reader *rf_number_list_best(void) {
#if defined(__x86_64__)
    if (rf_simd_available(RF_SIMD_AVX2)) return rf_number_list_avx2;
#endif
    return rf_number_list;
}

#endif
