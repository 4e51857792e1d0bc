// A scene that follows a world step by step must be as one that has just been made from it; and what counts as a
// target.
#include "support.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#pragma GCC diagnostic ignored "-Wformat-nonliteral"

static rf_scene *new_scene(rf_allocator allocator) {
    rf_space_def def = rf_space_def_default();
    rf_space *space;
    rf_scene *scene;
    rf_wall wall = {
        .x1 = 20, .z1 = -50, .x2 = 20, .z2 = 50, .bottom = -100, .top = 100, .front = 0, .back = 1, .layers = 1};
    def.allocator = allocator;
    if (rf_space_new(&def, &space) != RF_OK) return NULL;
    if (rf_space_add_sector(space, (rf_sector){0, 10}, NULL) != RF_OK ||
        rf_space_add_sector(space, (rf_sector){0, 2}, NULL) != RF_OK ||
        rf_space_add_wall(space, &wall, NULL) != RF_OK || rf_scene_new(allocator, space, &scene) != RF_OK) {
        rf_space_free(space);
        return NULL;
    }
    return scene;
}

// From the origin in many directions, as one text.
static char *cast_around(rf_scene *scene, char *out) {
    rf_hits hits = rf_hits_new(rf_allocator_default(), 100000);
    char *at = out;
    for (int i = 0; i < 64; i++) {
        rf_shot shot = {.kind = RF_SHOT_ALL,
                        .origin = {-30, 1, 0},
                        .direction = {1, (i % 4) * 0.03, (i / 4 - 8) * 0.06},
                        .range = 200};
        rf_answer answer;
        if (i % 3 == 0) shot.owner = STR("e1");
        if (i % 5 == 0) shot.mask = 2;
        hits.len = 0;
        ck_assert_int_eq(rf_cast(rf_scene_space(scene), &shot, 1, &answer, &hits), RF_OK);
        ck_assert_int_eq(answer.status, RF_OK);
        for (uint32_t k = 0; k < answer.count; k++)
            at += sprintf(at, "%d %.*s %u %a;", i, (int)hits.items[k].id.len,
                          hits.items[k].id.len ? hits.items[k].id.data : "",
                          hits.items[k].kind == RF_HIT_TARGET ? 0 : hits.items[k].number, hits.items[k].t);
    }
    *at = 0;
    rf_hits_free(&hits);
    return out;
}

static void fold(rf_world *world, const char *text) {
    rf_report report = fold_literal(world, text);
    ck_assert_msg(report.rejected_count == 0, "%s", text);
    rf_report_free(&report);
}

