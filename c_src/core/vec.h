// vec.h: three binary64 numbers. Every sum is taken from left to right.
#ifndef RF_CORE_VEC_H
#define RF_CORE_VEC_H

#include <math.h>
#include <stdbool.h>

static inline double rf_dot(const double a[3], const double b[3]) {
    return a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
}

static inline void rf_cross(const double a[3], const double b[3], double out[3]) {
    out[0] = a[1] * b[2] - a[2] * b[1];
    out[1] = a[2] * b[0] - a[0] * b[2];
    out[2] = a[0] * b[1] - a[1] * b[0];
}

static inline void rf_sub(const double a[3], const double b[3], double out[3]) {
    for (int i = 0; i < 3; i++) out[i] = a[i] - b[i];
}

static inline void rf_set(double out[3], double x, double y, double z) {
    out[0] = x;
    out[1] = y;
    out[2] = z;
}

static inline double rf_larger(double a, double b) {
    return a > b ? a : b;
}

static inline double rf_smaller(double a, double b) {
    return a < b ? a : b;
}

// Finite and within +-limit; false for NaN.
static inline bool rf_within(const double v[3], double limit) {
    return fabs(v[0]) <= limit && fabs(v[1]) <= limit && fabs(v[2]) <= limit;
}

#endif
