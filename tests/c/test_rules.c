// Rules: what is one and what isn't, who may send an event, and each operation.
#include "core/base/utf8.h"
#include "support.h"

#include <stdio.h>
#include <string.h>

static rf_status compile(const char *events, rf_rules **out, rf_error *error) {
    char text[4000];
    rf_schema *schema;
    rf_status status;
    snprintf(text, sizeof text, "{\"format\":\"roomfold-rules\",\"version\":1,\"events\":%s}", events);
    ck_assert_int_eq(rf_schema_default(rf_allocator_default(), &schema), RF_OK);
    status = rf_rules_from_json(rf_allocator_default(), schema, (rf_str){text, strlen(text)}, out, error);
    rf_schema_release(schema);
    return status;
}

// Events that are no rules, and what the error says of them.
static const struct {
    const char *events, *about;
} broken[] = {
    {"[]", "\"events\" is not an object, or has too many events"},
    {"{\"create\":{\"do\":[]}}", "event create: entity events can't be redefined"},
    {"{\"\":{\"do\":[]}}", "not a name of 1 to 255 bytes"},
    {"{\"a\":[]}", "event a: an object is needed here"},
    {"{\"a\":{}}", "event a: \"do\" is missing"},
    {"{\"a\":{\"do\":{}}}", "event a: \"do\" is not a list, or has too many operations"},
    {"{\"a\":{\"do\":[],\"from\":\"me\"}}", "event a: \"from\" must be \"user\", \"system\" or \"any\""},
    {"{\"a\":{\"do\":[],\"from\":1}}", "event a: \"from\" must be \"user\", \"system\" or \"any\""},
    {"{\"a\":{\"do\":[],\"to\":\"me\"}}", "event a: unknown key to"},
    {"{\"a\":{\"do\":[{}]}}", "event a: an operation is an object with \"op\""},
    {"{\"a\":{\"do\":[{\"op\":\"move\",\"entity\":\"id\"}]}}", "event a: there is no such operation: move"},
    {"{\"a\":{\"do\":[{\"op\":\"delete\"}]}}",
     "event a: \"entity\" must be the name of a field, a string of 1 to 255 bytes"},
    {"{\"a\":{\"do\":[{\"op\":\"delete\",\"entity\":\"\"}]}}",
     "event a: \"entity\" must be the name of a field, a string of 1 to 255 bytes"},
    {"{\"a\":{\"do\":[{\"op\":\"delete\",\"entity\":\"seq\"}]}}", "event a: this can't be a field: seq"},
    {"{\"a\":{\"do\":[{\"op\":\"delete\",\"entity\":\"id\",\"set\":{}}]}}", "event a: unknown key set"},
    {"{\"a\":{\"do\":[{\"op\":\"update\",\"entity\":\"id\"}]}}", "event a: \"set\" is missing"},
    {"{\"a\":{\"do\":[{\"op\":\"update\",\"entity\":\"id\",\"set\":[]}]}}",
     "event a: \"set\" is not an object, or has too many components"},
    {"{\"a\":{\"do\":[{\"op\":\"update\",\"entity\":\"id\",\"set\":{\"id\":{\"field\":\"x\"}}}]}}",
     "event a: this can't be a component: id"},
    {"{\"a\":{\"do\":[{\"op\":\"update\",\"entity\":\"id\",\"set\":{\"position\":{\"value\":\"here\"}}}]}}",
     "event a: the value does not fit the component position"},
    {"{\"a\":{\"do\":[{\"op\":\"update\",\"entity\":\"id\",\"set\":{\"x\":{\"field\":\"y\",\"value\":1}}}]}}",
     "event a: {\"field\": NAME} or {\"value\": CONSTANT} is needed for x"},
    {"{\"a\":{\"do\":[{\"op\":\"update\",\"entity\":\"id\",\"set\":{\"x\":{}}}]}}",
     "event a: {\"field\": NAME} or {\"value\": CONSTANT} is needed for x"},
    {"{\"a\":{\"do\":[{\"op\":\"update\",\"entity\":\"id\",\"set\":{\"x\":{\"field\":\"seq\"}}}]}}",
     "event a: this can't be a field: seq"},
    {"{\"a\":{\"do\":[{\"op\":\"add\",\"entity\":\"id\",\"component\":\"x\"}]}}",
     "event a: \"component\", a string, and \"value\" are needed"},
    {"{\"a\":{\"do\":[{\"op\":\"add\",\"entity\":\"id\",\"component\":\"x\",\"value\":{\"value\":1},\"min\":\"0\"}]}}",
     "event a: this must be a number: min"},
    {"{\"a\":{\"do\":[{\"op\":\"add\",\"entity\":\"id\",\"component\":\"x\",\"value\":{\"value\":1},\"min\":2,\"max\":"
     "1}]}}",
     "event a: \"min\" is above \"max\""},
    {"{\"a\":{\"do\":[{\"op\":\"add\",\"entity\":\"id\",\"component\":\"x\",\"value\":{\"value\":\"1\"}}]}}",
     "event a: only a number can be added to x"},
    {"{\"a\":{\"do\":[{\"op\":\"put\",\"entity\":\"id\",\"component\":\"x\",\"value\":{\"value\":1}}]}}",
     "event a: only a string can be put into x"},
};

