// sweep_panel.c: a moving shape against an upright panel.
#include "slab.h"

// Twice the area of the triangle (start, start + translation, corner), seen from above: its sign is the side on which
// the corner is. Two walls that share a corner compute the same number, so no ray slips through between them.
static double side(const rf_sweep *sweep, double x, double z) {
    return sweep->translation[0] * (z - sweep->origin[2]) - sweep->translation[2] * (x - sweep->origin[0]);
}

static bool ray_panel(const rf_sweep *sweep, const rf_panel *panel, rf_contact *out) {
    double first = side(sweep, panel->x1, panel->z1), second = side(sweep, panel->x2, panel->z2);
    double ex = panel->x2 - panel->x1, ez = panel->z2 - panel->z1, rate, y, length;
    if ((first > 0 && second > 0) || (first < 0 && second < 0)) return false;
    rate = sweep->translation[0] * ez - sweep->translation[2] * ex;
    if (rate == 0) return false;
    out->t = ((panel->x1 - sweep->origin[0]) * ez - (panel->z1 - sweep->origin[2]) * ex) / rate + 0.0; // not -0
    if (!(out->t >= 0 && out->t <= 1) || !rf_sweep_is_beside(sweep, out->t, 0, panel->x1, panel->x2) ||
        !rf_sweep_is_beside(sweep, out->t, 2, panel->z1, panel->z2))
        return false;
    y = sweep->origin[1] + sweep->translation[1] * out->t;
    if (panel->low_edge ? y < panel->low : y <= panel->low) return false;
    if (panel->high_edge ? y > panel->high : y >= panel->high) return false;
    length = sqrt(ex * ex + ez * ez) * (rate > 0 ? -1 : 1);
    out->normal[0] = ez / length;
    out->normal[1] = 0;
    out->normal[2] = -ex / length;
    return true;
}

// The Minkowski sum of the panel and the moving box is a prism over a hexagon: three pairs of upright planes.
static bool box_panel(const rf_sweep *sweep, const rf_panel *panel, rf_contact *out) {
    const double *half = sweep->half;
    double across[3] = {panel->z2 - panel->z1, 0, panel->x1 - panel->x2};
    double at = across[0] * (sweep->origin[0] - panel->x1) + across[2] * (sweep->origin[2] - panel->z1);
    double width = fabs(across[0]) * half[0] + fabs(across[2]) * half[2], spare = width == 0 ? fabs(at) * 0x1p-44 : 0;
    rf_slabs slabs = rf_slabs_start(false);
    if (across[0] == 0 && across[2] == 0) return false;
    if (!rf_slabs_axis(&slabs, sweep, 0, fmin(panel->x1, panel->x2) - half[0], fmax(panel->x1, panel->x2) + half[0]) ||
        !rf_slabs_axis(&slabs, sweep, 1, panel->low - half[1], panel->high + half[1]) ||
        !rf_slabs_axis(&slabs, sweep, 2, fmin(panel->z1, panel->z2) - half[2], fmax(panel->z1, panel->z2) + half[2]) ||
        !rf_slabs_plane(&slabs, sweep, across, at, width, spare) || !rf_slabs_hit(&slabs))
        return false;
    out->t = slabs.enter > 0 ? slabs.enter : 0;
    rf_slabs_normal(&slabs, out->normal);
    return true;
}

// In the wall's coordinates, the panel is a box without depth. Parts out of the sphere's reach above and below are cut
// off.
static bool sphere_panel(const rf_sweep *sweep, const rf_panel *panel, rf_contact *out) {
    double ex = panel->x2 - panel->x1, ez = panel->z2 - panel->z1, length = sqrt(ex * ex + ez * ez);
    double x = sweep->origin[0] - panel->x1, z = sweep->origin[2] - panel->z1,
           end = sweep->origin[1] + sweep->translation[1];
    double reach = sweep->radius * 2 + 1, along;
    double origin[3], translation[3];
    rf_shape sphere = {.radius = sweep->radius};
    rf_round_box flat = {.low = {0, fmax(panel->low, fmin(sweep->origin[1], end) - reach), 0},
                         .high = {length, fmin(panel->high, fmax(sweep->origin[1], end) + reach), 0}};
    rf_sweep rotated;
    if (length == 0 || flat.low[1] > flat.high[1]) return false;
    ex /= length;
    ez /= length;
    origin[0] = x * ex + z * ez;
    origin[1] = sweep->origin[1];
    origin[2] = z * ex - x * ez;
    translation[0] = sweep->translation[0] * ex + sweep->translation[2] * ez;
    translation[1] = sweep->translation[1];
    translation[2] = sweep->translation[2] * ex - sweep->translation[0] * ez;
    rf_sweep_init(&rotated, origin, translation, &sphere);
    if (!rf_sweep_round_box(&rotated, &flat, RF_SURFACE_STATIC, INFINITY, out)) return false;
    along = out->normal[0];
    out->normal[0] = along * ex - out->normal[2] * ez;
    out->normal[2] = along * ez + out->normal[2] * ex;
    return true;
}

bool rf_sweep_panel(const rf_sweep *sweep, const rf_panel *panel, rf_contact *out) {
    if (rf_sweep_is_ray(sweep)) return ray_panel(sweep, panel, out);
    if (sweep->radius == 0) return box_panel(sweep, panel, out);
    return sphere_panel(sweep, panel, out);
}
