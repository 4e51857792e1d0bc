// The recorded matches against snapshots that another program computed: every entity, every value.
#include "support.h"

#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void check_snapshot(const rf_world *world, const json_t *expected, uint64_t orphaned) {
    json_t *found = world_json(world);
    ck_assert_uint_eq(orphaned, (uint64_t)json_integer_value(json_object_get(expected, "orphaned")));
    ck_assert_uint_eq(rf_world_count(world), json_object_size(json_object_get(expected, "entities")));
    ck_assert(json_equal(found, json_object_get(expected, "entities")));
    json_decref(found);
}

static void check_match(const char *events_path) {
    char path[512];
    rf_str text = read_file(events_path), expected_text;
    rf_world *world = doom_world(rf_allocator_default());
    rf_json_batch batch = {.text = text};
    json_t *expected, *snapshots;
    size_t checked = 0;
    rf_report report;
    rf_fold *fold;
    snprintf(path, sizeof path, "%.*s.expected.json.gz", (int)(strstr(events_path, ".events") - events_path),
             events_path);
    expected_text = read_file(path);
    ck_assert_ptr_nonnull(expected_text.data);
    expected = json_loadb(expected_text.data, expected_text.len, 0, NULL);
    snapshots = json_object_get(expected, "snapshots");
    rf_report_init(&report, rf_allocator_default());
    ck_assert_int_eq(rf_fold_new(world, &report, &fold), RF_OK);
    while (!batch.done) {
        const json_t *next = json_array_get(snapshots, checked);
        ck_assert_int_eq(rf_fold_json(fold, &batch, 1), RF_OK);
        if (next && rf_world_seq(world) == (uint64_t)json_integer_value(json_object_get(next, "seq"))) {
            check_snapshot(world, next, report.orphaned);
            checked++;
        }
    }
    ck_assert_uint_eq(checked, 4);
    ck_assert_uint_eq(report.rejected_count, 0);
    rf_fold_free(fold);
    rf_report_free(&report);
    rf_world_free(world);
    json_decref(expected);
    free((char *)(uintptr_t)text.data);
    free((char *)(uintptr_t)expected_text.data);
}

START_TEST(shipped_match) {
    check_match("priv/demo/freedm-0.12-demo1-MAP21.events.jsonl.gz");
}
END_TEST

START_TEST(shared_matches) {
    glob_t found;
    if (glob("../shared/data/doom/matches/*.events.jsonl.gz", 0, NULL, &found) != 0) {
        puts("left out: the other nine matches (../shared/data/doom/matches is not there)");
        return;
    }
    for (size_t i = 0; i < found.gl_pathc; i++) check_match(found.gl_pathv[i]);
    globfree(&found);
}
END_TEST

static void add(TCase *tests) {
    tcase_add_test(tests, shipped_match);
    tcase_add_test(tests, shared_matches);
}

int main(void) {
    return run_tests("match", add);
}
