// hit.c: casts shots and tests zones.
#include "space_state.h"

#include "hit_list.h"
#include <float.h>
#include <math.h>

// A shot that is being cast.
typedef struct cast {
    rf_view view;
    const rf_shot *shot;
    rf_answer *answer;
    rf_bvh_query *query;
    rf_shape shape;
    rf_sweep sweep;
    double direction[3], length; // the shot's; scaled if its square would overflow or underflow
    uint32_t mask;
    rf_hits *list; // all hits go here; NULL: only the best hit counts
    rf_status status;
    bool found;    // best is set
    double latest; // later hits do not count: best's t, or infinity
    rf_hit best;
} cast;

// Shots that traverse the trees together, so that their memory accesses overlap.
typedef struct shot_batch {
    rf_space *space;
    rf_hits *hits;
    rf_view now; // space is NULL until it is needed
    uint32_t count;
    rf_bvh_query queries[RF_BVH_QUERIES];
    cast casts[RF_BVH_QUERIES];
} shot_batch;

// --- validation

static rf_status read_direction(cast *run) {
    const double *from = run->shot->direction;
    double largest = 0;
    bool finite = true, usual;
    for (int i = 0; i < 3; i++) {
        double size = fabs(from[i]);
        finite &= size <= DBL_MAX;
        largest = size > largest ? size : largest;
    }
    if (!finite) return RF_NUMBER_OUT_OF_RANGE;
    if (largest == 0) return RF_ZERO_DIRECTION;
    usual = largest > 1e-100 && largest < 1e100;
    for (int i = 0; i < 3; i++) run->direction[i] = usual ? from[i] : from[i] / largest;
    return RF_OK;
}

static rf_status read_shot(const rf_shot *shot, cast *out) {
    rf_status status;
    if (shot->kind != RF_SHOT_FIRST && shot->kind != RF_SHOT_PIERCE && shot->kind != RF_SHOT_ALL)
        return RF_INVALID_ARGUMENT;
    if (!rf_coordinates_valid(shot->origin, 3) || !(shot->range >= 0 && shot->range <= RF_SPACE_LIMIT))
        return RF_NUMBER_OUT_OF_RANGE;
    if (shot->owner.len > 255) return RF_INVALID_ID;
    if (shot->collider.kind == RF_COLLIDER_POINT) {
        out->shape = (rf_shape){0};
    } else {
        status = rf_shape_from_collider(&shot->collider, &out->shape);
        if (status != RF_OK) return status;
        if (shot->collider.kind == RF_COLLIDER_CAPSULE) return RF_INVALID_COLLIDER;
    }
    out->shot = shot;
    out->mask = shot->mask ? shot->mask : RF_LAYERS_ALL;
    return read_direction(out);
}

// Computes length and sweep in a pass of its own over the batch, so that the square roots and divisions of different
// shots overlap.
static void prepare_sweep(cast *run) {
    const double *from = run->direction;
    double translation[3], scale;
    run->length = sqrt(from[0] * from[0] + from[1] * from[1] + from[2] * from[2]);
    scale = run->shot->range / run->length;
    for (int i = 0; i < 3; i++) translation[i] = from[i] * scale;
    rf_sweep_init(&run->sweep, run->shot->origin, translation, &run->shape);
}

// --- hits

static bool passes(const rf_shot *shot, const rf_profile *profile) {
    return rf_str_eq(rf_entity_id_str(&profile->id), shot->owner) ||
           rf_str_eq(rf_entity_id_str(&profile->owner), shot->owner);
}

static void fill(const cast *run, const rf_contact *contact, rf_hit *hit) {
    hit->t = contact->t;
    hit->distance = contact->t * run->shot->range;
    for (int i = 0; i < 3; i++) {
        hit->point[i] = run->shot->origin[i] + run->sweep.translation[i] * contact->t;
        hit->normal[i] = contact->t == 0 ? -(run->direction[i] / run->length) : contact->normal[i];
    }
}

// Sets a target's key and id; so far only its position in the view is known. Deferred, because reading the profile may
// be a cache miss.
static void name(const cast *run, rf_hit *hit) {
    const rf_profile *profile;
    if (hit->kind != RF_HIT_TARGET) return;
    profile = rf_view_profile(&run->view, hit->number);
    hit->number = profile->key;
    hit->id = rf_entity_id_str(&profile->id);
}

// Whether this hit, with the same t, is ordered before the best one.
static bool comes_first(const cast *run, rf_hit_kind kind, uint32_t number) {
    rf_hit hit = {.kind = kind, .number = number, .t = run->latest}, best = run->best;
    name(run, &hit);
    name(run, &best);
    return rf_hit_before(&hit, &best);
}

static void list(cast *run, rf_hit_kind kind, uint32_t number, const rf_contact *contact) {
    rf_hit hit = {.kind = kind, .number = number};
    fill(run, contact, &hit);
    name(run, &hit);
    if (run->status == RF_OK) run->status = rf_hits_push(run->list, &hit);
}

