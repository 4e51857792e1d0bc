#include "space_state.h"

#include "hit_list.h"
#include <float.h>
#include <math.h>

// One shot on its way through the space.
typedef struct cast {
    rf_bvh_query query; // first: the tree hands it back
    const rf_view *view;
    const rf_shot *shot;
    rf_sweep sweep;
    double direction[3], length; // the shot's, scaled where its square would leave binary64
    uint32_t mask;
    bool found;    // in best
    rf_hits *list; // all hits go here; NULL: only the best one counts
    rf_status status;
    rf_hit best;
} cast;

// --- what a shot must be

static rf_status read_direction(cast *run, double way[3]) {
    const double *from = run->shot->direction;
    double largest = 0, scale, sum;
    for (int i = 0; i < 3; i++) {
        double size = fabs(from[i]);
        if (!(size <= DBL_MAX)) return RF_NUMBER_OUT_OF_RANGE;
        largest = size > largest ? size : largest;
    }
    if (largest == 0) return RF_ZERO_DIRECTION;
    for (int i = 0; i < 3; i++) run->direction[i] = largest > 1e-100 && largest < 1e100 ? from[i] : from[i] / largest;
    from = run->direction;
    sum = from[0] * from[0] + from[1] * from[1] + from[2] * from[2];
    run->length = sqrt(sum);
    scale = run->shot->range / run->length;
    for (int i = 0; i < 3; i++) way[i] = from[i] * scale;
    return RF_OK;
}

static rf_status read_shot(const rf_shot *shot, cast *out) {
    double way[3];
    rf_shape shape;
    rf_status status;
    if (shot->kind != RF_SHOT_FIRST && shot->kind != RF_SHOT_PIERCE && shot->kind != RF_SHOT_ALL)
        return RF_INVALID_ARGUMENT;
    if (!rf_coordinates_valid(shot->origin, 3) || !(shot->range >= 0 && shot->range <= RF_SPACE_LIMIT))
        return RF_NUMBER_OUT_OF_RANGE;
    if (shot->owner.len > 255) return RF_INVALID_ID;
    status = rf_shape_from_collider(&shot->collider, &shape);
    if (status != RF_OK) return status;
    if (shot->collider.kind == RF_COLLIDER_CAPSULE) return RF_INVALID_COLLIDER;
    out->shot = shot;
    status = read_direction(out, way);
    if (status != RF_OK) return status;
    rf_sweep_init(&out->sweep, shot->origin, way, &shape);
    out->mask = shot->mask ? shot->mask : RF_LAYERS_ALL;
    return RF_OK;
}

// --- what it meets

static bool passes(const rf_shot *shot, const rf_profile *profile) {
    if (shot->owner.len == 0) return false;
    return rf_str_eq(rf_entity_id_str(&profile->id), shot->owner) ||
           rf_str_eq(rf_entity_id_str(&profile->owner), shot->owner);
}

static void take(cast *run, rf_hit *hit, const rf_contact *contact) {
    hit->t = contact->t;
    if (run->list ? run->shot->kind == RF_SHOT_PIERCE && run->found && hit->t > run->best.t
                  : run->found && hit->t > run->best.t)
        return;
    hit->distance = contact->t * run->shot->range;
    for (int i = 0; i < 3; i++) {
        hit->point[i] = run->shot->origin[i] + run->sweep.way[i] * contact->t;
        hit->normal[i] = contact->t == 0 ? -(run->direction[i] / run->length) : contact->normal[i];
    }
    if (run->list) {
        if (run->status == RF_OK) run->status = rf_hits_push(run->list, hit);
    } else if (!run->found || rf_hit_before(hit, &run->best)) {
        run->found = true;
        run->best = *hit;
        run->query.limit = (float)hit->t;
    }
}

static void meet_target(cast *run, uint32_t item) {
    rf_round_box box;
    rf_contact contact;
    const rf_profile *profile;
    rf_hit hit = {.kind = RF_HIT_TARGET};
    rf_view_box(run->view, item, &box);
    if (!rf_sweep_round_box(&run->sweep, &box, RF_SURFACE_TARGET, &contact)) return;
    if ((rf_view_layers(run->view, item) & run->mask) == 0) return;
    profile = rf_view_profile(run->view, item);
    if (passes(run->shot, profile)) return;
    hit.number = profile->key;
    hit.id = rf_entity_id_str(&profile->id);
    take(run, &hit, &contact);
}

