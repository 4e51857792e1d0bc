// exact.h: for files whose floating point must give the same bits everywhere. The compiler must not fuse a * b + c
// (-ffp-contract=off, which gcc only takes on the command line) and must not calculate in a wider type.
#ifndef RF_CORE_EXACT_H
#define RF_CORE_EXACT_H

#include <float.h>

#if defined(__clang__)
#pragma STDC FP_CONTRACT OFF
#endif

#if defined(__FAST_MATH__)
#error "Roomfold can't be compiled with -ffast-math"
#endif

#if FLT_EVAL_METHOD != 0 && FLT_EVAL_METHOD != 16
#error "compile with -msse2 -mfpmath=sse: x87 arithmetic gives other bits"
#endif

#endif
