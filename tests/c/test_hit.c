// Who is hit: geometry against halving intervals, everything else against trying one after the other. The same bits on
// every SIMD path.
#include "hit_reference.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// --- the geometry of pairs of shapes

static void random_shape(uint64_t *state, double half[3], double *radius) {
    int kind = (int)(next_random(state) % 3);
    for (int i = 0; i < 3; i++)
        half[i] = kind != 1 || next_random(state) % 4 == 0 ? 0 : random_between(state, 0.05, 1); // perhaps flat
    *radius = kind == 2 ? random_between(state, 0.05, 1) : 0;
}

static void random_point(uint64_t *state, double reach, double out[3]) {
    for (int i = 0; i < 3; i++) out[i] = random_between(state, -reach, reach);
}

// From around the origin of the world past it, so that about half of all hit.
static rf_sweep random_sweep(uint64_t *state, const double half[3], double radius) {
    double origin[3], translation[3], aim[3];
    rf_shape shape = {.radius = radius};
    rf_sweep sweep;
    memcpy(shape.half, half, sizeof shape.half);
    random_point(state, 6, origin);
    random_point(state, 2, aim);
    for (int i = 0; i < 3; i++) translation[i] = (aim[i] - origin[i]) * random_between(state, 0.3, 3);
    if (next_random(state) % 8 == 0) translation[next_random(state) % 3] = 0;
    rf_sweep_init(&sweep, origin, translation, &shape);
    return sweep;
}

static void check_sweep(const char *what, const rf_sweep *sweep, const thing *other, bool hit,
                        const rf_contact *contact) {
    near_miss slow = slow_sweep(other, sweep->origin, sweep->translation, sweep->half, sweep->radius);
    double length = 0;
    if (slow.unsure) return;
    REQUIRE_MSG(hit == slow.hit, "%s: hit %d, slowly %d at %.17g", what, hit, slow.hit, slow.t);
    if (!hit) return;
    REQUIRE_MSG(fabs(contact->t - slow.t) < 1e-4, "%s: t %.17g, slowly %.17g", what, contact->t, slow.t);
    for (int i = 0; i < 3; i++) length += contact->normal[i] * contact->normal[i];
    if (contact->t > 0) REQUIRE_MSG(fabs(length - 1) < 1e-9, "%s: normal of length2 %.17g", what, length);
}

START_TEST(shapes_against_round_boxes) {
    uint64_t state = 11;
    for (int n = 0; n < 20000; n++) {
        double half[3], radius, middle[3];
        rf_round_box box;
        rf_contact contact;
        rf_sweep sweep;
        thing other = {.kind = THING_BOX};
        bool hit;
        random_shape(&state, half, &radius);
        sweep = random_sweep(&state, half, radius);
        random_shape(&state, half, &box.radius);
        random_point(&state, 1, middle);
        if (n % 4 == 0) half[1] = 0.7; // capsules, too
        for (int i = 0; i < 3; i++) {
            box.low[i] = middle[i] - half[i];
            box.high[i] = middle[i] + half[i];
        }
        other.radius = box.radius;
        for (int i = 0; i < 3; i++) {
            other.corner[i] = box.low[i];
            other.first[i] = box.high[i] - box.low[i];
        }
        hit = rf_sweep_round_box(&sweep, &box, n % 2 ? RF_SURFACE_TARGET : RF_SURFACE_STATIC, INFINITY, &contact);
        check_sweep("round box", &sweep, &other, hit, &contact);
    }
}
END_TEST

START_TEST(shapes_against_panels) {
    uint64_t state = 12;
    for (int n = 0; n < 400; n++) {
        double half[3], radius, a[3], b[3];
        thing other = {.kind = THING_PANEL};
        rf_contact contact;
        rf_panel panel;
        rf_sweep sweep;
        bool hit;
        random_shape(&state, half, &radius);
        sweep = random_sweep(&state, half, radius);
        random_point(&state, 2, a);
        random_point(&state, 2, b);
        panel = (rf_panel){a[0], a[2], b[0], b[2], fmin(a[1], b[1]), fmax(a[1], b[1]), true, true};
        other.corner[0] = panel.x1;
        other.corner[1] = panel.low;
        other.corner[2] = panel.z1;
        other.first[0] = panel.x2 - panel.x1;
        other.first[2] = panel.z2 - panel.z1;
        other.second[1] = panel.high - panel.low;
        hit = rf_sweep_panel(&sweep, &panel, &contact);
        check_sweep(radius > 0 ? "sphere, panel" : "box or ray, panel", &sweep, &other, hit, &contact);
    }
}
END_TEST

START_TEST(shapes_against_triangles) {
    uint64_t state = 13;
    for (int n = 0; n < 400; n++) {
        double half[3], radius, corners[3][3];
        thing other = {.kind = THING_TRIANGLE};
        rf_contact contact;
        rf_sweep sweep;
        bool hit;
        random_shape(&state, half, &radius);
        sweep = random_sweep(&state, half, radius);
        for (int i = 0; i < 3; i++) random_point(&state, 2, corners[i]);
        for (int i = 0; i < 3; i++) {
            other.corner[i] = corners[0][i];
            other.first[i] = corners[1][i] - corners[0][i];
            other.second[i] = corners[2][i] - corners[0][i];
        }
        hit = rf_sweep_triangle(&sweep, (const double(*)[3])corners, &contact);
        check_sweep(radius > 0 ? "sphere, triangle" : "box or ray, triangle", &sweep, &other, hit, &contact);
    }
}
END_TEST

// --- random worlds

#define MAX_TARGETS 1500

typedef struct world {
    model in;
    rf_space *spaces[RF_SIMD_COUNT];
    double size, step;
    bool any; // numbers of every size
} world;

