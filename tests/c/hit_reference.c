#include "hit_reference.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

// --- geometry by thirds and halves

// From the box around centre to a point.
static double box_to_point(const double centre[3], const double half[3], const double point[3]) {
    double sum = 0;
    for (int axis = 0; axis < 3; axis++) {
        double away = fabs(point[axis] - centre[axis]) - half[axis];
        if (away > 0) sum += away * away;
    }
    return sqrt(sum);
}

static double box_to_box(const thing *other, const double centre[3], const double half[3]) {
    double sum = 0;
    for (int axis = 0; axis < 3; axis++) {
        double middle = other->corner[axis] + other->first[axis] / 2;
        double away = fabs(middle - centre[axis]) - half[axis] - other->first[axis] / 2;
        if (away > 0) sum += away * away;
    }
    return sqrt(sum);
}

static double at_uv(const thing *other, const double centre[3], const double half[3], double u, double v) {
    double point[3];
    for (int axis = 0; axis < 3; axis++)
        point[axis] = other->corner[axis] + other->first[axis] * u + other->second[axis] * v;
    return box_to_point(centre, half, point);
}

// Distances to something convex have one valley: it is found by thirds.
#define THIRDS 42

static double least_over_v(const thing *other, const double centre[3], const double half[3], double u) {
    double low = 0, high = other->kind == THING_TRIANGLE ? 1 - u : 1;
    for (int i = 0; i < THIRDS; i++) {
        double a = low + (high - low) / 3, b = high - (high - low) / 3;
        if (at_uv(other, centre, half, u, a) <= at_uv(other, centre, half, u, b))
            high = b;
        else
            low = a;
    }
    return at_uv(other, centre, half, u, low + (high - low) / 2);
}

static double gap_at(const thing *other, const double origin[3], const double translation[3], const double half[3],
                     double t) {
    double centre[3], low = 0, high = 1;
    for (int axis = 0; axis < 3; axis++) centre[axis] = origin[axis] + translation[axis] * t;
    if (other->kind == THING_BOX) return box_to_box(other, centre, half);
    for (int i = 0; i < THIRDS; i++) {
        double a = low + (high - low) / 3, b = high - (high - low) / 3;
        if (least_over_v(other, centre, half, a) <= least_over_v(other, centre, half, b))
            high = b;
        else
            low = a;
    }
    return least_over_v(other, centre, half, low + (high - low) / 2);
}

near_miss slow_sweep(const thing *other, const double origin[3], const double translation[3], const double half[3],
                     double radius) {
    double low = 0, high = 1, enough = other->radius + radius + 1e-7, least, size = 1e-5;
    near_miss out = {0};
    for (int i = 0; i < THIRDS; i++) {
        double a = low + (high - low) / 3, b = high - (high - low) / 3;
        double at_a = gap_at(other, origin, translation, half, a), at_b = gap_at(other, origin, translation, half, b);
        if (at_a <= enough - size || at_b <= enough - size) {
            high = at_a <= enough - size ? a : b;
            low = high;
            break;
        }
        if (at_a <= at_b)
            high = b;
        else
            low = a;
    }
    least = gap_at(other, origin, translation, half, high);
    out.hit = least <= enough;
    out.unsure = fabs(least - enough) < size;
    if (!out.hit || gap_at(other, origin, translation, half, 0) <= enough) return out;
    low = 0;
    for (int i = 0; i < 40; i++) {
        double middle = low + (high - low) / 2;
        if (gap_at(other, origin, translation, half, middle) <= enough)
            high = middle;
        else
            low = middle;
    }
    out.t = high;
    return out;
}

// --- one after the other

static rf_shape shape_of(const rf_collider *collider) {
    rf_shape out = {.lift = 0};
    double height = 0;
    if (collider->kind == RF_COLLIDER_BOX) {
        memcpy(out.half, collider->half, sizeof out.half);
        height = collider->half[1] * 2;
    } else if (collider->kind == RF_COLLIDER_SPHERE) {
        out.radius = collider->radius;
        height = collider->radius * 2;
    } else if (collider->kind == RF_COLLIDER_CAPSULE) {
        out.radius = collider->radius;
        height = collider->height > collider->radius * 2 ? collider->height : collider->radius * 2;
        out.half[1] = height * 0.5 - out.radius;
    }
    out.lift = collider->centred ? 0 : height * 0.5;
    return out;
}

static rf_round_box box_of(const rf_target *target) {
    rf_shape shape = shape_of(&target->collider);
    rf_round_box out = {.radius = shape.radius};
    for (int i = 0; i < 3; i++) {
        double centre = i == 1 ? target->position[1] + shape.lift : target->position[i];
        out.low[i] = centre - shape.half[i];
        out.high[i] = centre + shape.half[i];
    }
    return out;
}