START_TEST(refuses) {
    rf_rules *rules = NULL;
    rf_error error;
    ck_assert_msg(compile(broken[_i].events, &rules, &error) == RF_INVALID_RULES, "%s", broken[_i].events);
    ck_assert_ptr_null(rules);
    ck_assert_str_eq(error.about, broken[_i].about);
}
END_TEST

// However long names are, the error says what is wrong.
START_TEST(cuts_long_names) {
    char name[RF_NAME_MAX + 1], events[4000];
    rf_rules *rules = NULL;
    rf_error error;
    memset(name, 'n', RF_NAME_MAX);
    name[RF_NAME_MAX] = '\0';
    snprintf(events, sizeof events, "{\"%s\":{\"do\":[],\"%s\":1}}", name, name);
    ck_assert_int_eq(compile(events, &rules, &error), RF_INVALID_RULES);
    ck_assert_uint_eq(strlen(error.about), sizeof error.about - 1);
    ck_assert_ptr_nonnull(strstr(error.about, ": unknown key n"));
}
END_TEST

// And is text, as the names are.
START_TEST(cuts_between_characters) {
    for (int shift = 0; shift < 4; shift++) {
        char name[RF_NAME_MAX + 1] = "xxx", events[4000];
        rf_rules *rules = NULL;
        rf_error error;
        name[shift] = '\0';
        while (strlen(name) + 3 <= RF_NAME_MAX) strcat(name, "\xe2\x82\xac"); // the sign of the euro
        snprintf(events, sizeof events, "{\"%s\":{\"do\":[],\"%s\":1}}", name, name);
        ck_assert_int_eq(compile(events, &rules, &error), RF_INVALID_RULES);
        ck_assert_uint_ge(strlen(error.about), sizeof error.about - 5);
        ck_assert_uint_eq(rf_utf8_check((rf_str){error.about, strlen(error.about)}), strlen(error.about));
    }
}
END_TEST

START_TEST(says_who_may_send) {
    rf_rules *rules;
    rf_sender sender;
    ck_assert_int_eq(
        compile("{\"a\":{\"do\":[],\"from\":\"user\"},\"b\":{\"do\":[],\"from\":\"system\"},\"c\":{\"do\":[]}}", &rules,
                NULL),
        RF_OK);
    ck_assert_uint_eq(rf_rules_count(rules), 3);
    ck_assert(rf_rules_sender(rules, STR("a"), &sender) && sender == RF_FROM_USER);
    ck_assert(rf_rules_sender(rules, STR("b"), &sender) && sender == RF_FROM_SYSTEM);
    ck_assert(rf_rules_sender(rules, STR("c"), &sender) && sender == RF_FROM_ANY);
    ck_assert(!rf_rules_sender(rules, STR("d"), &sender));
    rf_rules_release(rf_rules_retain(rules));
    rf_rules_release(rules);
}
END_TEST

// Folds the events with a world of the rules and compares the entity "a" with what is expected.
static void check(const char *rules_text, const char *events, const char *expected, uint64_t orphaned,
                  uint64_t rejected) {
    rf_world_def def = rf_world_def_default();
    rf_report report;
    rf_world *world;
    json_t *found, *wanted = json_loads(expected, JSON_DECODE_ANY, NULL);
    rf_entity entity;
    ck_assert_ptr_nonnull(wanted);
    ck_assert_int_eq(rf_schema_default(def.allocator, &def.schema), RF_OK);
    {
        char text[4000];
        snprintf(text, sizeof text, "{\"format\":\"roomfold-rules\",\"version\":1,\"events\":%s}", rules_text);
        ck_assert_int_eq(rf_rules_from_json(def.allocator, def.schema, (rf_str){text, strlen(text)}, &def.rules, NULL),
                         RF_OK);
    }
    ck_assert_int_eq(rf_world_new(&def, &world), RF_OK);
    rf_rules_release(def.rules);
    rf_schema_release(def.schema);
    report = fold_literal(world, events);
    entity = rf_world_find(world, STR("a"));
    found = rf_world_alive(world, entity) ? entity_json(world, entity) : json_null();
    if (!json_equal(found, wanted)) ck_abort_msg("%s: %s", events, json_dumps(found, JSON_ENCODE_ANY));
    ck_assert_uint_eq(report.orphaned, orphaned);
    ck_assert_uint_eq(report.rejected_count, rejected);
    json_decref(found);
    json_decref(wanted);
    rf_report_free(&report);
    rf_world_free(world);
}