static double any_size(uint64_t *state) {
    static const double sizes[] = {0, 5e-324, 1e-200, 1e-141, 1e-60, 1e-21, 1e-12, 1e-3, 1, 100, 1e6, 9.9e8};
    return sizes[next_random(state) % 12] * (next_random(state) % 2 ? 1 : random_between(state, 0.1, 1));
}

static double place(uint64_t *state, const world *of) {
    if (of->any && next_random(state) % 2) return any_size(state) * (next_random(state) % 2 ? 1 : -1);
    if (of->step > 0) return random_step(state, -of->size, of->size, of->step);
    return random_between(state, -of->size, of->size);
}

static rf_collider random_collider(uint64_t *state, bool target) {
    rf_collider out = {.centred = next_random(state) % 2};
    double a = random_step(state, 0.25, 2, 0.25), b = random_step(state, 0.25, 2, 0.25);
    switch (next_random(state) % (target ? 3 : 4)) {
    case 0:
        out.kind = RF_COLLIDER_BOX;
        out.half[0] = a;
        out.half[1] = b;
        out.half[2] = random_step(state, 0.25, 2, 0.25);
        break;
    case 1:
        out.kind = RF_COLLIDER_SPHERE;
        out.radius = a;
        break;
    case 2:
        out.kind = target ? RF_COLLIDER_CAPSULE : RF_COLLIDER_POINT;
        out.radius = a;
        out.height = b * 2;
        break;
    default:
        break;
    }
    return out;
}

static void put_everywhere(world *of, uint32_t key) {
    for (int simd = 0; simd < RF_SIMD_COUNT; simd++)
        if (of->spaces[simd]) REQUIRE(rf_space_put(of->spaces[simd], key, &of->in.targets[key].target) == RF_OK);
}

static void make_target(uint64_t *state, world *of, uint32_t key) {
    model_target *target = &of->in.targets[key];
    target->there = true;
    snprintf(target->id, sizeof target->id, "t%u", key);
    snprintf(target->owner, sizeof target->owner, "%s", next_random(state) % 4 == 0 ? "t1" : "");
    target->target = (rf_target){.id = {target->id, strlen(target->id)},
                                 .owner = {target->owner, strlen(target->owner)},
                                 .collider = random_collider(state, true),
                                 .layers = next_random(state) % 8 == 0 ? 2 : 1};
    for (int i = 0; i < 3; i++) target->target.position[i] = place(state, of);
    put_everywhere(of, key);
}

static void make_statics(uint64_t *state, world *of) {
    model *in = &of->in;
    in->sectors = calloc(8, sizeof *in->sectors);
    in->walls = calloc(40, sizeof *in->walls);
    in->boxes = calloc(20, sizeof *in->boxes);
    in->triangles = calloc(20, sizeof *in->triangles);
    in->sectors_count = 8;
    in->walls_count = 40;
    in->boxes_count = in->triangles_count = 20;
    for (uint32_t i = 0; i < 8; i++)
        in->sectors[i] = (rf_sector){random_step(state, -4, 2, 1), random_step(state, 0, 6, 1)};
    for (uint32_t i = 0; i < 40; i++)
        in->walls[i] = (rf_wall){.x1 = place(state, of),
                                 .z1 = place(state, of),
                                 .x2 = place(state, of),
                                 .z2 = place(state, of),
                                 .bottom = i % 3 ? -INFINITY : -2,
                                 .top = i % 4 ? INFINITY : 4,
                                 .front = (uint32_t)(next_random(state) % 8),
                                 .back = i % 4 == 0 ? RF_NO_SECTOR : (uint32_t)(next_random(state) % 8),
                                 .layers = 1 + i % 2};
    for (uint32_t i = 0; i < 20; i++) {
        for (int axis = 0; axis < 3; axis++) {
            in->boxes[i][0][axis] = place(state, of);
            in->boxes[i][1][axis] = in->boxes[i][0][axis] + random_step(state, 0.5, 2, 0.5);
        }
        for (int corner = 0; corner < 3; corner++)
            for (int axis = 0; axis < 3; axis++) in->triangles[i][corner][axis] = place(state, of);
    }
}

static world make_world(uint64_t *state, uint32_t targets, bool statics, bool any) {
    world of = {.size = cbrt(targets + 1.0) * 3 + 5, .step = next_random(state) % 2 ? 0.5 : 0, .any = any};
    for (int simd = RF_SIMD_SCALAR; simd < RF_SIMD_COUNT; simd++) {
        rf_space_def def = rf_space_def_default();
        def.simd = (rf_simd)simd;
        if (rf_simd_available(def.simd)) REQUIRE(rf_space_new(&def, &of.spaces[simd]) == RF_OK);
    }
    of.in.targets = calloc(targets + 1, sizeof *of.in.targets);
    of.in.keys = targets;
    for (uint32_t key = 0; key < targets; key++) make_target(state, &of, key);
    if (!statics) return of;
    make_statics(state, &of);
    for (int simd = 0; simd < RF_SIMD_COUNT; simd++) {
        rf_space *space = of.spaces[simd];
        if (!space) continue;
        for (uint32_t i = 0; i < 8; i++) REQUIRE(rf_space_add_sector(space, of.in.sectors[i], NULL) == RF_OK);
        for (uint32_t i = 0; i < 40; i++) REQUIRE(rf_space_add_wall(space, &of.in.walls[i], NULL) == RF_OK);
        for (uint32_t i = 0; i < 20; i++) {
            REQUIRE(rf_space_add_box(space, of.in.boxes[i][0], of.in.boxes[i][1], 1, NULL) == RF_OK);
            REQUIRE(rf_space_add_triangle(space, (const double(*)[3])of.in.triangles[i], 1, NULL) == RF_OK);
        }
    }
    return of;
}

