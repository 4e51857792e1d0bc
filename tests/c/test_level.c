// Levels from JSON: what they say, every error and where it is; and a real recording judged again in a real level.
#include "support.h"

#include <roomfold/level.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static rf_level *load(const char *text) {
    rf_level *level;
    rf_error error;
    ck_assert_int_eq(rf_level_from_json(rf_allocator_default(), (rf_str){text, strlen(text)}, 0.5, &level, &error),
                     RF_OK);
    return level;
}

START_TEST(sectors_and_lines) {
    rf_level *level =
        load("{\"x\":{\"a\":[1,{}]},\"lines\":[{\"i\":7,\"x1\":1,\"y1\":2,\"x2\":3.5,\"y2\":-4,\"front\":1,"
             "\"back\":0,\"flags\":4},{\"x1\":0,\"y1\":0,\"x2\":1,\"y2\":0,\"front\":0,\"back\":1,\"flags\""
             ":1},{\"x1\":0,\"y1\":0,\"x2\":1,\"y2\":0,\"front\":0,\"back\":null,\"flags\":4}],"
             "\"sectors\":[{\"floor\":-8,\"ceil\":64,\"sky\":true},{\"ceil\":1,\"floor\":0}]}");
    rf_wall wall;
    ck_assert_uint_eq(rf_level_sectors(level), 2);
    ck_assert_uint_eq(rf_level_walls(level), 3);
    ck_assert_double_eq(rf_level_sector(level, 0).floor, -4);
    ck_assert_double_eq(rf_level_sector(level, 0).ceiling, 32);
    wall = rf_level_wall(level, 0);
    ck_assert_double_eq(wall.x1, 0.5);
    ck_assert_double_eq(wall.z1, -1);
    ck_assert_double_eq(wall.x2, 1.75);
    ck_assert_double_eq(wall.z2, 2);
    ck_assert(isinf(wall.bottom) && isinf(wall.top));
    ck_assert_uint_eq(wall.front, 1);
    ck_assert_uint_eq(wall.back, 0);
    ck_assert_uint_eq(rf_level_wall(level, 1).back, RF_NO_SECTOR); // not two-sided
    ck_assert_uint_eq(rf_level_wall(level, 2).back, RF_NO_SECTOR);
    rf_level_free(level);
}
END_TEST

// As in Elixir (Roomfold.Level).
START_TEST(what_may_be_missing_and_what_is_there_twice) {
    rf_level *level =
        load("{\"sectors\":[],\"lines\":[{\"x1\":9,\"x1\":1,\"y1\":0,\"x2\":1,\"y2\":4,\"back\":7,\"back\":null,"
             "\"front\":0,\"flags\":4},{\"x1\":0,\"y1\":0,\"x2\":1,\"y2\":0,\"back\":0}],"
             "\"sectors\":[{\"floor\":0,\"ceil\":2}],\"x\":1}");
    ck_assert_uint_eq(rf_level_sectors(level), 1);
    ck_assert_uint_eq(rf_level_walls(level), 2);
    ck_assert_double_eq(rf_level_wall(level, 0).x1, 0.5);
    ck_assert_uint_eq(rf_level_wall(level, 0).front, 0);
    ck_assert_uint_eq(rf_level_wall(level, 0).back, RF_NO_SECTOR);
    ck_assert_uint_eq(rf_level_wall(level, 1).back, RF_NO_SECTOR);
    rf_level_free(level);
}
END_TEST

START_TEST(a_level_behind_another) {
    rf_level *level = load("{\"lines\":[{\"x1\":1,\"y1\":2,\"x2\":3,\"y2\":4,\"front\":0,\"back\":0,\"flags\":4}],"
                           "\"sectors\":[{\"floor\":0,\"ceil\":9}]}");
    rf_space_def def = rf_space_def_default();
    uint32_t sector, wall;
    rf_space *space;
    ck_assert_int_eq(rf_space_new(&def, &space), RF_OK);
    ck_assert_int_eq(rf_space_add_level(space, level, 1, NULL, NULL), RF_OK);
    ck_assert_int_eq(rf_space_add_level(space, level, 1, &sector, &wall), RF_OK);
    ck_assert_uint_eq(sector, 1);
    ck_assert_uint_eq(wall, 1);
    ck_assert_uint_eq(rf_space_sectors(space), 2);
    ck_assert_uint_eq(rf_space_walls(space), 2);
    rf_space_free(space);
    rf_level_free(level);
}
END_TEST

