// Worlds as JSON text: what jansson reads from it is what the world says of itself; numbers against printf.
#include "support.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static json_t *encoded(const rf_world *world, const rf_encode_def *def) {
    json_t *out;
    json_error_t error;
    char *text;
    size_t len;
    ck_assert_int_eq(rf_encode_json(world, def, rf_allocator_default(), &text, &len), RF_OK);
    out = json_loadb(text, len, JSON_DECODE_ANY | JSON_ALLOW_NUL | JSON_REJECT_DUPLICATES, &error);
    ck_assert_msg(out != NULL, "%s: %.*s", error.text, (int)len, text);
    free(text);
    return out;
}

static json_t *member(const json_t *object, const char *name) {
    json_t *out = json_object_get(object, name);
    ck_assert_msg(out != NULL, "no %s", name);
    return out;
}

// Numbers are written as short as they read back as binary32: compared after rounding.
static bool same(const json_t *a, const json_t *b) {
    const char *key;
    json_t *value;
    size_t i;
    if (json_is_number(a) && json_is_number(b)) return (float)json_number_value(a) == (float)json_number_value(b);
    if (json_typeof(a) != json_typeof(b)) return false;
    if (json_is_object(a)) {
        if (json_object_size(a) != json_object_size(b)) return false;
        json_object_foreach((json_t *)(uintptr_t)a, key, value) {
            const json_t *other = json_object_get(b, key);
            if (!other || !same(value, other)) return false;
        }
        return true;
    }
    if (json_is_array(a)) {
        if (json_array_size(a) != json_array_size(b)) return false;
        json_array_foreach(a, i, value) {
            if (!same(value, json_array_get(b, i))) return false;
        }
        return true;
    }
    return json_equal(a, b);
}

static void put_value(json_t *entities, const char *id, const char *name, json_t *value) {
    if (!json_object_get(entities, id)) json_object_set_new(entities, id, json_object());
    ck_assert_ptr_null(json_object_get(json_object_get(entities, id), name));
    json_object_set(json_object_get(entities, id), name, value);
}

static json_t *from_columns(json_t *columns) {
    json_t *out = json_object(), *column, *value;
    const char *name, *id;
    json_object_foreach(columns, name, column) {
        json_object_foreach(column, id, value) put_value(out, id, name, value);
    }
    return out;
}

static json_t *from_kinds(json_t *kinds) {
    json_t *out = json_object(), *items, *item, *value;
    const char *kind, *name;
    size_t i;
    json_object_foreach(kinds, kind, items) {
        if (strcmp(kind, "deleted") == 0) continue;
        json_array_foreach(items, i, item) {
            const char *id = json_string_value(member(item, "id"));
            ck_assert_ptr_null(json_object_get(out, id));
            json_object_set_new(out, id, json_object());
            json_object_foreach(item, name, value) {
                if (strcmp(name, "id") != 0) put_value(out, id, name, value);
            }
        }
    }
    return out;
}

static void drop_empty(json_t *entities) {
    const char *id;
    json_t *components;
    void *next;
    json_object_foreach_safe(entities, next, id, components) {
        if (json_object_size(components) == 0) json_object_del(entities, id);
    }
}

static void check_snapshot(const rf_world *world) {
    json_t *expected = world_json(world), *found, *entities;
    found = encoded(world, &(rf_encode_def){0});
    ck_assert_int_eq(json_integer_value(member(found, "seq")), (json_int_t)rf_world_seq(world));
    ck_assert(same(member(found, "entities"), expected));
    json_decref(found);
    found = encoded(world, &(rf_encode_def){.by = RF_BY_KIND});
    entities = from_kinds(member(found, "kinds"));
    ck_assert(same(entities, expected));
    json_decref(entities);
    json_decref(found);
    found = encoded(world, &(rf_encode_def){.by = RF_BY_COMPONENT});
    entities = from_columns(member(found, "components"));
    drop_empty(expected);
    ck_assert(same(entities, expected));
    json_decref(entities);
    json_decref(found);
    json_decref(expected);
}