static void free_world(world *of) {
    for (int simd = 0; simd < RF_SIMD_COUNT; simd++) rf_space_free(of->spaces[simd]);
    free(of->in.targets);
    free(of->in.sectors);
    free(of->in.walls);
    free(of->in.boxes);
    free(of->in.triangles);
}

// Something moves, comes, goes, or a door opens.
static void disturb(uint64_t *state, world *of) {
    for (uint32_t n = 0; n < of->in.keys / 4 + 1 && of->in.keys > 0; n++) {
        uint32_t key = (uint32_t)(next_random(state) % of->in.keys);
        model_target *target = &of->in.targets[key];
        if (!target->there || next_random(state) % 50 == 0) {
            make_target(state, of, key);
        } else if (next_random(state) % 50 == 0) {
            target->there = false;
            for (int simd = 0; simd < RF_SIMD_COUNT; simd++)
                if (of->spaces[simd]) rf_space_remove(of->spaces[simd], key);
        } else {
            for (int i = 0; i < 3; i++)
                target->target.position[i] += of->step > 0 ? of->step : random_between(state, -1, 1);
            for (int simd = 0; simd < RF_SIMD_COUNT; simd++)
                if (of->spaces[simd]) REQUIRE(rf_space_move(of->spaces[simd], key, target->target.position) == RF_OK);
        }
    }
    if (of->in.sectors_count > 0) {
        uint32_t number = (uint32_t)(next_random(state) % 8);
        of->in.sectors[number] = (rf_sector){random_step(state, -4, 2, 1), random_step(state, 0, 6, 1)};
        for (int simd = 0; simd < RF_SIMD_COUNT; simd++)
            if (of->spaces[simd])
                REQUIRE(rf_space_set_sector(of->spaces[simd], number, of->in.sectors[number]) == RF_OK);
    }
}

static rf_shot random_shot(uint64_t *state, const world *of) {
    static const char *const owners[] = {"", "", "t1", "t2"};
    const char *owner = owners[next_random(state) % 4];
    rf_shot shot = {.kind = (rf_shot_kind)(next_random(state) % 3),
                    .mask = (uint32_t)(next_random(state) % 4),
                    .collider = next_random(state) % 2 ? (rf_collider){0} : random_collider(state, false),
                    .owner = {owner, strlen(owner)},
                    .range = random_step(state, 0, of->size * 2, 0.5)};
    if (of->any && next_random(state) % 2) shot.range = any_size(state);
    for (int i = 0; i < 3; i++) {
        shot.origin[i] = place(state, of);
        shot.direction[i] = of->step > 0 ? random_step(state, -2, 3, 1) : random_between(state, -1, 1);
        if (of->any && next_random(state) % 4 == 0) shot.direction[i] *= any_size(state);
    }
    if (shot.direction[0] == 0 && shot.direction[1] == 0 && shot.direction[2] == 0) shot.direction[1] = -1;
    return shot;
}

// Returns how many were hit.
static size_t check_shots(uint64_t *state, world *of, size_t count) {
    rf_shot *shots = calloc(count, sizeof *shots);
    rf_hits *expected = calloc(count, sizeof *expected);
    rf_answer *answers = calloc(count, sizeof *answers);
    bool simple = next_random(state) % 2; // those go through the trees together
    size_t found = 0;
    for (size_t i = 0; i < count; i++) {
        shots[i] = random_shot(state, of);
        if (simple) shots[i].kind = RF_SHOT_FIRST;
        expected[i] = slow_cast(&of->in, &shots[i]);
        found += expected[i].len > 0;
    }
    for (int simd = 0; simd < RF_SIMD_COUNT; simd++) {
        rf_hits hits = rf_hits_new(rf_allocator_default(), SIZE_MAX);
        if (!of->spaces[simd]) continue;
        REQUIRE(rf_cast(of->spaces[simd], shots, count, answers, &hits) == RF_OK);
        for (size_t i = 0; i < count; i++) {
            REQUIRE(answers[i].status == RF_OK);
            REQUIRE_MSG(answers[i].count == expected[i].len, "%s: %u hits, expected %zu", rf_simd_name((rf_simd)simd),
                        answers[i].count, expected[i].len);
            REQUIRE_MSG(same_hits(hits.items + answers[i].first, expected[i].items, expected[i].len),
                        "%s: other hits than expected", rf_simd_name((rf_simd)simd));
        }
        rf_hits_free(&hits);
    }
    for (size_t i = 0; i < count; i++) free(expected[i].items);
    free(expected);
    free(answers);
    free(shots);
    return found;
}

static long wanted_casts(void) {
    const char *text = getenv("ROOMFOLD_CASTS");
    return text ? atol(text) : 30000;
}

START_TEST(random_casts_give_the_same_bits_on_every_path) {
    static const uint32_t sizes[] = {0, 1, 7, 8, 17, 60, 130, 300, MAX_TARGETS};
    uint64_t state = 2024;
    long left = wanted_casts();
    size_t found = 0, cast = 0;
    for (int round = 0; left > 0; round++) {
        world of = make_world(&state, sizes[round % 9], round % 3 != 0, round % 5 == 4);
        for (int tick = 0; tick < 6; tick++) {
            size_t count = of.in.keys > 500 ? 40 : 150;
            found += check_shots(&state, &of, count);
            cast += count;
            left -= (long)count;
            disturb(&state, &of);
        }
        free_world(&of);
    }
    ck_assert_uint_gt(found, cast / 5);
    ck_assert_uint_lt(found, cast - cast / 10);
}
END_TEST

