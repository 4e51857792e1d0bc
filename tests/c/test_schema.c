// Schemas: made from definitions and from JSON, and everything that makes none.
#include "support.h"

#include <stdio.h>
#include <string.h>

static rf_status from_json(const char *components, rf_schema **out, rf_error *error) {
    char text[2000];
    snprintf(text, sizeof text, "{\"format\":\"roomfold-schema\",\"version\":1,\"components\":%s}", components);
    return rf_schema_from_json(rf_allocator_default(), (rf_str){text, strlen(text)}, out, error);
}

START_TEST(reads_every_type) {
    const char *text = "[{\"name\":\"position\",\"type\":\"f32\",\"count\":3,\"decimals\":4},{\"name\":\"d\",\"type\":"
                       "\"f64\",\"count\":16},"
                       "{\"name\":\"n\",\"type\":\"i64\"},{\"name\":\"b\",\"type\":\"bool\",\"count\":1},"
                       "{\"name\":\"\\u00e9\",\"type\":\"string\"},{\"name\":\"t\",\"type\":\"term\"}]";
    rf_schema *schema;
    ck_assert_int_eq(from_json(text, &schema, NULL), RF_OK);
    ck_assert_uint_eq(rf_schema_count(schema), 6);
    ck_assert_int_eq(rf_schema_at(schema, 0)->type, RF_TYPE_F32);
    ck_assert_uint_eq(rf_schema_at(schema, 0)->count, 3);
    ck_assert(rf_schema_at(schema, 0)->fixed && rf_schema_at(schema, 0)->decimals == 4);
    ck_assert(!rf_schema_at(schema, 1)->fixed && rf_schema_at(schema, 1)->count == 16);
    ck_assert_int_eq(rf_schema_find(schema, STR("\xc3\xa9")), 4);
    ck_assert_int_eq(rf_schema_find(schema, STR("t")), 5);
    ck_assert_int_eq(rf_schema_find(schema, STR("x")), -1);
    ck_assert_int_eq(rf_schema_find(schema, (rf_str){0}), -1);
    rf_schema_release(rf_schema_retain(schema));
    rf_schema_release(schema);
}
END_TEST

static const char *const broken[] = {
    "{}",
    "[1]",
    "[{}]",
    "[{\"name\":\"a\"}]",
    "[{\"type\":\"f32\"}]",
    "[{\"name\":1,\"type\":\"f32\"}]",
    "[{\"name\":\"a\",\"type\":\"f16\"}]",
    "[{\"name\":\"a\",\"type\":32}]",
    "[{\"name\":\"\",\"type\":\"f32\"}]",
    "[{\"name\":\"id\",\"type\":\"f32\"}]",
    "[{\"name\":\"a\",\"type\":\"f32\",\"count\":0}]",
    "[{\"name\":\"a\",\"type\":\"f32\",\"count\":17}]",
    "[{\"name\":\"a\",\"type\":\"f32\",\"count\":1.5}]",
    "[{\"name\":\"a\",\"type\":\"i64\",\"count\":2}]",
    "[{\"name\":\"a\",\"type\":\"f32\",\"size\":3}]",
    "[{\"name\":\"a\",\"type\":\"f32\"},{\"name\":\"a\",\"type\":\"f64\"}]",
    "[{\"name\":\"a\",\"type\":\"f32\",\"decimals\":9}]",
    "[{\"name\":\"a\",\"type\":\"f32\",\"decimals\":-1}]",
    "[{\"name\":\"a\",\"type\":\"i64\",\"decimals\":2}]",
    "[{\"name\":\"a\",\"type\":\"f64\",\"decimals\":null}]",
};

START_TEST(refuses) {
    rf_schema *schema = NULL;
    rf_error error;
    ck_assert_msg(from_json(broken[_i], &schema, &error) == RF_INVALID_SCHEMA, "%s", broken[_i]);
    ck_assert_int_eq(error.status, RF_INVALID_SCHEMA);
    ck_assert_ptr_null(schema);
}
END_TEST

START_TEST(refuses_other_texts) {
    const char *const texts[] = {"{}", "[]", "{\"format\":\"roomfold-rules\",\"version\":1,\"components\":[]}",
                                 "{\"format\":\"roomfold-schema\",\"version\":2,\"components\":[]}"};
    rf_schema *schema;
    rf_error error;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        ck_assert_int_eq(
            rf_schema_from_json(rf_allocator_default(), (rf_str){texts[i], strlen(texts[i])}, &schema, &error),
            RF_INVALID_SCHEMA);
    ck_assert_int_eq(rf_schema_from_json(rf_allocator_default(), STR("{\"a\":"), &schema, &error), RF_UNEXPECTED_END);
    ck_assert_uint_eq(error.offset, 5);
}
END_TEST

START_TEST(holds_so_many_components) {
    rf_component_def defs[RF_SCHEMA_MAX + 1];
    char names[RF_SCHEMA_MAX + 1][16];
    rf_schema *schema;
    for (int i = 0; i <= RF_SCHEMA_MAX; i++) {
        snprintf(names[i], sizeof names[i], "c%d", i);
        defs[i] = (rf_component_def){.name = {names[i], strlen(names[i])}, .type = RF_TYPE_BOOL, .count = 1};
    }
    ck_assert_int_eq(rf_schema_new(rf_allocator_default(), defs, RF_SCHEMA_MAX + 1, &schema, NULL), RF_INVALID_SCHEMA);
    ck_assert_int_eq(rf_schema_new(rf_allocator_default(), defs, RF_SCHEMA_MAX, &schema, NULL), RF_OK);
    for (int i = 0; i < RF_SCHEMA_MAX; i++) ck_assert_int_eq(rf_schema_find(schema, defs[i].name), i);
    rf_schema_release(schema);
}
END_TEST

static void add(TCase *tests) {
    tcase_add_test(tests, reads_every_type);
    tcase_add_loop_test(tests, refuses, 0, sizeof broken / sizeof *broken);
    tcase_add_test(tests, refuses_other_texts);
    tcase_add_test(tests, holds_so_many_components);
}

int main(void) {
    return run_tests("schema", add);
}