static const char *const shapes[] = {
    "{\"event\":\"create\",\"entity_id\":\"e%d\",\"components\":{\"position\":[%d,0,%d],\"collider\":{\"shape\":"
    "\"box\",\"radius\":1,\"height\":2}}}",
    "{\"event\":\"create\",\"entity_id\":\"e%d\",\"components\":{\"position\":[%d,0,%d],\"collider\":{\"shape\":"
    "\"sphere\",\"radius\":1.5,\"at\":\"centre\",\"layers\":2}}}",
    "{\"event\":\"create\",\"entity_id\":\"e%d\",\"components\":{\"position\":[%d,1,%d],\"collider\":{\"shape\":"
    "\"capsule\",\"radius\":0.5,\"height\":4},\"owner\":\"e1\"}}",
    "{\"event\":\"create\",\"entity_id\":\"e%d\",\"components\":{\"position\":[%d,0,%d],\"collider\":{\"shape\":"
    "\"box\",\"size\":[1,2,3],\"layers\":3}}}",
    "{\"event\":\"create\",\"entity_id\":\"e%d\",\"components\":{\"position\":[%d,0,%d],\"collider\":{\"shape\":"
    "\"cone\"}}}",
    "{\"event\":\"update\",\"entity_id\":\"e%d\",\"components\":{\"position\":[%d,0.5,%d]}}",
    "{\"event\":\"update\",\"entity_id\":\"e%d\",\"components\":{\"position\":[%d,0.5,%d]}}",
    "{\"event\":\"update\",\"entity_id\":\"e%d\",\"components\":{\"rotation\":[%d,%d,0,1]}}",
    "{\"event\":\"update\",\"entity_id\":\"e%d\",\"components\":{\"health\":%d,\"x\":%d}}",
    "{\"event\":\"update\",\"entity_id\":\"e%d\",\"components\":{\"health\":null,\"x\":[%d,%d]}}",
    "{\"event\":\"update\",\"entity_id\":\"e%d\",\"components\":{\"collider\":{\"shape\":\"box\",\"radius\":2,"
    "\"height\":1},\"x\":[%d,%d]}}",
    "{\"event\":\"update\",\"entity_id\":\"e%d\",\"components\":{\"collider\":null,\"x\":[%d,%d]}}",
    "{\"event\":\"update\",\"entity_id\":\"e%d\",\"components\":{\"collider\":{\"shape\":\"box\",\"radius\":-1,"
    "\"height\":1},\"x\":[%d,%d]}}",
    "{\"event\":\"update\",\"entity_id\":\"e%d\",\"components\":{\"state\":\"dead\",\"x\":[%d,%d]}}",
    "{\"event\":\"update\",\"entity_id\":\"e%d\",\"components\":{\"state\":null,\"owner\":\"e1\",\"x\":[%d,%d]}}",
    "{\"event\":\"delete\",\"entity_id\":\"e%d\",\"x\":[%d,%d]}",
    "{\"event\":\"delete\",\"entity_id\":\"e%d\",\"x\":[%d,%d]}",
    "{\"event\":\"create\",\"entity_id\":\"sector-%d\",\"components\":{\"ceiling\":%d,\"floor\":-%d}}",
    "{\"event\":\"update\",\"entity_id\":\"sector-%d\",\"components\":{\"ceiling\":null,\"floor\":%d.5,\"x\":%d}}",
    "{\"event\":\"delete\",\"entity_id\":\"sector-%d\",\"x\":[%d,%d]}",
};

static void random_event(rf_world *world, uint64_t *state) {
    char text[300];
    snprintf(text, sizeof text, shapes[next_random(state) % (sizeof shapes / sizeof *shapes)],
             (int)(next_random(state) % 8), (int)(next_random(state) % 60), (int)(next_random(state) % 20));
    fold(world, text);
}

START_TEST(following_is_as_good_as_starting_anew) {
    static char followed[100000], anew[100000];
    uint64_t state = 31;
    for (int round = 0; round < 40; round++) {
        rf_world *world = doom_world(rf_allocator_default());
        rf_scene *scene = new_scene(rf_allocator_default());
        for (int step = 0; step < 60; step++) {
            rf_scene *fresh = new_scene(rf_allocator_default());
            // Now and then more events than the history holds.
            unsigned events = next_random(&state) % 20 == 0 ? 1100 : (unsigned)(next_random(&state) % 6);
            for (unsigned i = 0; i < events; i++) random_event(world, &state);
            ck_assert_int_eq(rf_scene_follow(scene, world), RF_OK);
            ck_assert_int_eq(rf_scene_follow(fresh, world), RF_OK);
            ck_assert_str_eq(cast_around(scene, followed), cast_around(fresh, anew));
            rf_scene_free(fresh);
        }
        rf_scene_free(scene);
        rf_world_free(world);
    }
}
END_TEST

