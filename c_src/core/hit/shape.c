#include "shape.h"

rf_collider rf_collider_box(double radius, double height) {
    return (rf_collider){.kind = RF_COLLIDER_BOX, .half = {radius, height / 2, radius}};
}

rf_collider rf_collider_sphere(double radius) {
    return (rf_collider){.kind = RF_COLLIDER_SPHERE, .radius = radius};
}

rf_collider rf_collider_capsule(double radius, double height) {
    return (rf_collider){.kind = RF_COLLIDER_CAPSULE, .radius = radius, .height = height};
}

static bool sizes_valid(const double *values, int count, rf_status *status) {
    *status = rf_coordinates_valid(values, count) ? RF_INVALID_COLLIDER : RF_NUMBER_OUT_OF_RANGE;
    if (*status == RF_NUMBER_OUT_OF_RANGE) return false;
    for (int i = 0; i < count; i++)
        if (values[i] < 0) return false;
    *status = RF_OK;
    return true;
}

rf_status rf_shape_from_collider(const rf_collider *collider, rf_shape *out) {
    rf_status status = RF_OK;
    double height;
    *out = (rf_shape){0};
    switch (collider->kind) {
    case RF_COLLIDER_POINT:
        return RF_OK;
    case RF_COLLIDER_BOX:
        if (!sizes_valid(collider->half, 3, &status)) return status;
        for (int i = 0; i < 3; i++) out->half[i] = collider->half[i];
        height = out->half[1] * 2;
        break;
    case RF_COLLIDER_SPHERE:
        if (!sizes_valid(&collider->radius, 1, &status)) return status;
        out->radius = collider->radius;
        height = out->radius * 2;
        break;
    case RF_COLLIDER_CAPSULE:
        if (!sizes_valid(&collider->radius, 1, &status) || !sizes_valid(&collider->height, 1, &status)) return status;
        out->radius = collider->radius;
        height = fmax(collider->height, out->radius * 2);
        out->half[1] = height * 0.5 - out->radius;
        break;
    default:
        return RF_INVALID_COLLIDER;
    }
    out->lift = collider->centred ? 0 : height * 0.5;
    return RF_OK;
}
