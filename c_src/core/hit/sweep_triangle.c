// sweep_triangle.c: a moving shape against a triangle.
#include "slab.h"

static void subtract(const double a[3], const double b[3], double out[3]) {
    for (int i = 0; i < 3; i++) out[i] = a[i] - b[i];
}

static void cross(const double a[3], const double b[3], double out[3]) {
    out[0] = a[1] * b[2] - a[2] * b[1];
    out[1] = a[2] * b[0] - a[0] * b[2];
    out[2] = a[0] * b[1] - a[1] * b[0];
}

static double dot(const double a[3], const double b[3]) {
    return a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
}

// Six times the volume of the tetrahedron (start, start + translation, a, b): its sign is the side of the edge on which
// the ray passes. Two triangles that share an edge compute the same number except for its sign, so no ray slips through
// between them.
static double side(const rf_sweep *sweep, const double a[3], const double b[3]) {
    const double *first = a, *second = b;
    double volume, product[3];
    bool rotated = a[0] > b[0] || (a[0] == b[0] && (a[1] > b[1] || (a[1] == b[1] && a[2] > b[2])));
    if (rotated) {
        first = b;
        second = a;
    }
    cross(first, second, product);
    volume = dot(sweep->translation, product);
    return rotated ? -volume : volume;
}

// After Moller and Trumbore, Fast, Minimum Storage Ray/Triangle Intersection (1997), with the edges tested by signed
// volumes (Segura and Feito 2001). The corners are relative to the start.
static bool ray_triangle(const rf_sweep *sweep, const double corners[3][3], const double normal[3], rf_contact *out) {
    double a = side(sweep, corners[0], corners[1]), b = side(sweep, corners[1], corners[2]);
    double c = side(sweep, corners[2], corners[0]), rate = dot(normal, sweep->translation);
    if ((a < 0 || b < 0 || c < 0) && (a > 0 || b > 0 || c > 0)) return false;
    if (rate == 0) return false;
    out->t = dot(normal, corners[0]) / rate + 0.0; // not -0
    if (!(out->t >= 0 && out->t <= 1)) return false;
    for (int axis = 0; axis < 3; axis++) {
        double low = fmin(fmin(corners[0][axis], corners[1][axis]), corners[2][axis]);
        double high = fmax(fmax(corners[0][axis], corners[1][axis]), corners[2][axis]);
        if (!rf_sweep_is_beside(sweep, out->t, axis, sweep->origin[axis] + low, sweep->origin[axis] + high))
            return false;
    }
    return true;
}

// More than the distance of any corner from the start along `across`, and than what that is computed from.
static double reach(const double across[3], const double corners[3][3]) {
    double out = 0;
    for (int axis = 0; axis < 3; axis++)
        out += fabs(across[axis]) * fmax(fmax(fabs(corners[0][axis]), fabs(corners[1][axis])), fabs(corners[2][axis]));
    return out;
}

// The Minkowski sum of a box and a triangle is a convex body whose sides are those of the box, of the triangle, and
// those spanned by an edge of each (Ericson, Real-Time Collision Detection, 5.2.9 and 5.5.8).
static bool box_triangle(const rf_sweep *sweep, const double corners[3][3], const double normal[3], rf_contact *out) {
    rf_slabs slabs = rf_slabs_start(false);
    for (int axis = 0; axis < 3; axis++) {
        double low = fmin(fmin(corners[0][axis], corners[1][axis]), corners[2][axis]);
        double high = fmax(fmax(corners[0][axis], corners[1][axis]), corners[2][axis]);
        if (!rf_slabs_axis(&slabs, sweep, axis, sweep->origin[axis] + (low - sweep->half[axis]),
                           sweep->origin[axis] + (high + sweep->half[axis])))
            return false;
    }
    for (int edge = -1; edge < 3; edge++) {
        double along[3], across[3], at, low, high, width, spare;
        if (edge >= 0) subtract(corners[(edge + 1) % 3], corners[edge], along);
        for (int axis = 0; axis < (edge < 0 ? 1 : 3); axis++) {
            double unit[3] = {axis == 0, axis == 1, axis == 2};
            if (edge < 0)
                for (int i = 0; i < 3; i++) across[i] = normal[i];
            else
                cross(unit, along, across);
            if (across[0] == 0 && across[1] == 0 && across[2] == 0) continue;
            low = high = dot(across, corners[0]);
            for (int i = 1; i < 3; i++) {
                low = fmin(low, dot(across, corners[i]));
                high = fmax(high, dot(across, corners[i]));
            }
            width =
                fabs(across[0]) * sweep->half[0] + fabs(across[1]) * sweep->half[1] + fabs(across[2]) * sweep->half[2];
            spare = width == 0 ? reach(across, corners) * 0x1p-44 : 0;
            width += (high - low) * 0.5;
            at = -(low + (high - low) * 0.5);
            if (!rf_slabs_plane(&slabs, sweep, across, at, width, spare)) return false;
        }
    }
    if (!rf_slabs_hit(&slabs)) return false;
    out->t = slabs.enter > 0 ? slabs.enter : 0;
    rf_slabs_normal(&slabs, out->normal);
    return true;
}