static void check_diff(const rf_world *world, uint64_t from) {
    json_t *expected = diff_json(world, from), *found, *entities, *all;
    rf_encode_def def = {.diff = true, .from = from};
    found = encoded(world, &def);
    ck_assert_int_eq(json_integer_value(member(found, "from")), (json_int_t)from);
    json_object_del(found, "from");
    json_object_del(found, "seq");
    ck_assert(same(found, expected));
    json_decref(found);
    all = json_deep_copy(member(expected, "creates"));
    json_object_update(all, member(expected, "updates"));
    def.by = RF_BY_KIND;
    found = encoded(world, &def);
    entities = from_kinds(member(found, "kinds"));
    ck_assert(same(entities, all));
    ck_assert(same(member(member(found, "kinds"), "deleted"), member(expected, "deletes")));
    ck_assert_uint_eq(json_array_size(member(found, "created")), json_object_size(member(expected, "creates")));
    json_decref(entities);
    json_decref(found);
    def.by = RF_BY_COMPONENT;
    found = encoded(world, &def);
    entities = from_columns(member(found, "components"));
    drop_empty(all);
    ck_assert(same(entities, all));
    ck_assert(same(member(found, "deleted"), member(expected, "deletes")));
    json_decref(entities);
    json_decref(found);
    json_decref(all);
    json_decref(expected);
}

static const char *const shapes[] = {
    "{\"event\":\"create\",\"entity_id\":\"e%d\",\"components\":{\"position\":[%d,0.1,-7.25],\"kind\":\"bat\"}}",
    "{\"event\":\"create\",\"entity_id\":\"e%d\",\"components\":{\"health\":%d,\"kind\":\"\\\"\\n\\u00e9\"}}",
    "{\"event\":\"create\",\"entity_id\":\"e%d\",\"components\":{\"kind\":%d}}",
    "{\"event\":\"create\",\"entity_id\":\"e%d\",\"components\":{},\"x\":%d}",
    "{\"event\":\"update\",\"entity_id\":\"e%d\",\"components\":{\"rotation\":[0,%d,0,1e-30],\"kind\":null}}",
    "{\"event\":\"update\",\"entity_id\":\"e%d\",\"components\":{\"n\":[%d,[],{},{\"a\":[{\"b\":null}],\"c\":true}]}}",
    "{\"event\":\"update\",\"entity_id\":\"e%d\",\"components\":{\"m\":-%d.5e-3,\"n\":null,\"position\":null}}",
    "{\"event\":\"delete\",\"entity_id\":\"e%d\",\"x\":%d}",
};

#pragma GCC diagnostic ignored "-Wformat-nonliteral"

static rf_world *random_world(rf_allocator allocator, uint64_t *state, int events) {
    rf_world *world = doom_world(allocator);
    for (int i = 0; i < events; i++) {
        char text[256];
        rf_report report;
        snprintf(text, sizeof text, shapes[next_random(state) % 8], (int)(next_random(state) % 9),
                 (int)(next_random(state) % 1000));
        report = fold_literal(world, text);
        ck_assert_uint_eq(report.rejected_count, 0);
        rf_report_free(&report);
    }
    return world;
}

START_TEST(says_what_the_world_says) {
    uint64_t state = 12;
    for (int round = 0; round < 60; round++) {
        rf_world *world = random_world(rf_allocator_default(), &state, 1 + round);
        check_snapshot(world);
        for (uint64_t from = 0; from <= rf_world_seq(world); from++) check_diff(world, from);
        rf_world_free(world);
    }
}
END_TEST

