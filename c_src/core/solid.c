#include "solid.h"

#include "vec.h"
#include <roomfold/space.h>

static rf_status check(double size) {
    if (!(size >= 0)) return RF_INVALID_COLLIDER;
    return size <= RF_SPACE_LIMIT ? RF_OK : RF_NUMBER_OUT_OF_RANGE;
}

static rf_status make_box(const rf_collider *collider, rf_solid *out) {
    for (int i = 0; i < 3; i++) {
        rf_status status = check(collider->half[i]);
        if (status) return status;
        out->half[i] = collider->half[i];
    }
    return RF_OK;
}

static rf_status make_capsule(const rf_collider *collider, rf_solid *out) {
    rf_status status = check(collider->radius);
    if (!status) status = check(collider->height);
    out->radius = collider->radius;
    out->half[1] = rf_larger(collider->height / 2 - collider->radius, 0);
    return status;
}

rf_status rf_solid_make(const rf_collider *collider, rf_solid *out) {
    rf_status status = RF_OK;
    *out = (rf_solid){.half = {0, 0, 0}};
    switch (collider->kind) {
    case RF_COLLIDER_POINT:
        break;
    case RF_COLLIDER_BOX:
        status = make_box(collider, out);
        break;
    case RF_COLLIDER_SPHERE:
        out->radius = collider->radius;
        status = check(collider->radius);
        break;
    case RF_COLLIDER_CAPSULE:
        status = make_capsule(collider, out);
        break;
    default:
        return RF_INVALID_COLLIDER;
    }
    out->lift = collider->centred ? 0 : out->half[1] + out->radius;
    return status;
}
