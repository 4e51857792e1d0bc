#include "support.h"

#include <stdlib.h>
#include <string.h>

#define SCHEMA                                                                                                         \
    "{\"format\":\"roomfold-schema\",\"version\":1,\"words\":[\"a\"],"                                                 \
    "\"components\":[{\"name\":\"n\",\"type\":\"i64\"}]}"
#define RULES                                                                                                          \
    "{\"format\":\"roomfold-rules\",\"version\":1,\"events\":{\"up\":{\"do\":[{\"op\":\"add\",\"entity\":\"id\","      \
    "\"component\":\"n\",\"value\":{\"value\":1}}]}}}"

static const rf_str schema = {SCHEMA, sizeof SCHEMA - 1}, rules = {RULES, sizeof RULES - 1};

static rf_definitions *new_list(test_memory *memory) {
    rf_definitions *list;
    ck_assert_int_eq(rf_definitions_new(test_allocator(memory), &list), RF_OK);
    return list;
}

static rf_definition get(rf_definitions *list, rf_str schema_text, const rf_str *rules_text) {
    rf_definition out;
    rf_error error;
    ck_assert_int_eq(rf_definitions_get(list, schema_text, rules_text, &out, &error), RF_OK);
    ck_assert_ptr_nonnull(out.schema);
    ck_assert_int_eq(out.rules != NULL, rules_text != NULL);
    return out;
}

static bool is_kept(rf_definitions *list, rf_str schema_text, const rf_str *rules_text) {
    rf_definition found;
    if (!rf_definitions_find(list, schema_text, rules_text, &found)) return false;
    rf_definition_release(&found);
    return true;
}

// Rules that differ from all others: text is valid until the next call.
static rf_str rules_of(int number) {
    static char text[sizeof RULES + 40];
    int len = snprintf(text, sizeof text, "{\"name\":\"%d\",%s", number, &RULES[1]);
    return (rf_str){text, (size_t)len};
}

// The text, then spaces up to `len` bytes. The caller frees it.
static rf_str padded(rf_str text, size_t len) {
    char *out = memset(malloc(len), ' ', len);
    memcpy(out, text.data, text.len);
    return (rf_str){out, len};
}

START_TEST(equal_texts_share_what_they_compile_to) {
    test_memory memory = {0};
    rf_definitions *list = new_list(&memory);
    rf_str copy = padded(schema, schema.len), other = rules_of(1);
    rf_definition a = get(list, schema, &rules), b = get(list, copy, &rules);
    rf_definition c = get(list, schema, &other), d = get(list, schema, NULL), e = get(list, copy, NULL);
    ck_assert_ptr_eq(a.schema, b.schema);
    ck_assert_ptr_eq(a.rules, b.rules);
    ck_assert_ptr_ne(a.rules, c.rules);
    ck_assert_ptr_null(d.rules);
    ck_assert_ptr_eq(d.schema, e.schema);
    rf_definition_release(&a);
    rf_definition_release(&b);
    rf_definition_release(&c);
    rf_definition_release(&d);
    rf_definition_release(&e);
    rf_definitions_free(list);
    ck_assert_int_eq(memory.blocks, 0);
    free((char *)(uintptr_t)copy.data);
}
END_TEST

START_TEST(where_one_text_ends_and_the_other_begins_matters) {
    rf_str all = STR("abcd"), ab = STR("ab"), cd = STR("cd"), abc = STR("abc"), d = STR("d"), none = STR("");
    test_memory memory = {0};
    rf_definitions *list = new_list(&memory);
    rf_definition made;
    ck_assert_int_eq(rf_definition_from_json(test_allocator(&memory), schema, &rules, &made, NULL), RF_OK);
    rf_definitions_keep(list, ab, &cd, &made);
    ck_assert(is_kept(list, ab, &cd));
    ck_assert(!is_kept(list, abc, &d));
    ck_assert(!is_kept(list, all, NULL));
    ck_assert(!is_kept(list, all, &none));
    ck_assert(!is_kept(list, ab, NULL));
    ck_assert(!is_kept(list, ab, &none));
    ck_assert(!is_kept(list, none, NULL));
    rf_definitions_keep(list, none, &none, &made);
    ck_assert(is_kept(list, none, &none));
    ck_assert(!is_kept(list, none, NULL));
    rf_definition_release(&made);
    rf_definitions_free(list);
    ck_assert_int_eq(memory.blocks, 0);
}
END_TEST

