#include "bvh_ops.h"

const rf_bvh_ops *rf_bvh_ops_for(rf_simd simd) {
    if (simd == RF_SIMD_AUTO) simd = rf_simd_best();
    if (!rf_simd_available(simd)) return NULL;
    switch (simd) {
#if RF_SIMD_X86
    case RF_SIMD_SSE2:
        return &rf_bvh_sse2;
    case RF_SIMD_AVX2:
        return &rf_bvh_avx2;
#endif
#if RF_SIMD_ARM
    case RF_SIMD_NEON:
        return &rf_bvh_neon;
#endif
    default:
        return &rf_bvh_scalar;
    }
}