START_TEST(random_zones_find_who_touches_them) {
    uint64_t state = 77;
    for (int round = 0; round < 60; round++) {
        world of = make_world(&state, round % 2 ? 40 : 400, false, round % 5 == 4);
        for (int n = 0; n < 20; n++) {
            rf_zone zone = {.collider = random_collider(&state, n % 2), .mask = (uint32_t)(next_random(&state) % 4)};
            rf_hits expected;
            for (int i = 0; i < 3; i++) zone.position[i] = place(&state, &of);
            expected = slow_overlap(&of.in, &zone);
            for (int simd = 0; simd < RF_SIMD_COUNT; simd++) {
                rf_hits hits = rf_hits_new(rf_allocator_default(), SIZE_MAX);
                rf_answer answer;
                if (!of.spaces[simd]) continue;
                REQUIRE(rf_overlap(of.spaces[simd], &zone, 1, &answer, &hits) == RF_OK);
                REQUIRE(answer.status == RF_OK && answer.count == expected.len);
                for (size_t i = 0; i < expected.len; i++) REQUIRE(hits.items[i].number == expected.items[i].number);
                rf_hits_free(&hits);
            }
            free(expected.items);
        }
        disturb(&state, &of);
        free_world(&of);
    }
}
END_TEST

// --- single rules

static rf_space *new_space(void) {
    rf_space_def def = rf_space_def_default();
    rf_space *space;
    ck_assert_int_eq(rf_space_new(&def, &space), RF_OK);
    return space;
}

static void put(rf_space *space, uint32_t key, const char *id, rf_collider collider, double x, double y, double z) {
    rf_target target = {.id = {id, strlen(id)}, .collider = collider, .position = {x, y, z}, .layers = 1};
    ck_assert_int_eq(rf_space_put(space, key, &target), RF_OK);
}

static rf_answer cast_one(rf_space *space, const rf_shot *shot, rf_hits *hits) {
    rf_answer answer;
    hits->len = 0;
    ck_assert_int_eq(rf_cast(space, shot, 1, &answer, hits), RF_OK);
    return answer;
}

static rf_shot ray(double x, double y, double z, double dx, double dy, double dz, double range) {
    return (rf_shot){.origin = {x, y, z}, .direction = {dx, dy, dz}, .range = range};
}

START_TEST(a_hit_says_who_where_and_how) {
    rf_space *space = new_space();
    rf_hits hits = rf_hits_new(rf_allocator_default(), SIZE_MAX);
    rf_shot shot = ray(0, 1, 0, 3, 0, 0, 20);
    rf_answer answer;
    put(space, 5, "tom", rf_collider_box(0.5, 2), 10.5, 0, 0);
    answer = cast_one(space, &shot, &hits);
    ck_assert_int_eq(answer.status, RF_OK);
    ck_assert_uint_eq(answer.count, 1);
    ck_assert_int_eq(hits.items[0].kind, RF_HIT_TARGET);
    ck_assert_uint_eq(hits.items[0].number, 5);
    ck_assert_mem_eq(hits.items[0].id.data, "tom", 3);
    ck_assert_double_eq(hits.items[0].t, 0.5);
    ck_assert_double_eq(hits.items[0].distance, 10);
    ck_assert_double_eq(hits.items[0].point[0], 10);
    ck_assert_double_eq(hits.items[0].point[1], 1);
    ck_assert_double_eq(hits.items[0].normal[0], -1);
    shot.range = 9.999;
    ck_assert_uint_eq(cast_one(space, &shot, &hits).count, 0);
    shot.range = 10; // to touch is to hit
    ck_assert_uint_eq(cast_one(space, &shot, &hits).count, 1);
    ck_assert_double_eq(hits.items[0].t, 1);
    shot.origin[0] = 10.5; // from inside
    answer = cast_one(space, &shot, &hits);
    ck_assert_double_eq(hits.items[0].t, 0);
    ck_assert_double_eq(hits.items[0].normal[0], -1);
    rf_hits_free(&hits);
    rf_space_free(space);
}
END_TEST

START_TEST(ties_go_by_id) {
    rf_space *space = new_space();
    rf_hits hits = rf_hits_new(rf_allocator_default(), SIZE_MAX);
    rf_shot shot = ray(0, 1, 0, 1, 0, 0, 20);
    double low[3] = {9.5, 0, -1}, high[3] = {11, 3, 1};
    put(space, 1, "b", rf_collider_box(0.5, 2), 10, 0, 0);
    put(space, 2, "ab", rf_collider_box(0.5, 2), 10, 0, 0);
    put(space, 3, "abc", rf_collider_box(0.5, 2), 10, 0, 0);
    ck_assert_int_eq(rf_space_add_box(space, low, high, 1, NULL), RF_OK);
    cast_one(space, &shot, &hits);
    ck_assert_uint_eq(hits.items[0].number, 2);
    shot.kind = RF_SHOT_PIERCE;
    ck_assert_uint_eq(cast_one(space, &shot, &hits).count, 4);
    ck_assert_uint_eq(hits.items[0].number, 2);
    ck_assert_uint_eq(hits.items[1].number, 3);
    ck_assert_uint_eq(hits.items[2].number, 1);
    ck_assert_int_eq(hits.items[3].kind, RF_HIT_BOX);
    put(space, 4, "behind", rf_collider_box(0.5, 2), 13, 0, 0);
    ck_assert_uint_eq(cast_one(space, &shot, &hits).count, 4);
    shot.kind = RF_SHOT_ALL;
    ck_assert_uint_eq(cast_one(space, &shot, &hits).count, 5);
    ck_assert_uint_eq(hits.items[4].number, 4);
    rf_hits_free(&hits);
    rf_space_free(space);
}
END_TEST