START_TEST(those_used_last_are_kept) {
    test_memory memory = {0};
    rf_definitions *list = new_list(&memory);
    rf_definition first = get(list, schema, &rules), again;
    for (int i = 1; i <= RF_DEFINITIONS_MAX + 1; i++) {
        rf_str text = rules_of(i);
        rf_definition it = get(list, schema, &text);
        rf_definition_release(&it);
        if (i == RF_DEFINITIONS_MAX - 1) ck_assert(is_kept(list, schema, &rules)); // full, and its oldest used again
    }
    again = get(list, schema, &rules);
    ck_assert_ptr_eq(first.rules, again.rules);
    for (int i = 1; i <= RF_DEFINITIONS_MAX + 1; i++) {
        rf_str text = rules_of(i);
        ck_assert_int_eq(is_kept(list, schema, &text), i > 2);
    }
    rf_definition_release(&first);
    rf_definition_release(&again);
    rf_definitions_free(list);
    ck_assert_int_eq(memory.blocks, 0);
}
END_TEST

START_TEST(errors_are_not_kept) {
    test_memory memory = {0};
    rf_str bad_schema = STR("{\"format\":\"roomfold-schema\"}"), bad_rules = STR("{\"format\":");
    rf_definitions *list = new_list(&memory);
    for (int i = 0; i < 2; i++) {
        rf_definition out;
        rf_error error;
        ck_assert_int_eq(rf_definitions_get(list, bad_schema, &rules, &out, &error), RF_INVALID_SCHEMA);
        ck_assert_str_eq(error.about, "format");
        ck_assert(!out.schema && !out.rules);
        ck_assert_int_eq(rf_definitions_get(list, schema, &bad_rules, &out, &error), RF_UNEXPECTED_END);
        ck_assert_uint_eq(error.offset, bad_rules.len);
        ck_assert(!out.schema && !out.rules);
        ck_assert(!is_kept(list, bad_schema, &rules) && !is_kept(list, schema, &bad_rules));
    }
    ck_assert_int_eq(memory.blocks, 1);
    rf_definitions_free(list);
    ck_assert_int_eq(memory.blocks, 0);
}
END_TEST

START_TEST(long_texts_are_not_kept) {
    test_memory memory = {0};
    rf_definitions *list = new_list(&memory);
    rf_str longest = padded(rules, RF_DEFINITION_BYTES - schema.len), longer = padded(rules, longest.len + 1);
    rf_str alone = padded(schema, RF_DEFINITION_BYTES + 1);
    rf_definition a = get(list, schema, &longest), b = get(list, schema, &longer), c = get(list, alone, NULL);
    rf_definition d = get(list, alone, &rules);
    ck_assert(is_kept(list, schema, &longest));
    ck_assert(!is_kept(list, schema, &longer));
    ck_assert(!is_kept(list, alone, NULL));
    ck_assert(!is_kept(list, alone, &rules));
    rf_definition_release(&a);
    rf_definition_release(&b);
    rf_definition_release(&c);
    rf_definition_release(&d);
    rf_definitions_free(list);
    ck_assert_int_eq(memory.blocks, 0);
    free((char *)(uintptr_t)longest.data);
    free((char *)(uintptr_t)longer.data);
    free((char *)(uintptr_t)alone.data);
}
END_TEST

START_TEST(of_long_texts_fewer_are_kept) {
    const int fit = RF_DEFINITIONS_BYTES / RF_DEFINITION_BYTES;
    test_memory memory = {0};
    rf_definitions *list = new_list(&memory);
    rf_definition small = get(list, schema, NULL);
    rf_definition_release(&small);
    for (int i = 1; i <= 2 * fit; i++) {
        rf_str text = padded(rules_of(i), RF_DEFINITION_BYTES - schema.len);
        rf_definition it = get(list, schema, &text);
        rf_definition_release(&it);
        free((char *)(uintptr_t)text.data);
    }
    ck_assert(!is_kept(list, schema, NULL));
    for (int i = 1; i <= 2 * fit; i++) {
        rf_str text = padded(rules_of(i), RF_DEFINITION_BYTES - schema.len);
        ck_assert_int_eq(is_kept(list, schema, &text), i > fit);
        free((char *)(uintptr_t)text.data);
    }
    // And again as many short ones as there may be.
    for (int i = 1; i <= RF_DEFINITIONS_MAX; i++) {
        rf_str text = rules_of(i);
        rf_definition it = get(list, schema, &text);
        rf_definition_release(&it);
    }
    for (int i = 1; i <= RF_DEFINITIONS_MAX; i++) {
        rf_str text = rules_of(i);
        ck_assert(is_kept(list, schema, &text));
    }
    rf_definitions_free(list);
    ck_assert_int_eq(memory.blocks, 0);
}
END_TEST

