// slab.h: the part of a sweep between pairs of parallel planes, and so where it enters and leaves a convex body. The
// slab test of Kay and Kajiya as in Williams et al., An Efficient and Robust Ray-Box Intersection Algorithm (2005), and
// Majercik et al., A Ray-Box Intersection Algorithm and Efficient Dynamic Voxel Rendering (2018).
#ifndef RF_CORE_SLAB_H
#define RF_CORE_SLAB_H

#include "sweep.h"
#include <math.h>

typedef struct rf_slabs {
    bool touch;
    double enter, leave;
    double normal[3]; // of the plane entered last; not normalised
} rf_slabs;

static inline rf_slabs rf_slabs_start(bool touch) {
    return (rf_slabs){.touch = touch, .enter = -INFINITY, .leave = INFINITY};
}

// Restricts to between low and high along an axis. False if nothing is left.
static inline bool rf_slabs_axis(rf_slabs *slabs, const rf_sweep *sweep, int axis, double low, double high) {
    double origin = sweep->origin[axis], translation = sweep->translation[axis], t1, t2;
    if (translation == 0) return slabs->touch ? origin >= low && origin <= high : origin > low && origin < high;
    t1 = (low - origin) * sweep->inverse[axis];
    t2 = (high - origin) * sweep->inverse[axis];
    if (translation < 0) {
        double swap = t1;
        t1 = t2;
        t2 = swap;
    }
    if (t1 > slabs->enter) {
        slabs->enter = t1;
        slabs->normal[0] = slabs->normal[1] = slabs->normal[2] = 0;
        slabs->normal[axis] = translation < 0 ? 1 : -1;
    }
    if (t2 < slabs->leave) slabs->leave = t2;
    return slabs->enter <= slabs->leave;
}

// Restricts to between two planes with this normal (of any length), at `width` on both sides of a point. at: normal *
// (origin - point); width in the same unit. spare, in that unit, too, is added to the width if the sweep crosses the
// planes: a body without thickness is between several pairs of planes that are one plane, and rounding must not move
// them apart.
static inline bool rf_slabs_plane(rf_slabs *slabs, const rf_sweep *sweep, const double normal[3], double at,
                                  double width, double spare) {
    double rate = normal[0] * sweep->translation[0] + normal[1] * sweep->translation[1] +
                  normal[2] * sweep->translation[2],
           t1, t2;
    if (rate == 0) return slabs->touch ? fabs(at) <= width : fabs(at) < width;
    width += spare;
    t1 = ((rate > 0 ? -width : width) - at) / rate;
    t2 = ((rate > 0 ? width : -width) - at) / rate;
    if (t1 > slabs->enter) {
        slabs->enter = t1;
        for (int i = 0; i < 3; i++) slabs->normal[i] = rate > 0 ? -normal[i] : normal[i];
    }
    if (t2 < slabs->leave) slabs->leave = t2;
    return slabs->enter <= slabs->leave;
}

// Whether some of the sweep is inside. With a static thing, leaving it at the start is no contact.
static inline bool rf_slabs_hit(const rf_slabs *slabs) {
    if (!(slabs->enter <= slabs->leave) || slabs->enter > 1 || slabs->leave < 0) return false;
    return slabs->touch || slabs->leave > 0 || slabs->enter == 0;
}

// Whether the sweep at t lies between a and b (in any order) along the axis, give or take 2^-24 of its coordinates. For
// a sweep nearly parallel to a plane, t is dominated by rounding; this rejects contacts beside the thing. The slack is
// smaller than the index's.
static inline bool rf_sweep_is_beside(const rf_sweep *sweep, double t, int axis, double a, double b) {
    double spare = 0, at = sweep->origin[axis] + sweep->translation[axis] * t;
    for (int i = 0; i < 3; i++) spare = fmax(spare, fmax(fabs(sweep->origin[i]), fabs(sweep->translation[i])));
    spare *= 0x1p-24;
    return at >= fmin(a, b) - spare && at <= fmax(a, b) + spare;
}

// The normal, of length 1. Only if the body is entered after the start.
static inline void rf_slabs_normal(const rf_slabs *slabs, double out[3]) {
    const double *from = slabs->normal;
    double scale = fmax(fmax(fabs(from[0]), fabs(from[1])), fabs(from[2])), length;
    for (int i = 0; i < 3; i++) out[i] = scale == 0 ? 0 : from[i] / scale;
    length = sqrt(out[0] * out[0] + out[1] * out[1] + out[2] * out[2]);
    for (int i = 0; i < 3 && length > 0; i++) out[i] /= length;
}

#endif