START_TEST(wraps_a_phoenix_frame) {
    rf_world *world = doom_world(rf_allocator_default());
    rf_phoenix_frame frame = {.ref = STR("7"), .topic = STR("room:\"1\""), .event = STR("snapshot")};
    rf_encode_def def = {.frame = &frame};
    char *text;
    size_t len;
    ck_assert_int_eq(rf_encode_json(world, &def, rf_allocator_default(), &text, &len), RF_OK);
    ck_assert_uint_eq(len, strlen("[null,\"7\",\"room:\\\"1\\\"\",\"snapshot\",{\"seq\":0,\"entities\":{}}]"));
    ck_assert_mem_eq(text, "[null,\"7\",\"room:\\\"1\\\"\",\"snapshot\",{\"seq\":0,\"entities\":{}}]", len);
    free(text);
    frame.event = STR("\xff");
    ck_assert_int_eq(rf_encode_json(world, &def, rf_allocator_default(), &text, &len), RF_INVALID_UTF8);
    ck_assert_ptr_null(text);
    rf_world_free(world);
}
END_TEST

START_TEST(refuses) {
    uint64_t state = 5;
    rf_world *world = random_world(rf_allocator_default(), &state, 50);
    rf_encode_def def = {.diff = true, .from = 51};
    char *text;
    size_t len, whole;
    ck_assert_int_eq(rf_encode_json(world, &def, rf_allocator_default(), &text, &len), RF_SEQ_AHEAD);
    def = (rf_encode_def){0};
    ck_assert_int_eq(rf_encode_json(world, &def, rf_allocator_default(), &text, &whole), RF_OK);
    free(text);
    for (def.limit = 1; def.limit < whole; def.limit++) {
        ck_assert_int_eq(rf_encode_json(world, &def, rf_allocator_default(), &text, &len), RF_TOO_LARGE);
        ck_assert_ptr_null(text);
    }
    ck_assert_int_eq(rf_encode_json(world, &def, rf_allocator_default(), &text, &len), RF_OK);
    free(text);
    rf_world_free(world);
}
END_TEST

START_TEST(survives_every_failing_allocation) {
    for (int by = RF_BY_ENTITY; by <= RF_BY_KIND; by++) {
        for (int diff = 0; diff < 2; diff++) {
            rf_status status = RF_NO_MEMORY;
            for (long n = 1; status == RF_NO_MEMORY; n++) {
                test_memory memory = {0};
                uint64_t state = 99;
                rf_world *world = random_world(test_allocator(&memory), &state, 80);
                rf_encode_def def = {.diff = diff, .from = 10, .by = (rf_by)by};
                long before = memory.blocks;
                char *text;
                size_t len;
                memory.fail_at = memory.allocations + n;
                status = rf_encode_json(world, &def, test_allocator(&memory), &text, &len);
                memory.fail_at = 0;
                ck_assert(status == RF_OK || (status == RF_NO_MEMORY && text == NULL));
                ck_assert_int_eq(memory.blocks, before + (status == RF_OK));
                if (text) test_allocator(&memory).resize(&memory, text, 0);
                rf_world_free(world);
                ck_assert_int_eq(memory.blocks, 0);
                ck_assert_int_lt(n, 100);
            }
        }
    }
}
END_TEST

// printf rounds the exact value, ties to even; for a binary32 so does the product, which is exact.
static void check_decimals(double value, unsigned decimals) {
    char found[RF_JSON_FLOAT_ROOM + 1], expected[400];
    size_t len = rf_json_write_decimals(found, value, decimals), end;
    found[len] = 0;
    snprintf(expected, sizeof expected, "%.*f", (int)decimals, value);
    end = strlen(expected);
    if (decimals > 0) {
        while (expected[end - 1] == '0') end--;
        if (expected[end - 1] == '.') end--;
        expected[end] = 0;
    }
    if (strcmp(expected, "-0") == 0) memcpy(expected, "0", 2);
    REQUIRE_MSG(strcmp(found, expected) == 0, "%.17g with %u decimals: %s, not %s", value, decimals, found, expected);
}

