// simd.h: which of the processor's vector instructions are used. The answers are the same bits with all of them.
// AVX-512 is not among them: measured from end to end it gains less than a tenth over AVX2.
#ifndef ROOMFOLD_SIMD_H
#define ROOMFOLD_SIMD_H

#include <roomfold/base.h>

RF_BEGIN

typedef enum rf_simd {
    RF_SIMD_AUTO, // the widest one there is
    RF_SIMD_SCALAR,
    RF_SIMD_SSE2,
    RF_SIMD_AVX2,
    RF_SIMD_NEON,
    RF_SIMD_COUNT
} rf_simd;

// "scalar", "sse2", "avx2", "neon"; never NULL.
RF_API const char *rf_simd_name(rf_simd simd);
// Whether this processor and this build have it.
RF_API bool rf_simd_available(rf_simd simd);
// What RF_SIMD_AUTO stands for here.
RF_API rf_simd rf_simd_best(void);

RF_END

#endif