static const struct {
    const char *components;
    bool hit;
} looks[] = {
    {"\"position\":[0,0,0],\"collider\":{\"shape\":\"box\",\"radius\":1,\"height\":2}", true},
    {"\"position\":[0,0,0],\"collider\":{\"shape\":\"box\",\"size\":[2,2,2]}", true},
    {"\"position\":[0,0,0],\"collider\":{\"shape\":\"box\",\"size\":[2,2]}", false},
    {"\"position\":[0,0,0],\"collider\":{\"shape\":\"box\",\"radius\":1}", false},
    {"\"position\":[0,0,0],\"collider\":{\"shape\":\"sphere\",\"radius\":2}", true},
    {"\"position\":[0,1,0],\"collider\":{\"shape\":\"sphere\",\"radius\":2,\"at\":\"centre\"}", true},
    {"\"position\":[0,0,0],\"collider\":{\"shape\":\"sphere\",\"radius\":\"2\"}", false},
    {"\"position\":[0,0,0],\"collider\":{\"shape\":\"capsule\",\"radius\":1,\"height\":3}", true},
    {"\"position\":[0,0,0],\"collider\":{\"shape\":\"capsule\",\"radius\":-1,\"height\":3}", false},
    {"\"position\":[0,0,0],\"collider\":{\"shape\":\"disc\",\"radius\":1,\"height\":3}", false},
    {"\"position\":[0,0,0],\"collider\":[]", false},
    {"\"position\":[0,0,0]", false},
    {"\"collider\":{\"shape\":\"box\",\"radius\":1,\"height\":2}", false},
    {"\"position\":[1e30,0,0],\"collider\":{\"shape\":\"box\",\"radius\":1,\"height\":2}", false},
    {"\"position\":[0,0,0],\"collider\":{\"shape\":\"box\",\"radius\":1,\"height\":2},\"state\":\"dead\"", false},
    {"\"position\":[0,0,0],\"collider\":{\"shape\":\"box\",\"radius\":1,\"height\":2},\"state\":\"awake\"", true},
    {"\"position\":[0,0,0],\"collider\":{\"shape\":\"box\",\"radius\":1,\"height\":2},\"owner\":\"tom\"", false},
    {"\"position\":[0,0,0],\"collider\":{\"shape\":\"box\",\"radius\":1,\"height\":2,\"layers\":0}", false},
    {"\"position\":[0,0,0],\"collider\":{\"shape\":\"box\",\"radius\":1,\"height\":2,\"layers\":-1}", false},
    {"\"position\":[0,0,0],\"collider\":{\"shape\":\"box\",\"radius\":1,\"height\":2,\"layers\":4.0}", true},
};

START_TEST(what_can_be_hit) {
    rf_world *world = doom_world(rf_allocator_default());
    rf_scene *scene = new_scene(rf_allocator_default());
    rf_hits hits = rf_hits_new(rf_allocator_default(), 10);
    rf_shot shot = {.origin = {-10, 1, 0}, .direction = {1, 0, 0}, .range = 20, .owner = STR("tom")};
    rf_answer answer;
    char text[400];
    snprintf(text, sizeof text, "{\"event\":\"create\",\"entity_id\":\"a\",\"components\":{%s}}", looks[_i].components);
    fold(world, text);
    ck_assert_int_eq(rf_scene_follow(scene, world), RF_OK);
    rf_cast(rf_scene_space(scene), &shot, 1, &answer, &hits);
    ck_assert_msg((answer.count == 1) == looks[_i].hit, "%s", looks[_i].components);
    rf_hits_free(&hits);
    rf_scene_free(scene);
    rf_world_free(world);
}
END_TEST

// How far it is to the entity with these components from 10 before it along each axis; -1: it is not hit.
static void distances(const char *schema, const char *components, double out[3]) {
    static const rf_shot shots[3] = {{.origin = {-10, 1, 0}, .direction = {1, 0, 0}, .range = 20},
                                     {.origin = {0, 10, 0}, .direction = {0, -1, 0}, .range = 20},
                                     {.origin = {0, 1, -10}, .direction = {0, 0, 1}, .range = 20}};
    rf_world_def def = rf_world_def_default();
    rf_scene *scene = new_scene(rf_allocator_default());
    rf_hits hits = rf_hits_new(rf_allocator_default(), 10);
    rf_answer answers[3];
    rf_world *world;
    char text[1000];
    int len = snprintf(text, sizeof text, "{\"format\":\"roomfold-schema\",\"version\":1,\"components\":[%s]}", schema);
    ck_assert_int_eq(rf_schema_from_json(rf_allocator_default(), (rf_str){text, (size_t)len}, &def.schema, NULL),
                     RF_OK);
    ck_assert_int_eq(rf_world_new(&def, &world), RF_OK);
    rf_schema_release(def.schema);
    snprintf(text, sizeof text, "{\"event\":\"create\",\"entity_id\":\"a\",\"components\":{%s}}", components);
    fold(world, text);
    ck_assert_int_eq(rf_scene_follow(scene, world), RF_OK);
    ck_assert_int_eq(rf_cast(rf_scene_space(scene), shots, 3, answers, &hits), RF_OK);
    ck_assert_uint_eq(rf_space_count(rf_scene_space(scene)), answers[0].count); // not even a point where it is
    for (int i = 0; i < 3; i++) out[i] = answers[i].count == 1 ? hits.items[answers[i].first].t * shots[i].range : -1;
    rf_hits_free(&hits);
    rf_scene_free(scene);
    rf_world_free(world);
}

