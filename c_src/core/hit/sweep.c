#include "sweep.h"

#include "slab.h"

// The t, in order, between from and to where the sweep crosses the planes of the inner box.
static int crossings(const rf_sweep *sweep, const rf_round_box *box, double from, double to, double out[8]) {
    int count = 0;
    out[count++] = from;
    for (int i = 0; i < 3; i++) {
        if (sweep->translation[i] == 0 || box->low[i] == box->high[i]) continue;
        for (int side = 0; side < 2; side++) {
            double t = ((side ? box->high[i] : box->low[i]) - sweep->origin[i]) * sweep->inverse[i];
            int at = count;
            if (!(t > from && t < to)) continue;
            for (; out[at - 1] > t; at--) out[at] = out[at - 1];
            out[at] = t;
            count++;
        }
    }
    out[count++] = to;
    return count;
}

// Between two crossings, the nearest feature of the inner box is the same, so the distance to it is that of a line to a
// point, a line or a plane. Computed from the closest approach, which loses the least precision
// (Haines, Guenther, Akenine-Moller: Precision Improvements for Ray/Sphere Intersection, 2019).
static bool between(const rf_sweep *sweep, const rf_round_box *box, double from, double to, bool touch, double *out) {
    double middle = from + (to - from) * 0.5, away[3], a = 0, b = 0, c = 0, nearest, q, root;
    bool outside[3];
    for (int i = 0; i < 3; i++) {
        double at = sweep->origin[i] + sweep->translation[i] * middle;
        bool below = at < box->low[i] || box->low[i] == box->high[i];
        outside[i] = below || at > box->high[i];
        if (!outside[i]) continue;
        away[i] = sweep->origin[i] - (below ? box->low[i] : box->high[i]);
        a += sweep->translation[i] * sweep->translation[i];
        b += away[i] * sweep->translation[i];
    }
    nearest = a == 0 ? 0 : -b / a;
    for (int i = 0; i < 3; i++) {
        double rest;
        if (!outside[i]) continue;
        rest = away[i] + sweep->translation[i] * nearest;
        c += rest * rest;
    }
    q = box->radius * box->radius - c;
    if (touch ? q < 0 : q <= 0) return false;
    if (a == 0) {
        *out = from;
        return true;
    }
    root = sqrt(q / a);
    if (nearest - root > to || nearest + root < from) return false;
    if (!touch && nearest + root <= from) return false;
    *out = nearest - root > from ? nearest - root : from;
    return true;
}

static void round_normal(const rf_sweep *sweep, const rf_round_box *box, const rf_slabs *slabs, rf_contact *out) {
    double length2 = 0, length;
    for (int i = 0; i < 3; i++) {
        double at = sweep->origin[i] + sweep->translation[i] * out->t;
        double inner = at < box->low[i] ? box->low[i] : at > box->high[i] ? box->high[i] : at;
        out->normal[i] = at - inner;
        length2 += out->normal[i] * out->normal[i];
    }
    length = sqrt(length2);
    if (length2 == 0)
        rf_slabs_normal(slabs, out->normal);
    else
        for (int i = 0; i < 3; i++) out->normal[i] /= length;
}

// The slabs around a point with a radius, like rf_slabs_axis but without branches on the direction. False if nothing is
// left.
static bool around(const rf_sweep *sweep, const rf_round_box *box, bool touch, rf_slabs *out) {
    double enter = -INFINITY, leave = INFINITY;
    int axis = -1;
    for (int i = 0; i < 3; i++) {
        double low = box->low[i] - box->radius, high = box->high[i] + box->radius, t1, t2, first, last;
        if (sweep->translation[i] == 0) {
            if (!rf_slabs_axis(out, sweep, i, low, high)) return false;
            continue;
        }
        t1 = (low - sweep->origin[i]) * sweep->inverse[i];
        t2 = (high - sweep->origin[i]) * sweep->inverse[i];
        first = t1 < t2 ? t1 : t2;
        last = t1 < t2 ? t2 : t1;
        axis = first > enter ? i : axis;
        enter = first > enter ? first : enter;
        leave = last < leave ? last : leave;
    }
    out->touch = touch;
    out->enter = enter;
    out->leave = leave;
    if (axis >= 0) out->normal[axis] = sweep->translation[axis] < 0 ? 1 : -1;
    return rf_slabs_hit(out);
}

// The most frequent case, a ray and a sphere, whose inner box is a point. The same operations as `between`.
static bool sphere(const rf_sweep *sweep, const rf_round_box *box, bool touch, double latest, rf_contact *out) {
    rf_slabs slabs = rf_slabs_start(touch);
    double away[3], a = 0, b = 0, c = 0, from, to, nearest, q, root;
    if (!around(sweep, box, touch, &slabs) || slabs.enter > latest) return false;
    from = slabs.enter > 0 ? slabs.enter : 0;
    to = slabs.leave < 1 ? slabs.leave : 1;
    for (int i = 0; i < 3; i++) {
        away[i] = sweep->origin[i] - box->low[i];
        a += sweep->translation[i] * sweep->translation[i];
        b += away[i] * sweep->translation[i];
    }
    nearest = a == 0 ? 0 : -b / a;
    for (int i = 0; i < 3; i++) {
        double rest = away[i] + sweep->translation[i] * nearest;
        c += rest * rest;
    }
    q = box->radius * box->radius - c;
    if (touch ? q < 0 : q <= 0) return false;
    out->t = from;
    if (a > 0) {
        root = sqrt(q / a);
        if (nearest - root > to || nearest + root < from) return false;
        if (!touch && nearest + root <= from) return false;
        if (nearest - root > from) out->t = nearest - root;
    }
    round_normal(sweep, box, &slabs, out);
    return true;
}

bool rf_sweep_round_box(const rf_sweep *sweep, const rf_round_box *box, rf_surface surface, double latest,
                        rf_contact *out) {
    bool touch = surface == RF_SURFACE_TARGET, point = true;
    rf_round_box sum = {.radius = box->radius + sweep->radius};
    rf_slabs slabs = rf_slabs_start(touch);
    double times[8];
    int count;
    for (int i = 0; i < 3; i++) {
        sum.low[i] = box->low[i] - sweep->half[i];
        sum.high[i] = box->high[i] + sweep->half[i];
        point &= sum.low[i] == sum.high[i];
    }
    if (point && sum.radius > 0) return sphere(sweep, &sum, touch, latest, out);
    for (int i = 0; i < 3; i++)
        if (!rf_slabs_axis(&slabs, sweep, i, sum.low[i] - sum.radius, sum.high[i] + sum.radius)) return false;
    if (!rf_slabs_hit(&slabs) || slabs.enter > latest) return false;
    out->t = slabs.enter > 0 ? slabs.enter : 0;
    if (sum.radius == 0) {
        rf_slabs_normal(&slabs, out->normal);
        return true;
    }
    count = crossings(sweep, &sum, out->t, slabs.leave < 1 ? slabs.leave : 1, times);
    for (int i = 0; i + 1 < count; i++) {
        if (!between(sweep, &sum, times[i], times[i + 1], touch, &out->t)) continue;
        round_normal(sweep, &sum, &slabs, out);
        return true;
    }
    return false;
}

double rf_round_box_distance2(const rf_round_box *box, const double point[3]) {
    double out = 0;
    for (int i = 0; i < 3; i++) {
        double away = point[i] < box->low[i]    ? box->low[i] - point[i]
                      : point[i] > box->high[i] ? point[i] - box->high[i]
                                                : 0;
        out += away * away;
    }
    return out;
}