static void meet_static(cast *run, uint32_t item) {
    const rf_statics *statics = &run->view->space->statics;
    rf_static_name name = rf_statics_name(statics, item);
    rf_hit hit = {.kind = name.kind, .number = name.number};
    rf_contact contact;
    bool met;
    if ((rf_statics_layers(statics, name) & run->mask) == 0) return;
    if (name.kind == RF_HIT_WALL) {
        const rf_wall *wall = &statics->walls.items[name.number];
        rf_sector sides[2] = {{0}};
        if (wall->back != RF_NO_SECTOR) {
            sides[0] = rf_view_sector(run->view, wall->front);
            sides[1] = rf_view_sector(run->view, wall->back);
        }
        met = rf_wall_hit(wall, sides, &run->sweep, &contact);
    } else if (name.kind == RF_HIT_BOX) {
        met = rf_sweep_round_box(&run->sweep, &statics->boxes.items[name.number].box, RF_SURFACE_STATIC, &contact);
    } else {
        met = rf_sweep_triangle(&run->sweep, statics->triangles.items[name.number].corners, &contact);
    }
    if (met) take(run, &hit, &contact);
}

static void visit_targets(rf_bvh_query *query, const uint32_t *items, uint32_t mask) {
    for (; mask != 0; mask &= mask - 1) meet_target((cast *)(void *)query, items[__builtin_ctz(mask)]);
}

static void visit_statics(rf_bvh_query *query, const uint32_t *items, uint32_t mask) {
    for (; mask != 0; mask &= mask - 1) meet_static((cast *)(void *)query, items[__builtin_ctz(mask)]);
}

static void walk_statics(cast *run, const rf_space *space) {
    if (space->statics.index.count == 0) return;
    run->query.visit = visit_statics;
    space->ops->walk(&space->statics.index, &run->query);
}

// Static things first: they bound how far the targets need to be looked for.
static rf_status cast_one(rf_space *space, const rf_view *view, cast *run, rf_hits *hits) {
    size_t first = hits->len;
    run->view = view;
    run->found = false;
    run->status = RF_OK;
    run->list = run->shot->kind == RF_SHOT_ALL ? hits : NULL;
    rf_bvh_query_init(&run->query, &run->sweep);
    run->query.limit = 1;
    walk_statics(run, space);
    if (run->shot->kind == RF_SHOT_PIERCE) run->list = hits;
    run->query.visit = visit_targets;
    if (view->index->count > 0) space->ops->walk(view->index, &run->query);
    if (run->found && run->status == RF_OK) run->status = rf_hits_push(hits, &run->best);
    if (run->status != RF_OK) {
        hits->len = first;
        return run->status;
    }
    if (hits->len - first > 1) rf_hits_sort(hits->items + first, hits->len - first, rf_hit_before);
    return RF_OK;
}

static rf_answer answer_for(rf_status status, const rf_view *view, size_t first, const rf_hits *hits) {
    rf_answer answer = {.status = status, .first = first};
    if (status != RF_OK) return answer;
    answer.count = (uint32_t)(hits->len - first);
    answer.seq = view->state ? view->state->seq : 0;
    answer.blend = view->blend;
    return answer;
}

static rf_status no_memory(rf_answer *answers, size_t from, size_t count, const rf_hits *hits) {
    for (size_t i = from; i < count; i++) answers[i] = (rf_answer){.status = RF_NO_MEMORY, .first = hits->len};
    return RF_NO_MEMORY;
}

rf_status rf_cast(rf_space *space, const rf_shot *shots, size_t count, rf_answer *answers, rf_hits *hits) {
    cast run;
    if (!rf_statics_index(&space->statics, &space->mem, space->ops)) return no_memory(answers, 0, count, hits);
    for (size_t i = 0; i < count; i++) {
        size_t first = hits->len;
        rf_view view = {0};
        rf_status status = read_shot(&shots[i], &run);
        if (status == RF_OK) status = rf_view_at(space, shots[i].moment, &view);
        if (status == RF_OK) status = cast_one(space, &view, &run, hits);
        if (status == RF_NO_MEMORY) return no_memory(answers, i, count, hits);
        answers[i] = answer_for(status, &view, first, hits);
    }
    return RF_OK;
}

