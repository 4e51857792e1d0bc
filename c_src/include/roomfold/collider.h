// collider.h: the volume around a position that can be hit. Metres, y up.
#ifndef ROOMFOLD_COLLIDER_H
#define ROOMFOLD_COLLIDER_H

#include <roomfold/base.h>

RF_BEGIN

typedef enum rf_collider_kind {
    RF_COLLIDER_POINT, // of a shot: it is a ray
    RF_COLLIDER_BOX,   // never turns: its sides stay parallel to the axes
    RF_COLLIDER_SPHERE,
    RF_COLLIDER_CAPSULE, // upright; of targets only
} rf_collider_kind;

typedef struct rf_collider {
    rf_collider_kind kind;
    bool centred;   // the position is its centre; else the middle of its underside
    double half[3]; // of a box: half its size along x, y, z
    double radius;  // of a sphere or capsule
    double height;  // of a capsule, from end to end; below 2 * radius it is a sphere
} rf_collider;

// {"shape": "box", "radius": r, "height": h}: 2r wide, h high. None of them is centred.
RF_API rf_collider rf_collider_box(double radius, double height);
RF_API rf_collider rf_collider_sphere(double radius);
RF_API rf_collider rf_collider_capsule(double radius, double height);

RF_END

#endif
