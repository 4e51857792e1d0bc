// Recorded matches as packed frames: a diff after every few events, applied to what was loaded from the first snapshot,
// leads to the sender's snapshot, to the byte; also from an older seq that a receiver has acknowledged.
#include "support.h"

#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EVENTS_PER_DIFF 20
#define DIFFS_PER_LOOK 97 // at everything, and by a receiver that comes so seldom

static rf_str encoded(const rf_world *world, bool diff, uint64_t from) {
    uint8_t *bytes;
    size_t len;
    ck_assert_int_eq(rf_encode_packed(world, diff, from, 0, rf_allocator_default(), &bytes, &len), RF_OK);
    return (rf_str){(char *)bytes, len};
}

static void drop(rf_str frame) {
    free((char *)(uintptr_t)frame.data);
}

static rf_world *loaded(const rf_world *sender) {
    rf_str frame = encoded(sender, false, 0);
    rf_world_def def = rf_world_def_default();
    rf_world *world;
    ck_assert_int_eq(rf_packed_start(rf_allocator_default(), frame, &def.seq, &def.schema, NULL), RF_OK);
    ck_assert_int_eq(rf_world_new(&def, &world), RF_OK);
    ck_assert_int_eq(rf_load_packed(world, frame, NULL), RF_OK);
    rf_schema_release(def.schema);
    drop(frame);
    return world;
}

static void follow(rf_world *replica, const rf_world *sender) {
    rf_str frame = encoded(sender, true, rf_world_seq(replica));
    REQUIRE(rf_apply_packed(replica, frame, NULL) == RF_OK);
    REQUIRE(rf_world_seq(replica) == rf_world_seq(sender));
    drop(frame);
}

static void check_same(const rf_world *replica, const rf_world *sender) {
    rf_str a = encoded(replica, false, 0), b = encoded(sender, false, 0);
    ck_assert_uint_eq(a.len, b.len);
    ck_assert(memcmp(a.data, b.data, a.len) == 0);
    drop(a);
    drop(b);
}

static void check_match(const char *path, bool quantised) {
    rf_str text = read_file(path);
    rf_world *sender = doom_sender(quantised, EVENTS_PER_DIFF * DIFFS_PER_LOOK + 1), *replica = loaded(sender),
             *seldom = loaded(sender);
    rf_json_batch batch = {.text = text};
    rf_report report;
    rf_fold *fold;
    rf_report_init(&report, rf_allocator_default());
    ck_assert_int_eq(rf_fold_new(sender, &report, &fold), RF_OK);
    for (int diffs = 1; !batch.done; diffs++) {
        ck_assert_int_eq(rf_fold_json(fold, &batch, EVENTS_PER_DIFF), RF_OK);
        follow(replica, sender);
        if (diffs % DIFFS_PER_LOOK != 0 && !batch.done) continue;
        follow(seldom, sender);
        check_same(replica, sender);
        check_same(seldom, sender);
    }
    ck_assert_uint_gt(rf_world_seq(sender), 1000);
    rf_fold_free(fold);
    rf_report_free(&report);
    rf_world_free(sender);
    rf_world_free(replica);
    rf_world_free(seldom);
    free((char *)(uintptr_t)text.data);
}

START_TEST(shipped_match) {
    check_match("priv/demo/freedm-0.12-demo1-MAP21.events.jsonl.gz", _i);
}
END_TEST

START_TEST(shared_matches) {
    glob_t found;
    if (glob("../shared/data/doom/matches/*.events.jsonl.gz", 0, NULL, &found) != 0) {
        puts("left out: packed frames of the other nine matches (../shared/data/doom/matches is not there)");
        return;
    }
    for (size_t i = 0; i < found.gl_pathc; i++) check_match(found.gl_pathv[i], _i);
    globfree(&found);
}
END_TEST

static void add(TCase *tests) {
    tcase_set_timeout(tests, 300);
    tcase_add_loop_test(tests, shipped_match, 0, 2);
    tcase_add_loop_test(tests, shared_matches, 0, 2);
}

int main(void) {
    return run_tests("wire match", add);
}
