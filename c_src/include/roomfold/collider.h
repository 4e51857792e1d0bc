// collider.h: the volume around a target, shot or zone. Metres, y up.
#ifndef ROOMFOLD_COLLIDER_H
#define ROOMFOLD_COLLIDER_H

#include <roomfold/base.h>

RF_BEGIN

typedef enum rf_collider_kind {
    RF_COLLIDER_POINT, // of shots and zones only; such a shot is a ray
    RF_COLLIDER_BOX,   // axis-aligned: it never rotates
    RF_COLLIDER_SPHERE,
    RF_COLLIDER_CAPSULE, // upright; not allowed for shots
} rf_collider_kind;

typedef struct rf_collider {
    rf_collider_kind kind;
    bool centred;   // the position is its centre; otherwise the centre of its underside
    double half[3]; // of a box: half its size along x, y and z
    double radius;  // of a sphere or capsule
    double height;  // of a capsule, from end to end; with less than 2 * radius it is a sphere
} rf_collider;

// Colliders whose position is the centre of their underside. The box is 2 * radius wide and `height` high.
RF_API rf_collider rf_collider_box(double radius, double height);
RF_API rf_collider rf_collider_sphere(double radius);
RF_API rf_collider rf_collider_capsule(double radius, double height);

RF_END

#endif