static void refused(const char *text, rf_status status, uint64_t offset, const char *about) {
    rf_level *level;
    rf_error error = {0};
    ck_assert_int_eq(rf_level_from_json(rf_allocator_default(), (rf_str){text, strlen(text)}, 1, &level, &error),
                     status);
    ck_assert_ptr_null(level);
    ck_assert_int_eq(error.status, status);
    ck_assert_msg(error.offset == offset, "%s: at %llu", text, (unsigned long long)error.offset);
    ck_assert_msg(!about || strcmp(error.about, about) == 0, "%s: about %s", text, error.about);
}

#define LINE(rest) "{\"sectors\":[{\"floor\":0,\"ceil\":1}],\"lines\":[{\"x1\":0,\"y1\":0,\"x2\":1," rest "}]}"

START_TEST(what_is_not_a_level) {
    refused("", RF_UNEXPECTED_END, 0, "");
    refused("[]", RF_INVALID_LEVEL, 0, NULL);
    refused("{}", RF_INVALID_LEVEL, 2, "sectors");
    refused("{\"sectors\":[]}", RF_INVALID_LEVEL, 14, "lines");
    refused("{\"sectors\":{}}", RF_INVALID_LEVEL, 11, "a list");
    refused("{\"sectors\":[1]}", RF_INVALID_LEVEL, 12, "an object");
    refused("{\"sectors\":[{\"floor\":1}]}", RF_INVALID_LEVEL, 12, "ceil");
    refused("{\"sectors\":[{\"floor\":\"1\"}]}", RF_INVALID_LEVEL, 21, "floor");
    refused("{\"sectors\":[{\"floor\":1e10,\"ceil\":1}]}", RF_INVALID_LEVEL, 12, "heights out of range");
    refused("{\"sectors\":[{\"floor\":1e999}]}", RF_NUMBER_OUT_OF_RANGE, 21, "");
    refused("{\"sectors\":[", RF_UNEXPECTED_END, 12, "");
    refused("{\"sectors\":[],\"lines\":[]} x", RF_UNEXPECTED_BYTE, 26, "");
    refused(LINE("\"flags\":1"), RF_INVALID_LEVEL, 43, "y2");
    refused(LINE("\"y2\":0,\"flags\":1.5"), RF_INVALID_LEVEL, 43, "flags");
    refused(LINE("\"y2\":0,\"back\":-1,\"flags\":4"), RF_INVALID_LEVEL, 43, "back");
    refused(LINE("\"y2\":0,\"back\":0,\"flags\":4"), RF_INVALID_LEVEL, 43, "front");
    refused(LINE("\"y2\":0,\"front\":0,\"back\":1,\"flags\":4"), RF_INVALID_LEVEL, RF_NOWHERE, NULL);
    refused(LINE("\"y2\":0,\"front\":1"), RF_INVALID_LEVEL, RF_NOWHERE, NULL);
}
END_TEST

START_TEST(a_unit_is_a_length) {
    rf_level *level;
    rf_error error;
    ck_assert_int_eq(rf_level_from_json(rf_allocator_default(), STR("{}"), 0, &level, &error), RF_INVALID_ARGUMENT);
    ck_assert_int_eq(rf_level_from_json(rf_allocator_default(), STR("{}"), NAN, &level, &error), RF_INVALID_ARGUMENT);
}
END_TEST

// --- a recording

static double number(const json_t *list, size_t i) {
    return json_number_value(json_array_get(list, i)) * RF_LEVEL_DOOM_UNIT;
}

static void point(const json_t *list, size_t first, double out[3]) {
    out[0] = number(list, first);
    out[1] = number(list, first + 2);
    out[2] = -number(list, first + 1);
}