#define A "{\"event\":\"create\",\"entity_id\":\"a\",\"components\":{}}\n"
#define ADD                                                                                                            \
    "{\"hit\":{\"do\":[{\"op\":\"add\",\"entity\":\"id\",\"component\":\"n\",\"value\":{\"field\":\"by\"},\"min\":-5," \
    "\"max\":10}]}}"
#define HIT(by) "{\"event_name\":\"hit\",\"id\":\"a\",\"by\":" by "}\n"
#define SET                                                                                                            \
    "{\"put\":{\"do\":[{\"op\":\"put\",\"entity\":\"id\",\"component\":\"s\",\"value\":{\"field\":\"v\"}}]},"          \
    "\"take\":{\"do\":[{\"op\":\"take\",\"entity\":\"id\",\"component\":\"s\",\"value\":{\"field\":\"v\"}}]}}"
#define PUT(name, v) "{\"event_name\":\"" name "\",\"id\":\"a\",\"v\":" v "}\n"

START_TEST(add_counts_and_clamps) {
    check(ADD, A HIT("3") HIT("4"), "{\"n\":7}", 0, 0);
    check(ADD, A HIT("300"), "{\"n\":10}", 0, 0);
    check(ADD, A HIT("-300"), "{\"n\":-5}", 0, 0);
    check(ADD, A HIT("9223372036854775807") HIT("1"), "{\"n\":10}", 0, 0);
    check(ADD, A HIT("1.5"), "{\"n\":1.5}", 0, 0);
    check(ADD, A HIT("1e300"), "{\"n\":10.0}", 0, 0);
    check(ADD, A HIT("\"3\""), "{}", 0, 1);
    check(ADD, HIT("3"), "null", 1, 0);
    check(ADD, A HIT("null"), "{}", 0, 0);
}
END_TEST

START_TEST(put_and_take_keep_a_sorted_set) {
    check(SET, A PUT("put", "\"b\"") PUT("put", "\"a\"") PUT("put", "\"b\""), "{\"s\":[\"a\",\"b\"]}", 0, 0);
    check(SET, A PUT("put", "\"b\"") PUT("take", "\"b\""), "{\"s\":[]}", 0, 0);
    check(SET, A PUT("take", "\"b\""), "{}", 0, 0);
    check(SET, A PUT("put", "1"), "{}", 0, 1);
    check(SET, PUT("put", "\"b\""), "null", 1, 0);
}
END_TEST

START_TEST(operations_run_in_order) {
    const char *rules =
        "{\"reborn\":{\"do\":[{\"op\":\"delete\",\"entity\":\"id\"},{\"op\":\"create\",\"entity\":\"id\",\"set\":"
        "{\"position\":{\"field\":\"at\"},\"kind\":{\"value\":\"bat\"},\"gone\":{\"value\":null}}},"
        "{\"op\":\"update\",\"entity\":\"other\",\"set\":{\"x\":{\"value\":1}}}]}}";
    check(rules, A "{\"event_name\":\"reborn\",\"id\":\"a\",\"at\":[1,2,3]}",
          "{\"position\":[1.0,2.0,3.0],\"kind\":\"bat\"}", 0, 0);
    check(rules, "{\"event_name\":\"reborn\",\"id\":\"a\",\"at\":\"here\",\"other\":\"b\"}", "{\"kind\":\"bat\"}", 2,
          1);
    check(rules, "{\"event_name\":\"unknown\",\"id\":\"a\"}", "null", 0, 1);
}
END_TEST

START_TEST(survives_every_failing_allocation) {
    rf_str text = STR("{\"format\":\"roomfold-rules\",\"version\":1,\"events\":" ADD "}");
    rf_status status = RF_NO_MEMORY;
    for (long n = 1; status == RF_NO_MEMORY; n++) {
        test_memory memory = {.fail_at = n};
        rf_schema *schema;
        rf_rules *rules;
        status = rf_schema_default(test_allocator(&memory), &schema);
        if (status == RF_OK) {
            status = rf_rules_from_json(test_allocator(&memory), schema, text, &rules, NULL);
            if (status == RF_OK) rf_rules_release(rules);
            rf_schema_release(schema);
        }
        ck_assert(status == RF_OK || status == RF_NO_MEMORY);
        ck_assert_int_eq(memory.blocks, 0);
    }
}
END_TEST

static void add(TCase *tests) {
    tcase_add_loop_test(tests, refuses, 0, sizeof broken / sizeof *broken);
    tcase_add_test(tests, cuts_long_names);
    tcase_add_test(tests, cuts_between_characters);
    tcase_add_test(tests, says_who_may_send);
    tcase_add_test(tests, add_counts_and_clamps);
    tcase_add_test(tests, put_and_take_keep_a_sorted_set);
    tcase_add_test(tests, operations_run_in_order);
    tcase_add_test(tests, survives_every_failing_allocation);
}

int main(void) {
    return run_tests("rules", add);
}