#define BALL "\"collider\":{\"shape\":\"sphere\",\"radius\":1,\"at\":\"centre\"}"
#define F64 "{\"name\":\"position\",\"type\":\"f64\",\"count\":3}"
#define TERM(name) "{\"name\":\"" name "\",\"type\":\"term\"}"
#define STRING(name) "{\"name\":\"" name "\",\"type\":\"string\"}"

static const struct {
    const char *schema, *components;
    bool hit;
} declared[] = {
    {"", "\"position\":[0,1,0]," BALL, true},
    {"", "\"position\":[0.0,1.0,0.0]," BALL, true},
    {"", "\"position\":[0,1]," BALL, false},
    {"", "\"position\":[0,1,0,0]," BALL, false},
    {"", "\"position\":[0,\"1\",0]," BALL, false},
    {"", "\"position\":[0,1,null]," BALL, false},
    {"", "\"position\":{\"x\":0,\"y\":1,\"z\":0}," BALL, false},
    {"", "\"position\":1," BALL, false},
    {TERM("position"), "\"position\":[0,1,0]," BALL, true},
    {F64, "\"position\":[0,1,0]," BALL, true},
    {F64 "," TERM("collider"), "\"position\":[0,1,0]," BALL, true},
    {F64 "," STRING("collider"), "\"position\":[0,1,0],\"collider\":\"sphere\"", false},
    {STRING("position"), "\"position\":\"here\"," BALL, false},
    {"{\"name\":\"position\",\"type\":\"i64\"}", "\"position\":1," BALL, false},
    {"{\"name\":\"position\",\"type\":\"f32\"}", "\"position\":1," BALL, false},
    {"{\"name\":\"position\",\"type\":\"f32\",\"count\":4}", "\"position\":[0,1,0,1]," BALL, false},
    {"{\"name\":\"position\",\"type\":\"f64\",\"count\":2}", "\"position\":[0,1]," BALL, false},
    {F64 "," STRING("state"), "\"position\":[0,1,0],\"state\":\"dead\"," BALL, false},
    {F64 "," TERM("state"), "\"position\":[0,1,0],\"state\":\"dead\"," BALL, false},
    {F64, "\"position\":[0,1,0],\"state\":\"dead\"," BALL, false},
    {F64 "," STRING("state"), "\"position\":[0,1,0],\"state\":\"dea\"," BALL, true},
    {F64, "\"position\":[0,1,0],\"state\":[\"dead\"]," BALL, true},
    {F64 ",{\"name\":\"state\",\"type\":\"i64\"}", "\"position\":[0,1,0],\"state\":4," BALL, true},
};

// Components count whatever a schema declares them as, if they are what they should be.
START_TEST(whatever_a_schema_declares) {
    double at[3];
    distances(declared[_i].schema, declared[_i].components, at);
    for (int i = 0; i < 3; i++) {
        double expected = !declared[_i].hit ? -1 : i == 1 ? 8 : 9;
        ck_assert_msg(fabs(at[i] - expected) < 1e-9, "%s: %g along %d", declared[_i].components, at[i], i);
    }
}
END_TEST