START_TEST(of_two_that_compile_at_once_the_first_is_kept) {
    test_memory memory = {0};
    rf_definitions *list = new_list(&memory);
    rf_definition mine, theirs;
    ck_assert_int_eq(rf_definition_from_json(test_allocator(&memory), schema, &rules, &mine, NULL), RF_OK);
    ck_assert_int_eq(rf_definition_from_json(test_allocator(&memory), schema, &rules, &theirs, NULL), RF_OK);
    ck_assert_ptr_ne(mine.rules, theirs.rules);
    rf_definitions_keep(list, schema, &rules, &theirs);
    rf_definitions_keep(list, schema, &rules, &mine);
    ck_assert_ptr_eq(mine.rules, theirs.rules);
    ck_assert_ptr_eq(mine.schema, theirs.schema);
    rf_definition_release(&mine);
    rf_definition_release(&theirs);
    rf_definitions_free(list);
    ck_assert_int_eq(memory.blocks, 0);
}
END_TEST

static rf_world *world_of(rf_definition definition) {
    rf_world_def def = rf_world_def_default();
    rf_world *world;
    def.schema = definition.schema;
    def.rules = definition.rules;
    ck_assert_int_eq(rf_world_new(&def, &world), RF_OK);
    rf_definition_release(&definition);
    return world;
}

START_TEST(worlds_that_share_go_on_without_the_list_and_one_another) {
    const char *text = "{\"event\":\"create\",\"entity_id\":\"a\",\"components\":{\"n\":1}}\n"
                       "{\"event_name\":\"up\",\"id\":\"a\"}\n";
    test_memory memory = {0};
    rf_definitions *list = new_list(&memory);
    rf_world *worlds[3] = {world_of(get(list, schema, &rules)), world_of(get(list, schema, &rules))};
    ck_assert_int_eq(rf_world_copy(worlds[0], &worlds[2]), RF_OK);
    rf_definitions_free(list);
    for (int i = 0; i < 3; i++) {
        rf_report report = fold_text(worlds[i], (rf_str){text, strlen(text)});
        json_t *json = world_json(worlds[i]);
        ck_assert_uint_eq(report.folded, 2);
        ck_assert_int_eq(json_integer_value(json_object_get(json_object_get(json, "a"), "n")), 2);
        json_decref(json);
        rf_report_free(&report);
        rf_world_free(worlds[i]);
    }
    ck_assert_int_eq(memory.blocks, 0);
}
END_TEST

// Only what is compiled is needed: without memory to keep it, it is used once.
START_TEST(every_allocation_fails_once) {
    rf_status status = RF_NO_MEMORY;
    int not_kept = 0;
    for (long n = 1; status != RF_OK || not_kept == 0; n++) {
        test_memory memory = {.fail_at = n, .once = _i == 1};
        rf_definitions *list;
        rf_definition made = {0};
        status = rf_definitions_new(test_allocator(&memory), &list);
        if (status == RF_OK) status = rf_definitions_get(list, schema, &rules, &made, NULL);
        ck_assert(status == RF_OK || status == RF_NO_MEMORY);
        if (status == RF_OK && memory.failed) {
            ck_assert(!is_kept(list, schema, &rules));
            not_kept++;
        }
        ck_assert_msg(memory.failed, "nothing was used without being kept");
        rf_definitions_free(list);
        if (status == RF_OK) rf_world_free(world_of(made));
        ck_assert_int_eq(memory.blocks, 0);
    }
    ck_assert_int_eq(not_kept, 1);
}
END_TEST

static void add(TCase *tests) {
    tcase_add_test(tests, equal_texts_share_what_they_compile_to);
    tcase_add_test(tests, where_one_text_ends_and_the_other_begins_matters);
    tcase_add_test(tests, those_used_last_are_kept);
    tcase_add_test(tests, errors_are_not_kept);
    tcase_add_test(tests, long_texts_are_not_kept);
    tcase_add_test(tests, of_long_texts_fewer_are_kept);
    tcase_add_test(tests, of_two_that_compile_at_once_the_first_is_kept);
    tcase_add_test(tests, worlds_that_share_go_on_without_the_list_and_one_another);
    tcase_add_loop_test(tests, every_allocation_fails_once, 0, 2);
}

int main(void) {
    return run_tests("definitions", add);
}
