// solid.h: a collider in the one form that everything is tested in: a box, and all that is within a radius of it.
// A sphere is a box of no size, a capsule one that is only high.
#ifndef RF_CORE_SOLID_H
#define RF_CORE_SOLID_H

#include <roomfold/collider.h>
#include <roomfold/status.h>

typedef struct rf_solid {
    double half[3];
    double radius;
    double lift; // from the position up to the centre
} rf_solid;

// RF_INVALID_COLLIDER for what is negative or not a number, RF_NUMBER_OUT_OF_RANGE for what is too large.
rf_status rf_solid_make(const rf_collider *collider, rf_solid *out);

#endif