static const struct {
    const char *collider;
    double at[3];
} sizes[] = {
    {"\"shape\":\"box\",\"size\":[2,4,6]", {9, 6, 7}},
    {"\"shape\":\"box\",\"size\":[2,4,6],\"at\":\"centre\"", {9, 8, 7}},
    {"\"shape\":\"box\",\"size\":[2,4,6],\"at\":\"feet\"", {9, 6, 7}},
    {"\"shape\":\"box\",\"size\":[2.0,4,\"6\"]", {-1, -1, -1}},
    {"\"shape\":\"box\",\"radius\":2,\"height\":3", {8, 7, 8}},
    {"\"shape\":\"box\",\"radius\":2,\"height\":4,\"at\":\"centre\"", {8, 8, 8}},
    {"\"shape\":\"box\",\"height\":4", {-1, -1, -1}},
    {"\"shape\":\"sphere\",\"radius\":1", {9, 8, 9}},
    {"\"shape\":\"sphere\"", {-1, -1, -1}},
    {"\"shape\":\"capsule\",\"radius\":1,\"height\":5", {9, 5, 9}},
    {"\"shape\":\"capsule\",\"radius\":1,\"height\":6,\"at\":\"centre\"", {9, 7, 9}},
    {"\"shape\":\"capsule\",\"height\":5", {-1, -1, -1}},
    {"\"shape\":\"capsule\",\"radius\":1", {-1, -1, -1}},
    {"\"shape\":1,\"radius\":1,\"height\":2", {-1, -1, -1}},
};

// A collider is as long along each axis as it says, from the entity's feet or around it.
START_TEST(sizes_of_colliders) {
    char components[200];
    double at[3];
    snprintf(components, sizeof components, "\"position\":[0,0,0],\"collider\":{%s}", sizes[_i].collider);
    distances(F64, components, at);
    for (int i = 0; i < 3; i++)
        ck_assert_msg(fabs(at[i] - sizes[_i].at[i]) < 1e-9, "%s: %g along %d", sizes[_i].collider, at[i], i);
}
END_TEST

START_TEST(the_living_are_in_a_layer_of_their_own) {
    rf_world *world = doom_world(rf_allocator_default());
    rf_scene *scene = new_scene(rf_allocator_default());
    rf_hits hits = rf_hits_new(rf_allocator_default(), 10);
    rf_shot shot = {.origin = {-10, 1, 0}, .direction = {1, 0, 0}, .range = 20, .mask = RF_LAYER_LIVING};
    const char *const healths[] = {"", ",\"health\":7", ",\"health\":null"};
    rf_answer answer;
    for (int i = 0; i < 3; i++) {
        char text[300];
        snprintf(text, sizeof text,
                 "{\"event\":\"%s\",\"entity_id\":\"a\",\"components\":{\"position\":[0,0,0],"
                 "\"collider\":{\"shape\":\"box\",\"radius\":1,\"height\":2}%s}}",
                 i == 0 ? "create" : "update", healths[i]);
        fold(world, text);
        ck_assert_int_eq(rf_scene_follow(scene, world), RF_OK);
        rf_cast(rf_scene_space(scene), &shot, 1, &answer, &hits);
        ck_assert_uint_eq(answer.count, i == 1);
    }
    rf_hits_free(&hits);
    rf_scene_free(scene);
    rf_world_free(world);
}
END_TEST