// number: of a target, its position in the view.
static void offer_hit(cast *run, rf_hit_kind kind, uint32_t number, const rf_contact *contact) {
    if (contact->t > run->latest) return;
    if (run->list) {
        list(run, kind, number, contact);
        return;
    }
    if (run->found && contact->t == run->latest && !comes_first(run, kind, number)) return;
    run->found = true;
    run->latest = contact->t;
    run->query->limit = (float)contact->t;
    run->best.kind = kind;
    run->best.number = number;
    run->best.id = (rf_str){0};
    fill(run, contact, &run->best);
    if (kind == RF_HIT_TARGET) __builtin_prefetch(rf_view_profile(&run->view, number));
}

static void meet_target(cast *run, uint32_t item) {
    rf_round_box box;
    rf_contact contact;
    rf_view_box(&run->view, item, &box);
    if (!rf_sweep_round_box(&run->sweep, &box, RF_SURFACE_TARGET, run->latest, &contact)) return;
    if ((rf_view_layers(&run->view, item) & run->mask) == 0) return;
    if (run->shot->owner.len > 0 && passes(run->shot, rf_view_profile(&run->view, item))) return;
    offer_hit(run, RF_HIT_TARGET, item, &contact);
}

static void meet_static(cast *run, uint32_t item) {
    const rf_statics *statics = &run->view.space->statics;
    rf_static_name thing = rf_statics_name(statics, item);
    rf_contact contact;
    bool met;
    if ((rf_statics_layers(statics, thing) & run->mask) == 0) return;
    if (thing.kind == RF_HIT_WALL) {
        const rf_wall *wall = &statics->walls.items[thing.number];
        rf_sector sides[2] = {{0}};
        if (wall->back != RF_NO_SECTOR) {
            sides[0] = rf_view_sector(&run->view, wall->front);
            sides[1] = rf_view_sector(&run->view, wall->back);
        }
        met = rf_wall_hit(wall, sides, &run->sweep, &contact);
    } else if (thing.kind == RF_HIT_BOX) {
        met = rf_sweep_round_box(&run->sweep, &statics->boxes.items[thing.number].box, RF_SURFACE_STATIC, run->latest,
                                 &contact);
    } else {
        met = rf_sweep_triangle(&run->sweep, statics->triangles.items[thing.number].corners, &contact);
    }
    if (met) offer_hit(run, thing.kind, thing.number, &contact);
}

// Tests the items of a tree with the shots first to first + count - 1.
static void meet_all(shot_batch *batch, const rf_bvh *index, void (*meet)(cast *, uint32_t), uint32_t first,
                     uint32_t count) {
    rf_bvh_found found = batch->space->ops->walk(index, batch->queries + first, count);
    if (found.full) {
        meet_all(batch, index, meet, first, count / 2);
        meet_all(batch, index, meet, first + count / 2, count - count / 2);
        return;
    }
    if (index == &batch->space->targets.index)
        for (uint32_t i = 0; i < found.count; i++)
            rf_targets_prefetch(&batch->space->targets, rf_bvh_entry_item(index, found.entries[i]));
    for (uint32_t i = 0; i < found.count; i++)
        meet(&batch->casts[first + rf_bvh_entry_query(found.entries[i])], rf_bvh_entry_item(index, found.entries[i]));
}

// Writes the answer; the shot's hits start at `first`.
static rf_status write_answer(cast *run, rf_hits *hits, size_t first) {
    const rf_view *view = &run->view;
    if (run->found && run->status == RF_OK) {
        name(run, &run->best);
        run->status = rf_hits_push(hits, &run->best);
    }
    if (run->status != RF_OK) {
        hits->len = first;
        *run->answer = (rf_answer){.status = run->status, .first = first};
        return run->status;
    }
    if (hits->len - first > 1) rf_hits_sort(hits->items + first, hits->len - first, rf_hit_before);
    *run->answer = (rf_answer){.status = RF_OK,
                               .count = (uint32_t)(hits->len - first),
                               .first = first,
                               .seq = view->state ? view->state->seq : 0,
                               .blend = view->blend};
    return RF_OK;
}

// Casts all shots of the batch: first at static things, which limits how far targets need to be searched. Returns
// NULL, or the answer of the first shot for which memory ran out.
static rf_answer *cast_batch(shot_batch *batch) {
    const rf_bvh *statics = &batch->space->statics.index, *targets;
    uint32_t count = batch->count;
    size_t first = batch->hits->len;
    batch->count = 0;
    if (count == 0) return NULL;
    targets = batch->casts[0].view.index;
    for (uint32_t i = 0; i < count; i++) prepare_sweep(&batch->casts[i]);
    // A separate loop: wide loads right after narrow stores to the same memory would stall.
    for (uint32_t i = 0; i < count; i++) {
        batch->space->ops->query(&batch->queries[i], &batch->casts[i].sweep);
        batch->queries[i].limit = 1;
    }
    if (statics->count > 0) meet_all(batch, statics, meet_static, 0, count);
    if (batch->casts[0].shot->kind == RF_SHOT_PIERCE) batch->casts[0].list = batch->hits;
    if (targets->count > 0) meet_all(batch, targets, meet_target, 0, count);
    for (uint32_t i = 0; i < count; i++) {
        if (write_answer(&batch->casts[i], batch->hits, first) == RF_NO_MEMORY) return batch->casts[i].answer;
        first = batch->hits->len;
    }
    return NULL;
}