START_TEST(decimals_are_those_of_printf) {
    const float edges[] = {0,      -0.0f,    0.5f,        1.5f,        2.5f,      -0.5f,
                           0.125f, 0.00005f, 9999.99995f, 99999999.0f, 100000000, 1e-9f};
    uint64_t state = 3;
    for (unsigned decimals = 0; decimals <= RF_JSON_DECIMALS_MAX; decimals++) {
        for (size_t i = 0; i < sizeof edges / sizeof *edges; i++) check_decimals((double)edges[i], decimals);
        for (int i = 0; i < 200000; i++) {
            double range = pow(10, (double)(next_random(&state) % 12) - 4);
            float value = (float)(((double)(int64_t)next_random(&state) / 0x1p63) * range);
            check_decimals((double)value, decimals);
        }
    }
}
END_TEST

START_TEST(too_large_for_decimals) {
    char text[RF_JSON_FLOAT_ROOM + 1];
    text[rf_json_write_decimals(text, 1e300, 4)] = 0;
    ck_assert_str_eq(text, "1e+300");
    text[rf_json_write_decimals(text, -DBL_MAX, 0)] = 0;
    ck_assert_str_eq(text, "-1.7976931348623157e+308");
    text[rf_json_write_decimals(text, 0x1p51, 0)] = 0;
    ck_assert_str_eq(text, "2251799813685248");
    text[rf_json_write_decimals(text, 0x1p54, 2)] = 0;
    ck_assert_str_eq(text, "18014398509481984.0");
    text[rf_json_write_decimals(text, 0x1p51 - 1, 0)] = 0;
    ck_assert_str_eq(text, "2251799813685247");
}
END_TEST

// All but the last of 300 entities are gone: a world that is loaded from this one has no pages for their handles.
START_TEST(loaded_with_gaps) {
    rf_allocator allocator = rf_allocator_default();
    rf_world *world = doom_world(allocator), *loaded;
    rf_world_def def = rf_world_def_default();
    rf_encode_def whole = {0}, diff = {.diff = true};
    char event[100];
    uint8_t *frame;
    size_t len;
    for (int i = 0; i < 599; i++) {
        rf_report report;
        snprintf(event, sizeof event, "{\"event\": \"%s\", \"entity_id\": \"e%d\", \"components\": {\"health\": 1}}",
                 i < 300 ? "create" : "delete", i % 300);
        report = fold_literal(world, event);
        ck_assert_uint_eq(report.folded, 1);
        rf_report_free(&report);
    }
    ck_assert_int_eq(rf_encode_packed(world, false, 0, 0, allocator, &frame, &len), RF_OK);
    ck_assert_int_eq(rf_packed_start(allocator, (rf_str){(char *)frame, len}, &def.seq, &def.schema, NULL), RF_OK);
    ck_assert_int_eq(rf_world_new(&def, &loaded), RF_OK);
    ck_assert_int_eq(rf_load_packed(loaded, (rf_str){(char *)frame, len}, NULL), RF_OK);
    diff.from = def.seq;
    for (rf_by by = RF_BY_ENTITY; by <= RF_BY_KIND; by++) {
        json_t *expected, *found;
        whole.by = diff.by = by;
        expected = encoded(world, &whole);
        found = encoded(loaded, &whole);
        ck_assert(json_equal(expected, found));
        json_decref(found);
        json_decref(expected);
        json_decref(encoded(loaded, &diff));
    }
    ck_assert_uint_eq(rf_world_count(loaded), 1);
    free(frame);
    rf_schema_release(def.schema);
    rf_world_free(loaded);
    rf_world_free(world);
}
END_TEST

static void add(TCase *tests) {
    tcase_add_test(tests, loaded_with_gaps);
    tcase_add_test(tests, says_what_the_world_says);
    tcase_add_test(tests, wraps_a_phoenix_frame);
    tcase_add_test(tests, refuses);
    tcase_add_test(tests, survives_every_failing_allocation);
    tcase_add_test(tests, decimals_are_those_of_printf);
    tcase_add_test(tests, too_large_for_decimals);
}

int main(void) {
    return run_tests("encode_json", add);
}