static bool passes(const rf_shot *shot, const model_target *target) {
    if (shot->owner.len == 0) return false;
    return (strlen(target->id) == shot->owner.len && memcmp(target->id, shot->owner.data, shot->owner.len) == 0) ||
           (strlen(target->owner) == shot->owner.len && memcmp(target->owner, shot->owner.data, shot->owner.len) == 0);
}

static void keep(rf_hits *hits, const rf_shot *shot, const double translation[3], const double unit[3],
                 const rf_contact *contact, rf_hit hit) {
    hit.t = contact->t;
    hit.distance = contact->t * shot->range;
    for (int i = 0; i < 3; i++) {
        hit.point[i] = shot->origin[i] + translation[i] * contact->t;
        hit.normal[i] = contact->t == 0 ? -unit[i] : contact->normal[i];
    }
    if (hits->len == hits->capacity) {
        hits->capacity = hits->capacity ? hits->capacity * 2 : 8;
        hits->items = realloc(hits->items, hits->capacity * sizeof *hits->items);
    }
    hits->items[hits->len++] = hit;
}

static bool wall_hit(const model *in, const rf_wall *wall, const rf_sweep *sweep, rf_contact *out) {
    rf_panel panel = {wall->x1, wall->z1, wall->x2, wall->z2, wall->bottom, wall->top, true, true}, part;
    rf_contact lower, upper;
    bool below = false, above = false;
    double floors[2], ceilings[2], step, edge;
    if (wall->back == RF_NO_SECTOR) return rf_sweep_panel(sweep, &panel, out);
    floors[0] = in->sectors[wall->front].floor;
    floors[1] = in->sectors[wall->back].floor;
    ceilings[0] = in->sectors[wall->front].ceiling;
    ceilings[1] = in->sectors[wall->back].ceiling;
    step = floors[0] > floors[1] ? floors[0] : floors[1];
    edge = ceilings[0] < ceilings[1] ? ceilings[0] : ceilings[1];
    if (floors[0] != floors[1]) {
        part = panel;
        if (step <= wall->top) {
            part.high = step;
            part.high_edge = false;
        }
        below = part.low < part.high && rf_sweep_panel(sweep, &part, &lower);
    }
    if (ceilings[0] != ceilings[1]) {
        part = panel;
        if (edge >= wall->bottom) {
            part.low = edge;
            part.low_edge = false;
        }
        above = part.low < part.high && rf_sweep_panel(sweep, &part, &upper);
    }
    if (below) *out = lower;
    if (above && (!below || upper.t < lower.t)) *out = upper;
    return below || above;
}

static int order(const void *left, const void *right) {
    const rf_hit *a = left, *b = right;
    size_t len = a->id.len < b->id.len ? a->id.len : b->id.len;
    int by_id;
    if (a->t != b->t) return a->t < b->t ? -1 : 1;
    if (a->kind != b->kind) return a->kind < b->kind ? -1 : 1;
    by_id = len > 0 ? memcmp(a->id.data, b->id.data, len) : 0;
    if (by_id == 0) by_id = (a->id.len > b->id.len) - (a->id.len < b->id.len);
    return by_id != 0 ? by_id : (a->number > b->number) - (a->number < b->number);
}

static bool wanted(uint32_t mask, uint32_t layers) {
    return ((mask ? mask : RF_LAYERS_ALL) & layers) != 0;
}

// What the first static thing stops, and what the kind of shot asks for.
static void choose(rf_hits *hits, rf_shot_kind kind) {
    if (kind == RF_SHOT_ALL) return;
    for (size_t i = 0; i < hits->len; i++) {
        if (kind == RF_SHOT_PIERCE && hits->items[i].kind == RF_HIT_TARGET) continue;
        hits->len = i + 1;
        return;
    }
}