// Whether the one who is hit is the one in the recording.
static bool judge(rf_space *space, const rf_level *level, const json_t *line, bool *hit) {
    const json_t *targets = json_object_get(line, "targets"), *expected = json_object_get(line, "hit");
    rf_hits hits = rf_hits_new(rf_allocator_default(), 10);
    rf_shot shot = {.range = json_number_value(json_object_get(line, "range")) * RF_LEVEL_DOOM_UNIT};
    rf_answer answer;
    size_t i;
    json_t *item;
    bool agree;
    for (i = 0; i < rf_level_sectors(level); i++) rf_space_set_sector(space, (uint32_t)i, rf_level_sector(level, i));
    json_array_foreach(json_object_get(line, "sectors"), i, item) {
        rf_space_set_sector(space, (uint32_t)json_integer_value(json_array_get(item, 0)),
                            (rf_sector){number(item, 1), number(item, 2)});
    }
    json_array_foreach(targets, i, item) {
        char id[24];
        rf_target target = {.collider = rf_collider_box(number(item, 4), number(item, 5)), .layers = 1};
        snprintf(id, sizeof id, "%lld", (long long)json_integer_value(json_array_get(item, 0)));
        target.id = (rf_str){id, strlen(id)};
        point(item, 1, target.position);
        REQUIRE(rf_space_put(space, (uint32_t)i, &target) == RF_OK);
    }
    for (uint32_t key = (uint32_t)json_array_size(targets); key < 64; key++) rf_space_remove(space, key);
    point(json_object_get(line, "origin"), 0, shot.origin);
    point(json_object_get(line, "dir"), 0, shot.direction);
    REQUIRE(rf_cast(space, &shot, 1, &answer, &hits) == RF_OK && answer.status == RF_OK);
    *hit = json_is_integer(expected);
    if (answer.count == 0 || hits.items[0].kind != RF_HIT_TARGET)
        agree = !*hit;
    else
        agree = json_equal(json_array_get(json_array_get(targets, hits.items[0].number), 0), expected);
    rf_hits_free(&hits);
    return agree;
}

START_TEST(a_recording_is_judged_again) {
    rf_str text = read_file("../shared/data/doom/maps/freedm-0.12-MAP18.json.gz");
    rf_str rays = read_file("../shared/data/doom/rays/rays-freedm-0.12-demo3-MAP18.jsonl.gz");
    rf_space_def def = rf_space_def_default();
    int count = 0, agree = 0, hits = 0, hits_agree = 0;
    rf_level *level;
    rf_space *space;
    rf_error error;
    if (!text.data || !rays.data) {
        puts("left out: a recording judged again (../shared/data/doom/rays is not there)");
        free((char *)(uintptr_t)text.data);
        free((char *)(uintptr_t)rays.data);
        return;
    }
    ck_assert_int_eq(rf_level_from_json(def.allocator, text, RF_LEVEL_DOOM_UNIT, &level, &error), RF_OK);
    ck_assert_int_eq(rf_space_new(&def, &space), RF_OK);
    ck_assert_int_eq(rf_space_add_level(space, level, 1, NULL, NULL), RF_OK);
    for (size_t at = 0; at < rays.len;) {
        const char *feed = memchr(rays.data + at, '\n', rays.len - at);
        size_t len = feed ? (size_t)(feed - rays.data) - at : rays.len - at;
        json_t *line = json_loadb(rays.data + at, len, 0, NULL);
        bool hit = false, same = judge(space, level, line, &hit);
        count++;
        agree += same;
        hits += hit;
        hits_agree += hit && same;
        json_decref(line);
        at += len + 1;
    }
    ck_assert_int_gt(count, 1000);
    ck_assert_int_ge(agree * 100, count * 98);
    ck_assert_int_ge(hits_agree * 100, hits * 99);
    rf_space_free(space);
    rf_level_free(level);
    free((char *)(uintptr_t)text.data);
    free((char *)(uintptr_t)rays.data);
}
END_TEST

static void add(TCase *tests) {
    tcase_add_test(tests, sectors_and_lines);
    tcase_add_test(tests, what_may_be_missing_and_what_is_there_twice);
    tcase_add_test(tests, a_level_behind_another);
    tcase_add_test(tests, what_is_not_a_level);
    tcase_add_test(tests, a_unit_is_a_length);
    tcase_add_test(tests, a_recording_is_judged_again);
}

int main(void) {
    return run_tests("level", add);
}
