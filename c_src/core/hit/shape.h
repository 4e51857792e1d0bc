// shape.h: a collider as the box and the radius that it is made of.
#ifndef RF_CORE_SHAPE_H
#define RF_CORE_SHAPE_H

#include "sweep.h"
#include <math.h>
#include <roomfold/space.h>

// RF_INVALID_COLLIDER or RF_NUMBER_OUT_OF_RANGE where there is no such collider.
rf_status rf_shape_from_collider(const rf_collider *collider, rf_shape *out);

// Finite and within the limit of a space.
static inline bool rf_coordinates_valid(const double *values, int count) {
    bool valid = true;
    for (int i = 0; i < count; i++) valid &= fabs(values[i]) <= RF_SPACE_LIMIT;
    return valid;
}

// Where the shape is when its position is there.
static inline void rf_shape_at(const rf_shape *shape, const double position[3], rf_round_box *out) {
    for (int i = 0; i < 3; i++) {
        double centre = i == 1 ? position[1] + shape->lift : position[i];
        out->low[i] = centre - shape->half[i];
        out->high[i] = centre + shape->half[i];
    }
    out->radius = shape->radius;
}

#endif
