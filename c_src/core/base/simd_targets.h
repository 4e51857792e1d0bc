// simd_targets.h: which instruction sets this build may have code for.
#ifndef RF_CORE_SIMD_TARGETS_H
#define RF_CORE_SIMD_TARGETS_H

#if defined(__x86_64__)
#define RF_SIMD_X86 1
#else
#define RF_SIMD_X86 0
#endif
#if defined(__ARM_NEON) && defined(__aarch64__)
#define RF_SIMD_ARM 1
#else
#define RF_SIMD_ARM 0
#endif

#endif