START_TEST(remembers_where_things_were) {
    rf_world *world = doom_world(rf_allocator_default());
    rf_scene *scene = new_scene(rf_allocator_default());
    rf_hits hits = rf_hits_new(rf_allocator_default(), 10);
    rf_shot shot = {.origin = {4, 1, -10}, .direction = {0, 0, 1}, .range = 20, .moment = {RF_AT_TIME, 1050}};
    rf_answer answer;
    fold(world, "{\"event\":\"create\",\"entity_id\":\"a\",\"components\":{\"position\":[0,0,0],\"collider\":{"
                "\"shape\":\"box\",\"radius\":1,\"height\":2}}}");
    ck_assert_int_eq(rf_scene_mark(scene, world, 1000), RF_OK);
    fold(world, "{\"event\":\"update\",\"entity_id\":\"a\",\"components\":{\"position\":[8,0,0]}}");
    ck_assert_int_eq(rf_scene_mark(scene, world, 1100), RF_OK);
    ck_assert_int_eq(rf_scene_mark(scene, world, 1099), RF_INVALID_ARGUMENT);
    ck_assert_int_eq(rf_scene_mark(scene, world, 1100), RF_OK);
    ck_assert_int_eq(rf_scene_mark(scene, world, 1200), RF_OK); // nothing has changed, time has
    rf_cast(rf_scene_space(scene), &shot, 1, &answer, &hits);
    ck_assert_uint_eq(answer.count, 1);
    ck_assert_uint_eq(answer.seq, 1);
    ck_assert_double_eq(answer.blend, 0.5);
    shot.moment = (rf_moment){RF_AT_TIME, 1150};
    rf_cast(rf_scene_space(scene), &shot, 1, &answer, &hits);
    ck_assert_int_eq(answer.status, RF_OK);
    ck_assert_uint_eq(answer.count, 0);
    shot.moment = (rf_moment){RF_AT_TIME, 1201};
    rf_cast(rf_scene_space(scene), &shot, 1, &answer, &hits);
    ck_assert_int_eq(answer.status, RF_UNKNOWN_MOMENT);
    rf_hits_free(&hits);
    rf_scene_free(scene);
    rf_world_free(world);
}
END_TEST

static bool hit_at(rf_scene *scene, double x, double time) {
    rf_hits hits = rf_hits_new(rf_allocator_default(), 10);
    rf_shot shot = {.origin = {x, 1, -10}, .direction = {0, 0, 1}, .range = 20, .moment = {RF_AT_TIME, time}};
    rf_answer answer;
    rf_cast(rf_scene_space(scene), &shot, 1, &answer, &hits);
    ck_assert_int_eq(answer.status, RF_OK);
    rf_hits_free(&hits);
    return answer.count > 0;
}

// Whoever looked at the scene in between, and however much has happened.
START_TEST(who_is_the_same_entity_moves_between_two_states) {
    rf_world *world = doom_world(rf_allocator_default());
    rf_scene *scene = new_scene(rf_allocator_default());
    fold(world, "{\"event\":\"create\",\"entity_id\":\"a\",\"components\":{\"position\":[0,0,0],\"collider\":{"
                "\"shape\":\"box\",\"radius\":1,\"height\":2}}}");
    ck_assert_int_eq(rf_scene_mark(scene, world, 1000), RF_OK);
    fold(world, "{\"event\":\"update\",\"entity_id\":\"a\",\"components\":{\"state\":\"dead\"}}");
    ck_assert_int_eq(rf_scene_follow(scene, world), RF_OK);
    ck_assert_uint_eq(rf_space_count(rf_scene_space(scene)), 0);
    fold(world, "{\"event\":\"update\",\"entity_id\":\"a\",\"components\":{\"state\":null,\"position\":[8,0,0]}}");
    ck_assert_int_eq(rf_scene_mark(scene, world, 1100), RF_OK);
    ck_assert(hit_at(scene, 4, 1050) && !hit_at(scene, 0, 1050));
    for (int i = 0; i < 1100; i++) // more than the history holds
        fold(world, "{\"event\":\"update\",\"entity_id\":\"nobody\",\"components\":{\"health\":1}}");
    fold(world, "{\"event\":\"update\",\"entity_id\":\"a\",\"components\":{\"position\":[16,0,0]}}");
    ck_assert_int_eq(rf_scene_mark(scene, world, 1200), RF_OK);
    ck_assert(hit_at(scene, 12, 1150) && !hit_at(scene, 8, 1150));
    fold(world, "{\"event\":\"create\",\"entity_id\":\"a\",\"components\":{\"position\":[24,0,0],\"collider\":{"
                "\"shape\":\"box\",\"radius\":1,\"height\":2}}}");
    ck_assert_int_eq(rf_scene_mark(scene, world, 1300), RF_OK);
    ck_assert(!hit_at(scene, 20, 1250) && hit_at(scene, 16, 1250)); // another one
    rf_scene_free(scene);
    rf_world_free(world);
}
END_TEST

static rf_sector sector_of(rf_scene *scene, const rf_world *world, uint32_t number) {
    rf_sector out;
    ck_assert_int_eq(rf_scene_follow(scene, world), RF_OK);
    ck_assert(rf_space_sector(rf_scene_space(scene), number, &out));
    return out;
}

