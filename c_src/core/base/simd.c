// simd.c: chooses vector instructions.
#include <roomfold/simd.h>

#include "simd_targets.h"

const char *rf_simd_name(rf_simd simd) {
    switch (simd) {
    case RF_SIMD_AUTO:
        return "auto";
    case RF_SIMD_SCALAR:
        return "scalar";
    case RF_SIMD_SSE2:
        return "sse2";
    case RF_SIMD_AVX2:
        return "avx2";
    case RF_SIMD_NEON:
        return "neon";
    case RF_SIMD_COUNT:
        break;
    }
    return "unknown";
}

bool rf_simd_available(rf_simd simd) {
    switch (simd) {
    case RF_SIMD_AUTO:
    case RF_SIMD_SCALAR:
        return true;
#if RF_SIMD_X86
    case RF_SIMD_SSE2:
        return __builtin_cpu_supports("sse2");
    case RF_SIMD_AVX2:
        return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("bmi2") &&
               __builtin_cpu_supports("popcnt");
#endif
#if RF_SIMD_ARM
    case RF_SIMD_NEON:
        return true;
#endif
    default:
        return false;
    }
}

rf_simd rf_simd_best(void) {
    static const rf_simd order[] = {RF_SIMD_AVX2, RF_SIMD_SSE2, RF_SIMD_NEON};
    for (size_t i = 0; i < sizeof order / sizeof *order; i++)
        if (rf_simd_available(order[i])) return order[i];
    return RF_SIMD_SCALAR;
}