rf_hits slow_cast(const model *in, const rf_shot *shot) {
    rf_hits hits = {0};
    rf_shape shape = shape_of(&shot->collider);
    double largest = fmax(fmax(fabs(shot->direction[0]), fabs(shot->direction[1])), fabs(shot->direction[2]));
    double unit[3], translation[3], length;
    rf_contact contact;
    rf_sweep sweep;
    for (int i = 0; i < 3; i++)
        unit[i] = largest > 1e-100 && largest < 1e100 ? shot->direction[i] : shot->direction[i] / largest;
    length = sqrt(unit[0] * unit[0] + unit[1] * unit[1] + unit[2] * unit[2]);
    for (int i = 0; i < 3; i++) {
        translation[i] = unit[i] * (shot->range / length);
        unit[i] /= length;
    }
    rf_sweep_init(&sweep, shot->origin, translation, &shape);
    for (uint32_t key = 0; key < in->keys; key++) {
        const model_target *target = &in->targets[key];
        rf_round_box box = box_of(&target->target);
        if (!target->there || !wanted(shot->mask, target->target.layers) || passes(shot, target)) continue;
        if (!rf_sweep_round_box(&sweep, &box, RF_SURFACE_TARGET, INFINITY, &contact)) continue;
        keep(&hits, shot, sweep.translation, unit, &contact,
             (rf_hit){.kind = RF_HIT_TARGET, .number = key, .id = {target->id, strlen(target->id)}});
    }
    for (uint32_t i = 0; i < in->walls_count; i++)
        if (wanted(shot->mask, in->walls[i].layers) && wall_hit(in, &in->walls[i], &sweep, &contact))
            keep(&hits, shot, sweep.translation, unit, &contact, (rf_hit){.kind = RF_HIT_WALL, .number = i});
    for (uint32_t i = 0; i < in->boxes_count; i++) {
        rf_round_box box = {.radius = 0};
        memcpy(box.low, in->boxes[i][0], sizeof box.low);
        memcpy(box.high, in->boxes[i][1], sizeof box.high);
        if (wanted(shot->mask, RF_LAYER_DEFAULT) &&
            rf_sweep_round_box(&sweep, &box, RF_SURFACE_STATIC, INFINITY, &contact))
            keep(&hits, shot, sweep.translation, unit, &contact, (rf_hit){.kind = RF_HIT_BOX, .number = i});
    }
    for (uint32_t i = 0; i < in->triangles_count; i++)
        if (wanted(shot->mask, RF_LAYER_DEFAULT) &&
            rf_sweep_triangle(&sweep, (const double(*)[3])in->triangles[i], &contact))
            keep(&hits, shot, sweep.translation, unit, &contact, (rf_hit){.kind = RF_HIT_TRIANGLE, .number = i});
    if (hits.len > 0) qsort(hits.items, hits.len, sizeof *hits.items, order);
    choose(&hits, shot->kind);
    return hits;
}

rf_hits slow_overlap(const model *in, const rf_zone *zone) {
    rf_hits hits = {0};
    rf_shape shape = shape_of(&zone->collider);
    double centre[3] = {zone->position[0], zone->position[1] + shape.lift, zone->position[2]};
    hits.items = malloc((in->keys + 1) * sizeof *hits.items);
    for (uint32_t key = 0; key < in->keys; key++) {
        const model_target *target = &in->targets[key];
        rf_round_box box = box_of(&target->target);
        double distance2 = 0, radius = box.radius + shape.radius;
        if (!target->there || !wanted(zone->mask, target->target.layers)) continue;
        for (int i = 0; i < 3; i++) {
            double low = box.low[i] - shape.half[i], high = box.high[i] + shape.half[i];
            double away = centre[i] < low ? low - centre[i] : centre[i] > high ? centre[i] - high : 0;
            distance2 += away * away;
        }
        if (distance2 > radius * radius) continue;
        hits.items[hits.len++] = (rf_hit){.kind = RF_HIT_TARGET, .number = key, .id = {target->id, strlen(target->id)}};
    }
    if (hits.len > 0) qsort(hits.items, hits.len, sizeof *hits.items, order);
    return hits;
}

bool same_hits(const rf_hit *a, const rf_hit *b, size_t count) {
    for (size_t i = 0; i < count; i++) {
        if (a[i].kind != b[i].kind || a[i].number != b[i].number || a[i].id.len != b[i].id.len) return false;
        if (a[i].id.len > 0 && memcmp(a[i].id.data, b[i].id.data, a[i].id.len) != 0) return false;
        if (memcmp(&a[i].t, &b[i].t, sizeof a[i].t) != 0 ||
            memcmp(&a[i].distance, &b[i].distance, sizeof a[i].distance) != 0 ||
            memcmp(a[i].point, b[i].point, sizeof a[i].point) != 0 ||
            memcmp(a[i].normal, b[i].normal, sizeof a[i].normal) != 0)
            return false;
    }
    return true;
}

double random_between(uint64_t *state, double low, double high) {
    return low + (high - low) * ((double)(next_random(state) >> 11) * 0x1p-53);
}

double random_step(uint64_t *state, double low, double high, double step) {
    return low + step * floor(random_between(state, 0, (high - low) / step));
}