START_TEST(entities_move_sectors) {
    static const char *const strange[] = {
        "sector-",   "sector",    "sector-/",          "sector-:",        "sector-1:",        "sector-1/",
        "sector-+1", "sector- 1", "sector-4294967297", "sector-99999999", "sector-100000001", "Sector-1",
        "sector_1",  "sector-1&", "sector-1'",         "sector-2"};
    rf_world *world = doom_world(rf_allocator_default());
    rf_scene *scene = new_scene(rf_allocator_default());
    fold(world, "{\"event\":\"create\",\"entity_id\":\"sector-1\",\"components\":{\"ceiling\":4}}");
    ck_assert_double_eq(sector_of(scene, world, 1).ceiling, 4);
    ck_assert_double_eq(sector_of(scene, world, 1).floor, 0);
    // Out of range: as if it were not said, whatever it was before.
    fold(world, "{\"event\":\"update\",\"entity_id\":\"sector-1\",\"components\":{\"ceiling\":2e9,\"floor\":-1}}");
    ck_assert_double_eq(sector_of(scene, world, 1).ceiling, 2);
    ck_assert_double_eq(sector_of(scene, world, 1).floor, -1);
    // Another one, whatever it looks like.
    fold(world, "{\"event\":\"create\",\"entity_id\":\"sector-01\",\"components\":{\"ceiling\":9}}");
    ck_assert_double_eq(sector_of(scene, world, 1).ceiling, 2);
    // No numbers, or none that there is.
    for (size_t i = 0; i < sizeof strange / sizeof *strange; i++) {
        char text[200];
        snprintf(text, sizeof text, "{\"event\":\"create\",\"entity_id\":\"%s\",\"components\":{\"ceiling\":9}}",
                 strange[i]);
        fold(world, text);
        ck_assert_double_eq(sector_of(scene, world, 0).ceiling, 10);
        ck_assert_double_eq(sector_of(scene, world, 1).ceiling, 2);
    }
    fold(world, "{\"event\":\"create\",\"entity_id\":\"sector-0\",\"components\":{\"ceiling\":9}}");
    ck_assert_double_eq(sector_of(scene, world, 0).ceiling, 9);
    fold(world, "{\"event\":\"delete\",\"entity_id\":\"sector-0\"}");
    // A lift that can be hit is both.
    fold(world, "{\"event\":\"update\",\"entity_id\":\"sector-1\",\"components\":{\"ceiling\":6,\"position\":[0,0,0],"
                "\"collider\":{\"shape\":\"box\",\"radius\":1,\"height\":1}}}");
    ck_assert_double_eq(sector_of(scene, world, 1).ceiling, 6);
    fold(world, "{\"event\":\"update\",\"entity_id\":\"sector-1\",\"components\":{\"ceiling\":7}}");
    ck_assert_double_eq(sector_of(scene, world, 1).ceiling, 7);
    ck_assert_uint_eq(rf_space_count(rf_scene_space(scene)), 1);
    // A sector that is added only now is moved by who is there already.
    fold(world, "{\"event\":\"create\",\"entity_id\":\"sector-2\",\"components\":{\"floor\":3}}");
    ck_assert_int_eq(rf_scene_follow(scene, world), RF_OK);
    ck_assert_int_eq(rf_space_add_sector(rf_scene_space(scene), (rf_sector){0, 5}, NULL), RF_OK);
    ck_assert_double_eq(sector_of(scene, world, 2).floor, 3);
    rf_space_clear_statics(rf_scene_space(scene));
    ck_assert_int_eq(rf_space_add_sector(rf_scene_space(scene), (rf_sector){1, 8}, NULL), RF_OK);
    ck_assert_double_eq(sector_of(scene, world, 0).ceiling, 8);
    rf_scene_free(scene);
    rf_world_free(world);
}
END_TEST

