// Every allocation fails once: no crash, no leak, and what is left is a world that can be read, copied and folded on.
#include "support.h"

#include <stdlib.h>

static const char scenario[] =
    "{\"event\":\"create\",\"entity_id\":\"a\",\"components\":{\"position\":[1,2,3],\"kind\":\"door\",\"list\":[1,{"
    "\"b\":2,\"a\":1}]}}\n"
    "{\"event\":\"create\",\"entity_id\":\"an id of more than fifteen bytes\",\"components\":{\"health\":5}}\n"
    "{\"event\":\"update\",\"entity_id\":\"a\",\"components\":{\"kind\":\"a longer kind than before, so that it "
    "moves\",\"z\":null,\"list\":null}}\n"
    "{\"event_name\":\"player_spawned\",\"user_id\":\"tom\",\"position\":[1,2,3],\"health\":100,\"collider\":{"
    "\"shape\":\"box\"}}\n"
    "{\"event_name\":\"weapon_collected\",\"user_id\":\"tom\",\"weapon\":\"shotgun\",\"item_id\":\"a\"}\n"
    "{\"event_name\":\"weapon_collected\",\"user_id\":\"tom\",\"weapon\":\"pistol\",\"item_id\":\"none\"}\n"
    "{\"event_name\":\"player_hit\",\"user_id\":\"tom\",\"damage\":5,\"health\":95}\n"
    "{\"event\":\"update\",\"entity_id\":\"tom\",\"components\":{\"position\":\"wrong\",\"\\u0065scaped\":\"\\n\"}}\n"
    "{\"event\":\"cre\n"
    "{\"event\":\"delete\",\"entity_id\":\"an id of more than fifteen bytes\"}\n"
    "{\"event\":\"create\",\"entity_id\":\"tom\",\"components\":{\"kind\":\"ghost\"}}\n"
    "{\"created\":[\"c\",\"\\u0063c\"],\"doors\":[{\"id\":\"\\u0061\",\"health\":1},{\"id\":\"c\",\"n\":[1]}],"
    "\"deleted\":[\"none\"]}\n"
    "{\"position\":{\"a\":[3,2,1],\"c\":null},\"n\":{\"c\":{\"k\":[2]}}}\n"
    "{\"bats\":[{\"id\":\"an id of more than fifteen "
    "bytes\",\"n\":[\"\\u0061\"]},{\"id\":\"t\\u006fm\",\"list\":[1]}]}\n"
    "{\"o\":{\"1\":1,\"2\":1,\"3\":1,\"4\":1,\"5\":1,\"6\":1,\"7\":1,\"8\":1,\"9\":1,\"10\":1},\"event\":\"create\","
    "\"entity_id\":\"b\",\"components\":{}}\n";

static rf_status make_world(rf_allocator allocator, rf_world **out) {
    rf_world_def def = rf_world_def_default();
    rf_str text = read_file("priv/rules/doom.json");
    rf_status status;
    rf_error error;
    def.allocator = allocator;
    *out = NULL;
    status = rf_schema_default(allocator, &def.schema);
    if (status == RF_OK) status = rf_rules_from_json(allocator, def.schema, text, &def.rules, &error);
    if (status == RF_OK) status = rf_world_new(&def, out);
    rf_rules_release(def.rules);
    rf_schema_release(def.schema);
    free((char *)(uintptr_t)text.data);
    return status;
}

static rf_status fold(rf_world *world, rf_allocator allocator) {
    rf_json_batch batch = {.text = STR(scenario)};
    rf_report report;
    rf_fold *into;
    rf_status status;
    rf_report_init(&report, allocator);
    status = rf_fold_new(world, &report, &into);
    while (status == RF_OK && !batch.done) status = rf_fold_json(into, &batch, 1);
    rf_fold_free(into);
    rf_report_free(&report);
    return status;
}

static rf_status everything(rf_allocator allocator, rf_world **world) {
    rf_world *copy = NULL;
    rf_diff *diff = NULL;
    rf_status status = make_world(allocator, world);
    if (status == RF_OK) status = fold(*world, allocator);
    if (status == RF_OK) status = rf_diff_new(*world, 0, &diff);
    if (status == RF_OK) status = rf_world_copy(*world, &copy);
    rf_diff_free(diff);
    rf_world_free(copy);
    return status;
}

// The world reads as well as ever, and goes on.
static void check_usable(rf_world *world) {
    json_t *before = world_json(world), *diff = diff_json(world, 0), *from_nothing = json_object(), *after;
    rf_report report;
    rf_world *copy;
    apply_json(from_nothing, diff);
    ck_assert(json_equal(from_nothing, before));
    ck_assert_int_eq(rf_world_copy(world, &copy), RF_OK);
    after = world_json(copy);
    ck_assert(json_equal(before, after));
    report = fold_text(world, STR(scenario));
    ck_assert_ptr_nonnull(rf_world_find(world, STR("tom")).handle1 ? world : NULL);
    rf_report_free(&report);
    rf_world_free(copy);
    json_decref(before);
    json_decref(diff);
    json_decref(from_nothing);
    json_decref(after);
}

START_TEST(every_allocation_fails_once) {
    test_memory memory = {0};
    rf_world *world;
    long count;
    ck_assert_int_eq(everything(test_allocator(&memory), &world), RF_OK);
    rf_world_free(world);
    ck_assert_int_eq(memory.blocks, 0);
    count = memory.allocations;
    ck_assert_int_gt(count, 50);
    for (long n = 1; n <= count; n++) {
        memory = (test_memory){.fail_at = n};
        // An entry of a report that found no memory is only counted, so a late failure may go unnoticed there.
        everything(test_allocator(&memory), &world);
        memory.fail_at = 0;
        if (world) check_usable(world);
        rf_world_free(world);
        ck_assert_msg(memory.blocks == 0, "%ld blocks are left when allocation %ld fails", memory.blocks, n);
    }
}
END_TEST

START_TEST(what_a_world_says_it_uses_is_what_it_uses) {
    test_memory memory = {0};
    rf_world *world;
    ck_assert_int_eq(make_world(test_allocator(&memory), &world), RF_OK);
    for (int i = 0; i < 3; i++) ck_assert_int_eq(fold(world, test_allocator(&memory)), RF_OK);
    ck_assert_uint_gt(rf_world_memory(world), 0);
    rf_world_free(world);
    ck_assert_int_eq(memory.blocks, 0);
}
END_TEST

static void add(TCase *tests) {
    tcase_add_test(tests, every_allocation_fails_once);
    tcase_add_test(tests, what_a_world_says_it_uses_is_what_it_uses);
}

int main(void) {
    return run_tests("memory", add);
}