START_TEST(owner_and_mask) {
    rf_space *space = new_space();
    rf_hits hits = rf_hits_new(rf_allocator_default(), SIZE_MAX);
    rf_shot shot = ray(0, 1, 0, 1, 0, 0, 20);
    rf_target shield = {.id = STR("shield"), .owner = STR("tom"), .collider = rf_collider_sphere(1), .layers = 4};
    put(space, 1, "tom", rf_collider_box(0.5, 2), 0, 0, 0);
    shield.position[0] = 3;
    ck_assert_int_eq(rf_space_put(space, 2, &shield), RF_OK);
    cast_one(space, &shot, &hits);
    ck_assert_uint_eq(hits.items[0].number, 1);
    shot.mask = 4;
    cast_one(space, &shot, &hits);
    ck_assert_uint_eq(hits.items[0].number, 2);
    shot.mask = 8;
    ck_assert_uint_eq(cast_one(space, &shot, &hits).count, 0);
    shot.mask = 0;
    shot.owner = STR("tom");
    ck_assert_uint_eq(cast_one(space, &shot, &hits).count, 0);
    rf_hits_free(&hits);
    rf_space_free(space);
}
END_TEST

static bool blocked(rf_space *space, double y, rf_collider collider) {
    rf_hits hits = rf_hits_new(rf_allocator_default(), SIZE_MAX);
    rf_shot shot = ray(-5, y, 0.25, 1, 0, 0, 10);
    rf_answer answer;
    shot.collider = collider;
    answer = cast_one(space, &shot, &hits);
    ck_assert_int_eq(answer.status, RF_OK);
    rf_hits_free(&hits);
    return answer.count > 0;
}

// Shots that meet more than a walk has room for are done fewer at a time, and those of many kinds and moments apart.
START_TEST(shots_of_a_call_do_not_depend_on_one_another) {
    for (int simd = RF_SIMD_SCALAR; simd < RF_SIMD_COUNT; simd++) {
        rf_space_def def = rf_space_def_default();
        rf_hits together = rf_hits_new(rf_allocator_default(), SIZE_MAX), alone = together;
        rf_shot shots[200];
        rf_answer answers[200], answer;
        rf_space *space;
        def.simd = (rf_simd)simd;
        if (!rf_simd_available(def.simd)) continue;
        ck_assert_int_eq(rf_space_new(&def, &space), RF_OK);
        for (uint32_t key = 0; key < 1000; key++) {
            char id[8];
            snprintf(id, sizeof id, "%u", 1000 + key);
            put(space, key, id, rf_collider_sphere(1 + key * 1e-6), key * 1e-3, 0, 0);
        }
        ck_assert_int_eq(rf_space_commit(space, 1, 0), RF_OK);
        ck_assert_int_eq(rf_space_commit(space, 2, 10), RF_OK);
        for (size_t i = 0; i < 200; i++) {
            shots[i] = (rf_shot){.origin = {-5, (double)i / 200, 0}, .direction = {1, 0, 0}, .range = 10};
            if (i >= 100 && i % 7 == 0) shots[i].kind = i % 2 ? RF_SHOT_ALL : RF_SHOT_PIERCE;
            if (i >= 100 && i % 5 == 0) shots[i].moment = (rf_moment){RF_AT_TIME, (double)(i % 11)};
            if (i >= 100 && i % 13 == 0) shots[i].range = -1;
        }
        ck_assert_int_eq(rf_cast(space, shots, 200, answers, &together), RF_OK);
        for (size_t i = 0; i < 200; i++) {
            alone.len = 0;
            ck_assert_int_eq(rf_cast(space, &shots[i], 1, &answer, &alone), RF_OK);
            REQUIRE(answers[i].status == answer.status && answers[i].count == answer.count);
            REQUIRE(answers[i].seq == answer.seq && answers[i].blend == answer.blend);
            REQUIRE(answer.status != RF_OK || answer.count > 0);
            REQUIRE(same_hits(together.items + answers[i].first, alone.items, answer.count));
        }
        rf_hits_free(&together);
        rf_hits_free(&alone);
        rf_space_free(space);
    }
}
END_TEST

START_TEST(openings_between_sectors) {
    rf_space *space = new_space();
    rf_collider box = rf_collider_box(0.5, 2), none = {0};
    rf_wall wall = {.z1 = -3, .z2 = 3, .bottom = -INFINITY, .top = INFINITY, .back = 1, .layers = 1};
    ck_assert_int_eq(rf_space_add_sector(space, (rf_sector){0, 4}, NULL), RF_OK);
    ck_assert_int_eq(rf_space_add_sector(space, (rf_sector){1, 3}, NULL), RF_OK);
    ck_assert_int_eq(rf_space_add_wall(space, &wall, NULL), RF_OK);
    ck_assert(blocked(space, 0.99, none) && !blocked(space, 1, none) && !blocked(space, 3, none));
    ck_assert(blocked(space, 3.01, none));
    ck_assert(!blocked(space, 1, box)); // just fits
    ck_assert(blocked(space, 0.999, box) && blocked(space, 1.001, box));
    ck_assert_int_eq(rf_space_set_sector(space, 1, (rf_sector){0, 3}), RF_OK); // level floors: open downwards
    ck_assert(!blocked(space, -7, none) && blocked(space, 3.01, none));
    ck_assert_int_eq(rf_space_set_sector(space, 1, (rf_sector){0, 0}), RF_OK); // a closed door
    ck_assert(blocked(space, 0.01, none) && blocked(space, 1, box));
    ck_assert_int_eq(rf_space_set_sector(space, 1, (rf_sector){0, 4}), RF_OK); // nothing at all
    ck_assert(!blocked(space, 9, none) && !blocked(space, -9, box));
    rf_space_clear_statics(space);
    wall.bottom = 1; // where the higher floor is, and the lower ceiling: nothing of it is left
    wall.top = 3;
    ck_assert_int_eq(rf_space_add_sector(space, (rf_sector){0, 4}, NULL), RF_OK);
    ck_assert_int_eq(rf_space_add_sector(space, (rf_sector){1, 3}, NULL), RF_OK);
    ck_assert_int_eq(rf_space_add_wall(space, &wall, NULL), RF_OK);
    ck_assert(!blocked(space, 0, box) && !blocked(space, 1, box) && !blocked(space, 2, box));
    rf_space_clear_statics(space);
    for (int upper = 0; upper < 2; upper++) {
        rf_wall step = wall; // its end is that of a step, along which a ray passes
        step.bottom = upper ? 3 : 0;
        step.top = upper ? 4 : 1;
        ck_assert_int_eq(rf_space_add_sector(space, (rf_sector){0, 4}, NULL), RF_OK);
        ck_assert_int_eq(rf_space_add_sector(space, upper ? (rf_sector){0, 3} : (rf_sector){1, 4}, NULL), RF_OK);
        ck_assert_int_eq(rf_space_add_wall(space, &step, NULL), RF_OK);
        ck_assert(upper ? blocked(space, 3.01, none) && !blocked(space, 3, none)
                        : blocked(space, 0.99, none) && !blocked(space, 1, none));
        rf_space_clear_statics(space);
    }
    ck_assert(!blocked(space, 1, box));
    rf_space_free(space);
}
END_TEST