// As many sectors as before, or more, that have nothing to do with the old ones.
START_TEST(another_level_has_heights_of_its_own) {
    for (uint32_t more = 0; more < 2; more++) {
        rf_world *world = doom_world(rf_allocator_default());
        rf_scene *scene = new_scene(rf_allocator_default());
        rf_space *space = rf_scene_space(scene);
        uint32_t count = rf_space_sectors(space) + more;
        fold(world, "{\"event\":\"create\",\"entity_id\":\"sector-1\",\"components\":{\"ceiling\":4}}");
        ck_assert_double_eq(sector_of(scene, world, 1).ceiling, 4);
        rf_space_clear_statics(space);
        for (uint32_t i = 0; i < count; i++)
            ck_assert_int_eq(rf_space_add_sector(space, (rf_sector){10, 20}, NULL), RF_OK);
        // Who moved a sector of the old level moves the one of this number now.
        ck_assert_double_eq(sector_of(scene, world, 1).ceiling, 4);
        ck_assert_double_eq(sector_of(scene, world, 1).floor, 10);
        ck_assert_double_eq(sector_of(scene, world, 0).ceiling, 20);
        fold(world, "{\"event\":\"delete\",\"entity_id\":\"sector-1\"}");
        ck_assert_double_eq(sector_of(scene, world, 1).ceiling, 20);
        rf_scene_free(scene);
        rf_world_free(world);
    }
}
END_TEST

START_TEST(an_owner_that_is_no_id_is_none) {
    rf_world *world = doom_world(rf_allocator_default());
    rf_scene *scene = new_scene(rf_allocator_default());
    char text[700], owner[300];
    memset(owner, 'x', sizeof owner - 1);
    owner[sizeof owner - 1] = 0;
    snprintf(text, sizeof text,
             "{\"event\":\"create\",\"entity_id\":\"a\",\"components\":{\"position\":[0,0,0],\"owner\":\"%s\","
             "\"collider\":{\"shape\":\"box\",\"radius\":1,\"height\":2}}}",
             owner);
    fold(world, text);
    ck_assert_int_eq(rf_scene_follow(scene, world), RF_OK);
    ck_assert_uint_eq(rf_space_count(rf_scene_space(scene)), 1);
    rf_scene_free(scene);
    rf_world_free(world);
}
END_TEST

START_TEST(survives_every_failing_allocation) {
    bool done = false;
    for (long n = 1; !done; n++) {
        test_memory memory = {0};
        uint64_t state = 8;
        rf_world *world = doom_world(rf_allocator_default());
        rf_scene *scene;
        rf_status status = RF_NO_MEMORY;
        memory.fail_at = n;
        scene = new_scene(test_allocator(&memory));
        for (int i = 0; i < 300; i++) random_event(world, &state);
        if (scene) status = rf_scene_mark(scene, world, 5);
        done = status == RF_OK;
        ck_assert(done || status == RF_NO_MEMORY);
        memory.fail_at = 0;
        if (scene) ck_assert_int_eq(rf_scene_mark(scene, world, 5), RF_OK); // it can be tried again
        rf_scene_free(scene);
        ck_assert_int_eq(memory.blocks, 0);
        rf_world_free(world);
        ck_assert_int_lt(n, 200);
    }
}
END_TEST

static void add(TCase *tests) {
    tcase_add_test(tests, following_is_as_good_as_starting_anew);
    tcase_add_loop_test(tests, what_can_be_hit, 0, sizeof looks / sizeof *looks);
    tcase_add_loop_test(tests, whatever_a_schema_declares, 0, sizeof declared / sizeof *declared);
    tcase_add_loop_test(tests, sizes_of_colliders, 0, sizeof sizes / sizeof *sizes);
    tcase_add_test(tests, the_living_are_in_a_layer_of_their_own);
    tcase_add_test(tests, remembers_where_things_were);
    tcase_add_test(tests, who_is_the_same_entity_moves_between_two_states);
    tcase_add_test(tests, entities_move_sectors);
    tcase_add_test(tests, another_level_has_heights_of_its_own);
    tcase_add_test(tests, an_owner_that_is_no_id_is_none);
    tcase_add_test(tests, survives_every_failing_allocation);
}

int main(void) {
    return run_tests("scene", add);
}