// --- who touches a zone

typedef struct look {
    rf_bvh_query query; // first, too
    const rf_view *view;
    rf_shape shape;
    double centre[3];
    uint32_t mask;
    rf_hits *hits;
    rf_status status;
} look;

// The nearest point of the target's collider, and how far it is.
static void nearest(const rf_round_box *box, const double centre[3], rf_hit *hit) {
    double away[3], length2 = 0, length;
    for (int i = 0; i < 3; i++) {
        double inner = fmin(fmax(centre[i], box->low[i]), box->high[i]);
        away[i] = centre[i] - inner;
        length2 += away[i] * away[i];
    }
    length = sqrt(length2);
    for (int i = 0; i < 3; i++) {
        hit->normal[i] = length > 0 ? away[i] / length : 0;
        hit->point[i] = length > box->radius ? centre[i] - hit->normal[i] * (length - box->radius) : centre[i];
    }
    hit->distance = length > box->radius ? length - box->radius : 0;
}

static void look_at(look *run, uint32_t item) {
    rf_round_box box, sum;
    const rf_profile *profile;
    rf_hit hit = {.kind = RF_HIT_TARGET};
    rf_view_box(run->view, item, &box);
    for (int i = 0; i < 3; i++) {
        sum.low[i] = box.low[i] - run->shape.half[i];
        sum.high[i] = box.high[i] + run->shape.half[i];
    }
    sum.radius = box.radius + run->shape.radius;
    if (rf_round_box_distance2(&sum, run->centre) > sum.radius * sum.radius) return;
    if ((rf_view_layers(run->view, item) & run->mask) == 0) return;
    profile = rf_view_profile(run->view, item);
    hit.number = profile->key;
    hit.id = rf_entity_id_str(&profile->id);
    nearest(&box, run->centre, &hit);
    if (run->status == RF_OK) run->status = rf_hits_push(run->hits, &hit);
}

static void visit_zone(rf_bvh_query *query, const uint32_t *items, uint32_t mask) {
    for (; mask != 0; mask &= mask - 1) look_at((look *)(void *)query, items[__builtin_ctz(mask)]);
}

static rf_status look_once(rf_space *space, const rf_zone *zone, rf_view *view, rf_hits *hits) {
    static const double nowhere[3] = {0};
    look run = {.query = {.limit = 1, .visit = visit_zone}, .view = view, .hits = hits, .status = RF_OK};
    size_t first = hits->len;
    rf_sweep still;
    rf_status status;
    if (!rf_coordinates_valid(zone->position, 3)) return RF_NUMBER_OUT_OF_RANGE;
    status = rf_shape_from_collider(&zone->collider, &run.shape);
    if (status == RF_OK) status = rf_view_at(space, zone->moment, view);
    if (status != RF_OK) return status;
    rf_sweep_init(&still, zone->position, nowhere, &run.shape);
    memcpy(run.centre, still.origin, sizeof run.centre);
    run.mask = zone->mask ? zone->mask : RF_LAYERS_ALL;
    rf_bvh_query_init(&run.query, &still);
    if (view->index->count > 0) space->ops->walk(view->index, &run.query);
    if (run.status != RF_OK) {
        hits->len = first;
        return run.status;
    }
    if (hits->len > first) rf_hits_sort(hits->items + first, hits->len - first, rf_hit_id_before);
    return RF_OK;
}

rf_status rf_overlap(rf_space *space, const rf_zone *zones, size_t count, rf_answer *answers, rf_hits *hits) {
    for (size_t i = 0; i < count; i++) {
        size_t first = hits->len;
        rf_view view = {0};
        rf_status status = look_once(space, &zones[i], &view, hits);
        if (status == RF_NO_MEMORY) return no_memory(answers, i, count, hits);
        answers[i] = answer_for(status, &view, first, hits);
    }
    return RF_OK;
}