// Whether the shot can join the batch: it uses the same tree, and all of them want only the first hit.
static bool fits_batch(const shot_batch *batch, const cast *run) {
    return batch->casts[0].view.index == run->view.index && batch->casts[0].shot->kind == RF_SHOT_FIRST &&
           run->shot->kind == RF_SHOT_FIRST;
}

// Adds the shot at casts[count], which has been read, to the batch.
static void add_to_batch(shot_batch *batch) {
    cast *run = &batch->casts[batch->count];
    run->query = &batch->queries[batch->count++];
    run->found = false;
    run->latest = INFINITY;
    run->status = RF_OK;
    run->list = run->shot->kind == RF_SHOT_ALL ? batch->hits : NULL;
}

// The view of the present is shared by all shots of a call.
static rf_status find_view(shot_batch *batch, rf_moment moment, rf_view *out) {
    rf_status status = RF_OK;
    if (moment.kind != RF_NOW) return rf_view_at(batch->space, moment, out);
    if (!batch->now.space) status = rf_view_at(batch->space, moment, &batch->now);
    *out = batch->now;
    return status;
}

static rf_status no_memory(rf_answer *answers, size_t from, size_t count, const rf_hits *hits) {
    for (size_t i = from; i < count; i++) answers[i] = (rf_answer){.status = RF_NO_MEMORY, .first = hits->len};
    return RF_NO_MEMORY;
}

rf_status rf_cast(rf_space *space, const rf_shot *shots, size_t count, rf_answer *answers, rf_hits *hits) {
    shot_batch batch;
    rf_answer *failed = NULL;
    batch.space = space;
    batch.hits = hits;
    batch.now = (rf_view){0};
    batch.count = 0;
    if (!rf_statics_index(&space->statics, &space->mem)) return no_memory(answers, 0, count, hits);
    for (size_t i = 0; i < count && !failed; i++) {
        cast *run = &batch.casts[batch.count];
        rf_status status = read_shot(&shots[i], run);
        if (status == RF_OK) status = find_view(&batch, shots[i].moment, &run->view);
        run->answer = &answers[i];
        if (batch.count > 0 && (status != RF_OK || !fits_batch(&batch, run))) {
            failed = cast_batch(&batch);
            batch.casts[0] = *run;
        }
        if (failed) break;
        if (status == RF_NO_MEMORY) failed = &answers[i];
        if (status != RF_OK)
            answers[i] = (rf_answer){.status = status, .first = hits->len};
        else
            add_to_batch(&batch);
        if (batch.count == RF_BVH_QUERIES) failed = cast_batch(&batch);
    }
    if (!failed) failed = cast_batch(&batch);
    return failed ? no_memory(answers, (size_t)(failed - answers), count, hits) : RF_OK;
}

// --- zones

typedef struct overlap {
    const rf_view *view;
    rf_shape shape;
    double centre[3];
    uint32_t mask;
    rf_hits *hits;
    rf_status status;
} overlap;

// Sets the point of the target's collider that is nearest to the centre, its distance and the normal.
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

static void overlap_target(overlap *run, uint32_t item) {
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

static rf_status overlap_zone(rf_space *space, const rf_zone *zone, rf_view *view, rf_hits *hits) {
    static const double nowhere[3] = {0};
    overlap run = {.view = view, .hits = hits, .status = RF_OK};
    rf_bvh_query query = {.limit = 1};
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
    space->ops->query(&query, &still);
    if (view->index->count > 0) {
        rf_bvh_found found = space->ops->walk(view->index, &query, 1);
        for (uint32_t i = 0; i < found.count; i++)
            overlap_target(&run, rf_bvh_entry_item(view->index, found.entries[i]));
    }
    if (run.status != RF_OK) {
        hits->len = first;
        return run.status;
    }
    if (hits->len > first) rf_hits_sort(hits->items + first, hits->len - first, rf_hit_id_before);
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

rf_status rf_overlap(rf_space *space, const rf_zone *zones, size_t count, rf_answer *answers, rf_hits *hits) {
    for (size_t i = 0; i < count; i++) {
        size_t first = hits->len;
        rf_view view = {0};
        rf_status status = overlap_zone(space, &zones[i], &view, hits);
        if (status == RF_NO_MEMORY) return no_memory(answers, i, count, hits);
        answers[i] = answer_for(status, &view, first, hits);
    }
    return RF_OK;
}