// A point against everything within radius of an edge: in the edge's coordinates, a box without width.
static bool sphere_edge(const rf_sweep *sweep, const double a[3], const double b[3], rf_contact *out) {
    double u[3], v[3], w[3], length, origin[3], translation[3], normal[3], start[3] = {-a[0], -a[1], -a[2]};
    int least = 0;
    rf_shape sphere = {.radius = sweep->radius};
    rf_round_box line = {0};
    rf_sweep rotated;
    subtract(b, a, u);
    length = sqrt(dot(u, u));
    if (length == 0) return false;
    for (int i = 0; i < 3; i++) u[i] /= length;
    for (int i = 1; i < 3; i++)
        if (fabs(u[i]) < fabs(u[least])) least = i;
    for (int i = 0; i < 3; i++) w[i] = i == least;
    cross(u, w, v);
    length = sqrt(dot(v, v));
    for (int i = 0; i < 3; i++) v[i] /= length;
    cross(u, v, w);
    subtract(b, a, normal);
    line.high[0] = sqrt(dot(normal, normal));
    origin[0] = dot(start, u);
    origin[1] = dot(start, v);
    origin[2] = dot(start, w);
    translation[0] = dot(sweep->translation, u);
    translation[1] = dot(sweep->translation, v);
    translation[2] = dot(sweep->translation, w);
    rf_sweep_init(&rotated, origin, translation, &sphere);
    if (!rf_sweep_round_box(&rotated, &line, RF_SURFACE_STATIC, INFINITY, out)) return false;
    for (int i = 0; i < 3; i++) normal[i] = out->normal[0] * u[i] + out->normal[1] * v[i] + out->normal[2] * w[i];
    for (int i = 0; i < 3; i++) out->normal[i] = normal[i];
    return true;
}

// Whether the sphere, when it touches the triangle's plane, touches the inside of the triangle.
static bool sphere_face(const rf_sweep *sweep, const double corners[3][3], const double normal[3], rf_contact *out) {
    double length = sqrt(dot(normal, normal)), at, rate, point[3], t;
    at = -dot(normal, corners[0]) / length;
    rate = dot(normal, sweep->translation) / length;
    if (fabs(at) < sweep->radius) {
        t = 0;
    } else {
        if (rate == 0 || (at > 0) == (rate > 0)) return false;
        t = ((at > 0 ? sweep->radius : -sweep->radius) - at) / rate + 0.0; // not -0
        if (!(t >= 0 && t <= 1)) return false;
    }
    for (int i = 0; i < 3; i++) point[i] = sweep->translation[i] * t;
    for (int edge = 0; edge < 3; edge++) {
        double along[3], to[3], inward[3];
        subtract(corners[(edge + 1) % 3], corners[edge], along);
        subtract(point, corners[edge], to);
        cross(normal, along, inward);
        if (dot(inward, to) < 0) return false;
    }
    out->t = t;
    for (int i = 0; i < 3; i++) out->normal[i] = (at > 0 ? normal[i] : -normal[i]) / length;
    return true;
}

static bool sphere_triangle(const rf_sweep *sweep, const double corners[3][3], const double normal[3],
                            rf_contact *out) {
    rf_contact contact;
    bool hit = sphere_face(sweep, corners, normal, out);
    for (int edge = 0; edge < 3; edge++) {
        if (!sphere_edge(sweep, corners[edge], corners[(edge + 1) % 3], &contact)) continue;
        if (!hit || contact.t < out->t) *out = contact;
        hit = true;
    }
    return hit;
}

bool rf_sweep_triangle(const rf_sweep *sweep, const double corners[3][3], rf_contact *out) {
    double relative[3][3], first[3], second[3], normal[3], length, sign;
    for (int i = 0; i < 3; i++) subtract(corners[i], sweep->origin, relative[i]);
    subtract(corners[1], corners[0], first);
    subtract(corners[2], corners[0], second);
    cross(first, second, normal);
    length = sqrt(dot(normal, normal));
    if (length == 0) return false;
    if (!rf_sweep_is_ray(sweep))
        return sweep->radius == 0 ? box_triangle(sweep, relative, normal, out)
                                  : sphere_triangle(sweep, relative, normal, out);
    if (!ray_triangle(sweep, relative, normal, out)) return false;
    sign = dot(normal, sweep->translation) > 0 ? -length : length;
    for (int i = 0; i < 3; i++) out->normal[i] = normal[i] / sign;
    return true;
}
