// projectile.c: compares the projectiles of a recording.
#include "recording.h"

#include <math.h>

#define TIC_MAX 1e15 // beyond 2^53, the next tic would be the same number

// A missile in flight. Its path is split into the steps in which it was simulated, since targets, doors and lifts move
// between steps.
typedef struct flight {
    scene *scene;
    const json_t *near, *moves;
    size_t next_near, next_move;
    rf_shot shot;
    double speed;      // of shot.direction, per whole step
    const json_t *hit; // the target's id, once one is hit
    bool over;
} flight;

static problem set_velocity(flight *fly, const json_t *velocity) {
    double *v = fly->shot.direction;
    if (!scene_read_point(velocity, v)) return "v";
    fly->speed = sqrt(v[0] * v[0] + v[1] * v[1] + v[2] * v[2]);
    return NULL;
}

// Applies [[t, sector, floor, ceil], ...] up to this step.
static problem move_sectors(flight *fly, double t) {
    for (; fly->next_move < json_array_size(fly->moves); fly->next_move++) {
        const json_t *move = json_array_get(fly->moves, fly->next_move);
        double at;
        problem what;
        if (!scene_read_number(json_array_get(move, 0), &at)) return "sector_moves";
        if (at >= t) break;
        what = scene_set_sector(fly->scene, json_array_get(move, 1), json_array_get(move, 2), json_array_get(move, 3));
        if (what) return "sector_moves";
    }
    return NULL;
}

// The nearby targets in this step, from [[t, half, targets], ...]; none if the step is not listed.
static const json_t *targets_of(flight *fly, double t, bool half) {
    for (; fly->next_near < json_array_size(fly->near); fly->next_near++) {
        const json_t *near = json_array_get(fly->near, fly->next_near);
        double at = json_number_value(json_array_get(near, 0));
        bool in_half = json_integer_value(json_array_get(near, 1)) != 0;
        if (at > t || (at == t && half && !in_half)) break;
        if (at == t && half == in_half) return json_array_get(near, 2);
    }
    return NULL;
}

static problem step(flight *fly, double t, bool half) {
    const json_t *targets = targets_of(fly, t, half), *target;
    double share = half ? 0.5 : 1;
    long number = -1;
    bool wall = false;
    problem what;
    if (fly->speed == 0) return NULL;
    fly->shot.range = fly->speed * share;
    what = move_sectors(fly, t);
    if (!what) what = scene_set_targets(fly->scene, targets);
    if (!what) what = scene_cast(fly->scene, &fly->shot, &number, &wall);
    if (what) return what;
    for (int i = 0; i < 3; i++) fly->shot.origin[i] += fly->shot.direction[i] * share;
    if (number >= 0) {
        target = json_array_get(targets, (size_t)number);
        if (json_integer_value(json_array_get(target, 6)) != 0) fly->hit = json_array_get(target, 0);
    }
    fly->over = wall || number >= 0;
    return NULL;
}

static problem start(flight *fly, const json_t *line, double *t, double *last) {
    double radius, height;
    if (!scene_read_point(json_object_get(line, "start"), fly->shot.origin)) return "start";
    if (!scene_read_number(json_object_get(line, "r"), &radius)) return "r";
    if (!scene_read_number(json_object_get(line, "h"), &height)) return "h";
    if (!scene_read_number(json_object_get(line, "t"), t) || fabs(*t) > TIC_MAX) return "t";
    if (!scene_read_number(json_object_get(line, "t_end"), last)) return "t_end";
    fly->near = json_object_get(line, "near");
    fly->moves = json_object_get(line, "sector_moves");
    fly->shot.collider = rf_collider_box(radius * RF_LEVEL_DOOM_UNIT, height * RF_LEVEL_DOOM_UNIT);
    *last += 2; // the recording continues for two more steps
    return *last - *t > 100000 ? "t_end" : set_velocity(fly, json_object_get(line, "v"));
}

problem judge_projectile(scene *in, const json_t *line, verdict *out) {
    flight fly = {.scene = in};
    const json_t *hit = json_object_get(line, "hit"), *after = json_object_get(line, "v_after");
    double t, last;
    problem what = start(&fly, line, &t, &last);
    if (!what && !scene_is_id_or_none(hit)) what = "hit";
    if (!what) what = scene_set_sectors(in, json_object_get(line, "sectors"));
    if (!what) what = step(&fly, t, true);
    if (!what && after && !json_is_null(after)) what = set_velocity(&fly, after);
    for (; !what && !fly.over && t <= last; t++) what = step(&fly, t, false);
    if (what) return what;
    out->hit = hit && !json_is_null(hit);
    out->agree = fly.hit ? json_equal(fly.hit, hit) : !out->hit;
    return NULL;
}
