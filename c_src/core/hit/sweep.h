// sweep.h: when a moving shape first touches another one. Pure functions on binary64; docs/hits.md defines them. Each
// does the same operations in the same order everywhere, so that results are reproducible.
#ifndef RF_CORE_SWEEP_H
#define RF_CORE_SWEEP_H

#include <math.h>
#include <roomfold/base.h>

// Every collider is a box and everything within a radius around it: a box has no radius, a sphere no extent, a capsule
// only an upright one.
typedef struct rf_shape {
    double half[3];
    double radius;
    double lift; // of the centre above the position
} rf_shape;

// A moving shape: its centre goes from origin to origin + translation as t goes from 0 to 1.
typedef struct rf_sweep {
    double origin[3];
    double translation[3]; // 0 along an axis, or at least RF_SWEEP_TINY
    double inverse[3];
    double half[3];
    double radius;
} rf_sweep;

// Squares of lengths down to this can be divisors: nothing overflows.
#define RF_SWEEP_TINY 1e-140

typedef struct rf_contact {
    double t;         // 0 to 1
    double normal[3]; // not set if t is 0
} rf_contact;

// Static things are solid: sliding along one, or moving away from it, is no contact. A target is hit by a touch.
typedef enum rf_surface { RF_SURFACE_TARGET, RF_SURFACE_STATIC } rf_surface;

// A box from low to high, and everything within radius of it.
typedef struct rf_round_box {
    double low[3], high[3];
    double radius;
} rf_round_box;

static inline void rf_sweep_init(rf_sweep *sweep, const double origin[3], const double translation[3],
                                 const rf_shape *shape) {
    for (int i = 0; i < 3; i++) {
        sweep->origin[i] = i == 1 ? origin[i] + shape->lift : origin[i];
        sweep->translation[i] = fabs(translation[i]) < RF_SWEEP_TINY ? 0 : translation[i];
        sweep->inverse[i] = sweep->translation[i] == 0 ? 0 : 1 / sweep->translation[i];
        sweep->half[i] = shape->half[i];
    }
    sweep->radius = shape->radius;
}

// The box grows by the sweep's half and radius. A contact after `latest` may be left out.
bool rf_sweep_round_box(const rf_sweep *sweep, const rf_round_box *box, rf_surface surface, double latest,
                        rf_contact *out);
// An upright rectangle over the segment from (x1, z1) to (x2, z2), from low to high. A ray must cross its plane.
typedef struct rf_panel {
    double x1, z1, x2, z2;
    double low, high;         // may be infinite
    bool low_edge, high_edge; // whether a ray that hits exactly this edge is stopped
} rf_panel;
bool rf_sweep_panel(const rf_sweep *sweep, const rf_panel *panel, rf_contact *out);
bool rf_sweep_triangle(const rf_sweep *sweep, const double corners[3][3], rf_contact *out);

// The squared distance from a point to the box, ignoring its radius.
double rf_round_box_distance2(const rf_round_box *box, const double point[3]);

static inline bool rf_sweep_is_ray(const rf_sweep *sweep) {
    return sweep->half[0] == 0 && sweep->half[1] == 0 && sweep->half[2] == 0 && sweep->radius == 0;
}

#endif