START_TEST(a_ray_reaches_what_is_where_it_ends) {
    rf_wall wall = {.z1 = -3, .z2 = 3, .bottom = -INFINITY, .top = INFINITY, .back = RF_NO_SECTOR, .layers = 1};
    rf_hits hits = rf_hits_new(rf_allocator_default(), SIZE_MAX);
    for (int target = 0; target < 2; target++) {
        rf_space *space = new_space();
        rf_shot whole = ray(-5, 0, 0.25, 1, 0, 0, 5), less = ray(-5, 0, 0.25, 1, 0, 0, 4.999);
        if (target)
            put(space, 0, "box", rf_collider_box(1, 2), 1, -1, 0);
        else
            ck_assert_int_eq(rf_space_add_wall(space, &wall, NULL), RF_OK);
        ck_assert_uint_eq(cast_one(space, &whole, &hits).count, 1);
        ck_assert(hits.items[0].t == 1);
        ck_assert_uint_eq(cast_one(space, &less, &hits).count, 0);
        rf_space_free(space);
    }
    rf_hits_free(&hits);
}
END_TEST

// Walls that share a corner have no gap there, and triangles that share an edge neither.
START_TEST(no_ray_slips_between_neighbours) {
    rf_space *space = new_space();
    uint64_t state = 5;
    rf_hits hits = rf_hits_new(rf_allocator_default(), SIZE_MAX);
    double corner[2][2] = {{10, 0.3}, {9.7, 8}};
    rf_wall wall = {.x1 = 9, .z1 = -8, .x2 = 10, .z2 = 0.3, .bottom = -INFINITY, .top = INFINITY, .layers = 1};
    double first[3][3] = {{-9, 0.1, 0.2}, {-10, 9, 0.7}, {-9.5, 4, 9}};
    double second[3][3] = {{-9, 0.1, 0.2}, {-9.8, 3, -9}, {-10, 9, 0.7}};
    wall.back = RF_NO_SECTOR;
    ck_assert_int_eq(rf_space_add_wall(space, &wall, NULL), RF_OK);
    wall.x1 = corner[0][0];
    wall.z1 = corner[0][1];
    wall.x2 = corner[1][0];
    wall.z2 = corner[1][1];
    ck_assert_int_eq(rf_space_add_wall(space, &wall, NULL), RF_OK);
    ck_assert_int_eq(rf_space_add_triangle(space, (const double(*)[3])first, 1, NULL), RF_OK);
    ck_assert_int_eq(rf_space_add_triangle(space, (const double(*)[3])second, 1, NULL), RF_OK);
    for (int n = 0; n < 20000; n++) {
        double share = random_between(&state, 0.01, 0.99), aim[3] = {10, random_between(&state, -1, 1), 0.3};
        rf_shot shot = {.range = 30};
        if (n % 2)
            for (int i = 0; i < 3; i++) aim[i] = first[0][i] + (first[1][i] - first[0][i]) * share;
        for (int i = 0; i < 3; i++) {
            shot.origin[i] = random_between(&state, -2, 2);
            shot.direction[i] = aim[i] - shot.origin[i];
        }
        REQUIRE(cast_one(space, &shot, &hits).count == 1);
    }
    rf_hits_free(&hits);
    rf_space_free(space);
}
END_TEST

// However thin the target and however fast the shot: what it passes, it hits.
START_TEST(nothing_is_tunnelled_through) {
    uint64_t state = 31;
    rf_hits hits = rf_hits_new(rf_allocator_default(), SIZE_MAX);
    for (int n = 0; n < 5000; n++) {
        rf_space *space = new_space();
        rf_collider thin = {.kind = RF_COLLIDER_BOX, .centred = true, .half = {1, 1, 1}};
        rf_shot shot = {.range = exp(random_between(&state, log(10), log(1e9)))};
        double at[3], length = 0, distance = random_between(&state, 0, 0.9);
        thin.half[next_random(&state) % 3] = 1e-6;
        for (int i = 0; i < 3; i++) {
            at[i] = random_between(&state, -1000, 1000);
            shot.direction[i] = random_between(&state, -1, 1);
            length += shot.direction[i] * shot.direction[i];
        }
        distance *= fmin(shot.range, 1e5);
        for (int i = 0; i < 3; i++) shot.origin[i] = at[i] - shot.direction[i] / sqrt(length) * distance;
        if (n % 3 == 1) shot.collider = (rf_collider){.kind = RF_COLLIDER_SPHERE, .centred = true, .radius = 0.01};
        if (n % 3 == 2)
            shot.collider = (rf_collider){.kind = RF_COLLIDER_BOX, .centred = true, .half = {.01, .02, .03}};
        if (n % 2) {
            put(space, 0, "thin", thin, at[0], at[1], at[2]);
        } else {
            rf_wall wall = {.x1 = at[0] - 1, .z1 = at[2] - 2, .x2 = at[0] + 1, .z2 = at[2] + 2, .layers = 1};
            wall.bottom = at[1] - 1;
            wall.top = at[1] + 1;
            wall.back = RF_NO_SECTOR;
            ck_assert_int_eq(rf_space_add_wall(space, &wall, NULL), RF_OK);
        }
        REQUIRE_MSG(cast_one(space, &shot, &hits).count == 1, "shot %d of range %g passed through", n, shot.range);
        REQUIRE(fabs(hits.items[0].distance - distance) < 3);
        rf_space_free(space);
    }
    rf_hits_free(&hits);
}
END_TEST

