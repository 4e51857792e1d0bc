#include "path.h"

#include "exact.h"
#include "vec.h"

// What moves less than this per metre does not move along that axis: over RF_SPACE_LIMIT that is a nanometre.
#define STILL 1e-18
#define NANOMETRE 1e-9

static bool aim(const double direction[3], double out[3]) {
    double square = rf_dot(direction, direction), length;
    for (int i = 0; i < 3; i++) out[i] = direction[i];
    // Squares must neither overflow nor vanish.
    if (!(square > 1e-100 && square < 1e100)) {
        double largest = rf_larger(rf_larger(fabs(out[0]), fabs(out[1])), fabs(out[2]));
        if (largest == 0) return false;
        for (int i = 0; i < 3; i++) out[i] = out[i] / largest;
        square = rf_dot(out, out);
    }
    length = sqrt(square);
    for (int i = 0; i < 3; i++) {
        out[i] = out[i] / length;
        if (fabs(out[i]) < STILL) out[i] = 0;
    }
    return true;
}

rf_status rf_path_make(const rf_shot *shot, rf_path *out) {
    const double *from = shot->origin;
    rf_solid solid;
    rf_status status;
    if (!rf_within(from, RF_SPACE_LIMIT) || !rf_within(shot->direction, INFINITY) || isinf(shot->direction[0]) ||
        isinf(shot->direction[1]) || isinf(shot->direction[2]) || !(shot->range >= 0 && shot->range <= RF_SPACE_LIMIT))
        return RF_NUMBER_OUT_OF_RANGE;
    if (shot->collider.kind == RF_COLLIDER_CAPSULE) return RF_INVALID_ARGUMENT;
    status = rf_solid_make(&shot->collider, &solid);
    if (status) return status;
    if (!aim(shot->direction, out->dir)) return RF_ZERO_DIRECTION;
    for (int i = 0; i < 3; i++) {
        out->inverse[i] = out->dir[i] != 0 ? 1 / out->dir[i] : 0;
        out->half[i] = solid.half[i];
        out->from[i] = from[i];
    }
    out->from[1] = from[1] + solid.lift;
    out->lift = solid.lift;
    out->length = shot->range;
    out->radius = solid.radius;
    out->slack =
        NANOMETRE + 1e-15 * (fabs(out->from[0]) + fabs(out->from[1]) + fabs(out->from[2]) + out->length);
    return RF_OK;
}
