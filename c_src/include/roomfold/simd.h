// simd.h: the vector instructions that a space casts with (rf_space_def.simd). Every choice gives the same bits. There
// is no AVX-512 path: measured end to end, it gained less than a tenth over AVX2. (The packed encoder chooses its own
// instructions.)
#ifndef ROOMFOLD_SIMD_H
#define ROOMFOLD_SIMD_H

#include <roomfold/base.h>

RF_BEGIN

typedef enum rf_simd {
    RF_SIMD_AUTO, // the widest that is available
    RF_SIMD_SCALAR,
    RF_SIMD_SSE2,
    RF_SIMD_AVX2,
    RF_SIMD_NEON,
    RF_SIMD_COUNT
} rf_simd;

// "auto", "scalar", "sse2", "avx2" or "neon"; never NULL.
RF_API const char *rf_simd_name(rf_simd simd);
// Whether both this processor and this build support it.
RF_API bool rf_simd_available(rf_simd simd);
// What RF_SIMD_AUTO means on this processor.
RF_API rf_simd rf_simd_best(void);

RF_END

#endif
