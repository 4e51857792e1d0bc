// shape.h: converts a collider to a box and a radius.
#ifndef RF_CORE_SHAPE_H
#define RF_CORE_SHAPE_H

#include "sweep.h"
#include <math.h>
#include <roomfold/space.h>

// RF_INVALID_COLLIDER, RF_NUMBER_OUT_OF_RANGE.
rf_status rf_shape_from_collider(const rf_collider *collider, rf_shape *out);

// Whether the numbers are finite and within the limit of a space.
static inline bool rf_coordinates_valid(const double *values, int count) {
    bool valid = true;
    for (int i = 0; i < count; i++) valid &= fabs(values[i]) <= RF_SPACE_LIMIT;
    return valid;
}

// The shape at this position.
static inline void rf_shape_at(const rf_shape *shape, const double position[3], rf_round_box *out) {
    for (int i = 0; i < 3; i++) {
        double centre = i == 1 ? position[1] + shape->lift : position[i];
        out->low[i] = centre - shape->half[i];
        out->high[i] = centre + shape->half[i];
    }
    out->radius = shape->radius;
}

#endif
