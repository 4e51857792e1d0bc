// path.h: a shot made ready for testing: what moves, from where, which way, how far.
#ifndef RF_CORE_PATH_H
#define RF_CORE_PATH_H

#include "solid.h"
#include <roomfold/hit.h>

typedef struct rf_path {
    double from[3];    // the centre's
    double dir[3];     // of length 1; a component below 1e-18 is 0
    double inverse[3]; // 1 / dir; 0 where dir is 0
    double length;
    double half[3]; // of what moves; at most one of half and radius is not 0
    double radius;
    double slack; // how far before its start and behind its end a path meets things without thickness
    double lift;  // from the shot's position up to from
} rf_path;

// RF_NUMBER_OUT_OF_RANGE, RF_ZERO_DIRECTION, RF_INVALID_COLLIDER; RF_INVALID_ARGUMENT for a shape that can't be shot.
rf_status rf_path_make(const rf_shot *shot, rf_path *out);

#endif