// A wall or a triangle around a point: upright along `along`, or level.
static void put_around(rf_space *space, const double at[3], const double along[3], bool level, bool triangle) {
    static const double flat[3][3] = {{0, 0, -90}, {90, 0, 90}, {-90, 0, 90}};
    static const double high[3] = {-90, -90, 900}, side[3] = {-9, 9, 0};
    double corners[3][3];
    rf_wall wall = {.bottom = -INFINITY, .top = INFINITY, .back = RF_NO_SECTOR, .layers = 1};
    for (int corner = 0; corner < 3; corner++)
        for (int i = 0; i < 3; i++)
            corners[corner][i] =
                at[i] + (level ? flat[corner][i] : along[i] * side[corner] + (i == 1 ? high[corner] : 0));
    wall.x1 = corners[0][0];
    wall.z1 = corners[0][2];
    wall.x2 = corners[1][0];
    wall.z2 = corners[1][2];
    if (triangle)
        ck_assert_int_eq(rf_space_add_triangle(space, (const double(*)[3])corners, 1, NULL), RF_OK);
    else
        ck_assert_int_eq(rf_space_add_wall(space, &wall, NULL), RF_OK);
}

// A shape may be flat or a stick, and with what it meets a body without thickness, between planes that are one.
START_TEST(nothing_flat_is_tunnelled_through) {
    static const double halves[6][3] = {{0, 1, 0}, {1, 0, 1}, {0, 1, 1}, {1, 1, 0}, {1, 0, 0}, {0, 0, 1}};
    uint64_t state = 32;
    rf_hits hits = rf_hits_new(rf_allocator_default(), SIZE_MAX);
    for (int n = 0; n < 20000; n++) {
        rf_space *space;
        rf_shot shot = {.range = random_between(&state, 20, 400)};
        double at[3], along[3] = {0}, angle = n % 4 == 0 ? 0 : n % 4 == 1 ? acos(-1) / 2 : random_between(&state, 0, 7);
        double distance = random_between(&state, 3, shot.range / 2);
        bool level = n % 4 == 3;
        along[0] = n % 4 == 1 ? 0 : cos(angle);
        along[2] = sin(angle);
        shot.collider = (rf_collider){.kind = RF_COLLIDER_BOX, .centred = true};
        memcpy(shot.collider.half, halves[next_random(&state) % 6], sizeof shot.collider.half);
        random_point(&state, 1000, at);
        random_point(&state, 1, shot.direction);
        if (level) shot.direction[1] = shot.direction[1] < 0 ? -1 : 1;
        // Nearly along the wall it would go past it.
        if (!level && fabs(shot.direction[0] * along[2] - shot.direction[2] * along[0]) < 0.3) continue;
        for (int i = 0; i < 3; i++) shot.origin[i] = at[i] - shot.direction[i] * distance / 2;
        space = new_space();
        put_around(space, at, along, level, level || n / 4 % 2);
        REQUIRE_MSG(cast_one(space, &shot, &hits).count == 1, "shot %d passed through", n);
        rf_space_free(space);
    }
    rf_hits_free(&hits);
}
END_TEST

// A ray that starts on a wall or on a triangle hits it at 0, and not at -0, whichever way it goes.
START_TEST(no_time_is_negative_zero) {
    rf_space *space = new_space();
    rf_hits hits = rf_hits_new(rf_allocator_default(), SIZE_MAX);
    rf_wall wall = {.x1 = -1, .x2 = 1, .bottom = -2, .top = 2, .back = RF_NO_SECTOR, .layers = 1};
    double corners[3][3] = {{9, -1, -1}, {9, 3, 0}, {9, -1, 1}};
    ck_assert_int_eq(rf_space_add_wall(space, &wall, NULL), RF_OK);
    ck_assert_int_eq(rf_space_add_triangle(space, (const double(*)[3])corners, 1, NULL), RF_OK);
    for (int i = 0; i < 4; i++) {
        double way = i % 2 ? 1 : -1;
        rf_shot shot = i < 2 ? ray(0, 0, 0, 0, 0, way, 5) : ray(9, 0, 0, way, 0, 0, 5);
        ck_assert_uint_eq(cast_one(space, &shot, &hits).count, 1);
        ck_assert(hits.items[0].t == 0 && !signbit(hits.items[0].t));
        ck_assert(hits.items[0].distance == 0 && !signbit(hits.items[0].distance));
    }
    rf_hits_free(&hits);
    rf_space_free(space);
}
END_TEST

// --- what can't be answered

START_TEST(bad_shots_get_a_status_and_the_rest_is_answered) {
    rf_space *space = new_space();
    rf_hits hits = rf_hits_new(rf_allocator_default(), SIZE_MAX);
    rf_shot good = ray(0, 1, 0, 1, 0, 0, 20), shots[40];
    rf_status expected[40];
    rf_answer answers[40];
    size_t n = 0;
    char owner[300] = {0};
    put(space, 1, "tom", rf_collider_box(0.5, 2), 10, 0, 0);
#define BAD(change, status)                                                                                            \
    do {                                                                                                               \
        shots[n] = good;                                                                                               \
        shots[n].change;                                                                                               \
        expected[n++] = status;                                                                                        \
    } while (0)
    BAD(range = 20, RF_OK);
    BAD(origin[0] = NAN, RF_NUMBER_OUT_OF_RANGE);
    BAD(origin[2] = INFINITY, RF_NUMBER_OUT_OF_RANGE);
    BAD(origin[1] = 2e9, RF_NUMBER_OUT_OF_RANGE);
    BAD(direction[1] = NAN, RF_NUMBER_OUT_OF_RANGE);
    BAD(direction[1] = -INFINITY, RF_NUMBER_OUT_OF_RANGE);
    BAD(direction[0] = 0, RF_ZERO_DIRECTION);
    BAD(range = -1, RF_NUMBER_OUT_OF_RANGE);
    BAD(range = NAN, RF_NUMBER_OUT_OF_RANGE);
    BAD(range = INFINITY, RF_NUMBER_OUT_OF_RANGE);
    BAD(collider = rf_collider_sphere(-1), RF_INVALID_COLLIDER);
    BAD(collider = rf_collider_sphere(NAN), RF_NUMBER_OUT_OF_RANGE);
    BAD(collider = rf_collider_box(-1, 1), RF_INVALID_COLLIDER);
    BAD(collider = rf_collider_capsule(1, 3), RF_INVALID_COLLIDER);
    for (int i = 0; i < 3; i++) {
        good.collider = rf_collider_box(0.5, 1);
        BAD(collider.half[i] = -0.5, RF_INVALID_COLLIDER);
        BAD(collider.half[i] = NAN, RF_NUMBER_OUT_OF_RANGE);
        BAD(collider.half[i] = INFINITY, RF_NUMBER_OUT_OF_RANGE);
        BAD(collider.half[i] = 0.25, RF_OK);
    }
    good.collider = (rf_collider){0};
    BAD(collider.kind = (rf_collider_kind)9, RF_INVALID_COLLIDER);
    BAD(kind = (rf_shot_kind)9, RF_INVALID_ARGUMENT);
    BAD(moment = ((rf_moment){RF_AT_TIME, 5}), RF_UNKNOWN_MOMENT);
    BAD(moment = ((rf_moment){(rf_moment_kind)7, 5}), RF_INVALID_ARGUMENT);
    BAD(owner = ((rf_str){owner, 300}), RF_INVALID_ID);
    BAD(direction[0] = 1e-300, RF_OK);
    ck_assert_int_eq(rf_cast(space, shots, n, answers, &hits), RF_OK);
    for (size_t i = 0; i < n; i++) {
        ck_assert_msg(answers[i].status == expected[i], "shot %zu: %s", i, rf_status_name(answers[i].status));
        ck_assert_uint_eq(answers[i].count, expected[i] == RF_OK);
    }
    rf_hits_free(&hits);
    rf_space_free(space);
}
END_TEST

START_TEST(bad_zones_get_a_status_too) {
    rf_space *space = new_space();
    rf_hits hits = rf_hits_new(rf_allocator_default(), 1);
    rf_answer answers[5];
    rf_zone zones[5] = {{.collider = rf_collider_sphere(3)},
                        {.collider = rf_collider_sphere(-3)},
                        {.position = {NAN}},
                        {.moment = {RF_AT_SEQ, 1}},
                        {.collider = rf_collider_sphere(3)}};
    put(space, 1, "tom", rf_collider_box(0.5, 2), 2, 0, 0);
    ck_assert_int_eq(rf_overlap(space, zones, 5, answers, &hits), RF_OK);
    ck_assert_int_eq(answers[0].status, RF_OK);
    ck_assert_uint_eq(answers[0].count, 1);
    ck_assert_double_eq(hits.items[0].distance, sqrt(1.5 * 1.5 + 1));
    ck_assert_int_eq(answers[1].status, RF_INVALID_COLLIDER);
    ck_assert_int_eq(answers[2].status, RF_NUMBER_OUT_OF_RANGE);
    ck_assert_int_eq(answers[3].status, RF_UNKNOWN_MOMENT);
    ck_assert_int_eq(answers[4].status, RF_TOO_LARGE); // the limit of the list
    ck_assert_uint_eq(hits.len, 1);
    rf_hits_free(&hits);
    rf_space_free(space);
}
END_TEST

static void add(TCase *tests) {
    tcase_add_test(tests, shapes_against_round_boxes);
    tcase_add_test(tests, shapes_against_panels);
    tcase_add_test(tests, shapes_against_triangles);
    tcase_add_test(tests, random_casts_give_the_same_bits_on_every_path);
    tcase_add_test(tests, random_zones_find_who_touches_them);
    tcase_add_test(tests, a_hit_says_who_where_and_how);
    tcase_add_test(tests, ties_go_by_id);
    tcase_add_test(tests, owner_and_mask);
    tcase_add_test(tests, shots_of_a_call_do_not_depend_on_one_another);
    tcase_add_test(tests, openings_between_sectors);
    tcase_add_test(tests, a_ray_reaches_what_is_where_it_ends);
    tcase_add_test(tests, no_ray_slips_between_neighbours);
    tcase_add_test(tests, nothing_is_tunnelled_through);
    tcase_add_test(tests, nothing_flat_is_tunnelled_through);
    tcase_add_test(tests, no_time_is_negative_zero);
    tcase_add_test(tests, bad_shots_get_a_status_and_the_rest_is_answered);
    tcase_add_test(tests, bad_zones_get_a_status_too);
}

int main(void) {
    return run_tests("hit", add);
}
