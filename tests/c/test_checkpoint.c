// What a world says of its handles for a checkpoint, and a world that is made of that.
#include "support.h"

#include <stdio.h>
#include <stdlib.h>

// Creates or deletes entities whose ids are single letters.
static void fold(rf_world *world, const char *event, const char *ids) {
    for (; *ids; ids++) {
        char text[100];
        rf_report report;
        snprintf(text, sizeof text, "{\"event\":\"%s\",\"entity_id\":\"%c\",\"components\":{}}", event, *ids);
        report = fold_literal(world, text);
        ck_assert_uint_eq(report.folded, 1);
        ck_assert_uint_eq(report.orphaned, 0);
        rf_report_free(&report);
    }
}

static rf_entity find(const rf_world *world, char id) {
    return rf_world_find(world, (rf_str){&id, 1});
}

static rf_world *world_at(rf_allocator allocator, uint64_t seq, uint32_t history) {
    rf_world_def def = rf_world_def_default();
    rf_world *world;
    def.allocator = allocator;
    def.seq = seq;
    def.history = history;
    def.max_entities = 200;
    ck_assert_int_eq(rf_schema_default(allocator, &def.schema), RF_OK);
    ck_assert_int_eq(rf_world_new(&def, &world), RF_OK);
    rf_schema_release(def.schema);
    return world;
}

// New entities get the free handles in the order in which they are listed.
static void check_free(rf_world *world, const uint32_t *handles1, size_t count) {
    uint32_t handle1 = 0;
    char id[] = "0";
    for (size_t i = 0; i < count; i++) {
        handle1 = rf_world_next_free(world, handle1);
        ck_assert_uint_eq(handle1, handles1[i]);
    }
    ck_assert_uint_eq(rf_world_next_free(world, handle1), 0);
    for (size_t i = 0; i < count; i++, ++*id) {
        fold(world, "create", id);
        ck_assert_uint_eq(find(world, *id).handle1, handles1[i]);
    }
    ck_assert_uint_eq(rf_world_next_free(world, 0), 0);
}

START_TEST(free_handles_are_listed_in_the_order_of_their_use) {
    rf_world *world = world_at(rf_allocator_default(), 0, 1024), *mirror;
    uint8_t *frame;
    size_t len;
    ck_assert_uint_eq(rf_world_next_free(world, 0), 0);
    fold(world, "create", "abcde");
    ck_assert_uint_eq(rf_world_next_free(world, 0), 0);
    fold(world, "delete", "bea");
    ck_assert_int_eq(rf_encode_packed(world, false, 0, 0, rf_allocator_default(), &frame, &len), RF_OK);
    mirror = world_at(rf_allocator_default(), rf_world_seq(world), 1024);
    ck_assert(!rf_world_mirrors(mirror));
    ck_assert_int_eq(rf_load_packed(mirror, (rf_str){(char *)frame, len}, NULL), RF_OK);
    ck_assert(rf_world_mirrors(mirror) && !rf_world_mirrors(world));
    free(frame);
    for (uint32_t handle1 = 0; handle1 < 20; handle1++) {
        uint32_t after[] = {1, 5, 0, 0, 0, 2},
                 lowest[] = {1, 2, 0, 0, 0, 0}; // of those that are in use, or none, nothing
        ck_assert_uint_eq(rf_world_next_free(world, handle1), handle1 < 6 ? after[handle1] : 0);
        ck_assert_uint_eq(rf_world_next_free(mirror, handle1), handle1 < 6 ? lowest[handle1] : 0);
    }
    ck_assert_uint_eq(rf_world_next_free(world, UINT32_MAX), 0);
    ck_assert_uint_eq(rf_world_next_free(mirror, UINT32_MAX), 0);
    check_free(world, (uint32_t[]){1, 5, 2}, 3);
    // A mirror does not know in which order they became free, nor of those after the last one in use.
    check_free(mirror, (uint32_t[]){1, 2}, 2);
    rf_world_free(mirror);
    rf_world_free(world);
}
END_TEST

START_TEST(handles_are_given_out_as_they_were_set) {
    uint32_t handles1[] = {3, 1, 130, 2};
    uint32_t all[200];
    rf_world *world = world_at(rf_allocator_default(), 0, 1024);
    ck_assert_int_eq(rf_world_set_free(world, handles1, 4), RF_INVALID_ARGUMENT); // there is no 130 of 4
    rf_world_free(world);
    for (uint32_t i = 0; i < 200; i++) all[i] = 200 - i;
    world = world_at(rf_allocator_default(), 0, 1024);
    ck_assert_int_eq(rf_world_set_free(world, all, 200), RF_OK);
    ck_assert_uint_eq(rf_world_count(world), 0);
    fold(world, "create", "ab");
    ck_assert_uint_eq(find(world, 'a').handle1, 200);
    ck_assert_uint_eq(find(world, 'b').handle1, 199);
    ck_assert_uint_eq(rf_world_next_free(world, 0), 198);
    ck_assert_int_eq(rf_world_set_free(world, all, 200), RF_INVALID_ARGUMENT); // it is not new any more
    rf_world_free(world);
    world = world_at(rf_allocator_default(), 0, 1024);
    ck_assert_int_eq(rf_world_set_free(world, NULL, 0), RF_OK);
    fold(world, "create", "a");
    ck_assert_uint_eq(find(world, 'a').handle1, 1);
    rf_world_resume(world, true);
    fold(world, "create", "bc");
    fold(world, "delete", "ab");
    check_free(world, (uint32_t[]){1, 2}, 2);
    rf_world_free(world);
}
END_TEST

static void check_refused(const uint32_t *handles1, uint32_t count, rf_status expected) {
    rf_world *world = world_at(rf_allocator_default(), 0, 1024);
    ck_assert_int_eq(rf_world_set_free(world, handles1, count), expected);
    // It can be used, or at least freed.
    fold(world, "create", "a");
    ck_assert_uint_eq(find(world, 'a').handle1, 1);
    rf_world_free(world);
}

START_TEST(handles_that_cannot_be_set) {
    static const uint32_t many[201];
    check_refused((uint32_t[]){1, 0}, 2, RF_INVALID_ARGUMENT);
    check_refused((uint32_t[]){1, 3}, 2, RF_INVALID_ARGUMENT);
    check_refused((uint32_t[]){2, 2}, 2, RF_INVALID_ARGUMENT);
    check_refused((uint32_t[]){1, 1}, 2, RF_INVALID_ARGUMENT);
    check_refused((uint32_t[]){UINT32_MAX}, 1, RF_INVALID_ARGUMENT);
    check_refused(many, 201, RF_WORLD_FULL);
}
END_TEST

START_TEST(handles_without_memory) {
    uint32_t all[200];
    rf_status status = RF_NO_MEMORY;
    for (uint32_t i = 0; i < 200; i++) all[i] = i + 1;
    for (long n = 1; status != RF_OK; n++) {
        test_memory memory = {0};
        rf_world *world = world_at(test_allocator(&memory), 0, 1024);
        memory.fail_at = memory.allocations + n;
        status = rf_world_set_free(world, all, 200);
        ck_assert(status == RF_OK || status == RF_NO_MEMORY);
        rf_world_free(world);
        ck_assert_int_eq(memory.blocks, 0);
        ck_assert_int_le(n, 10);
    }
}
END_TEST

// The seq is 100 at the start; each event is one.
START_TEST(entities_say_when_they_came_to_be) {
    rf_world *world = world_at(rf_allocator_default(), 100, 8);
    fold(world, "create", "abc"); // 101, 102, 103
    fold(world, "delete", "b");
    fold(world, "create", "d"); // 105, b's handle
    fold(world, "create", "c"); // again: it is the same entity
    ck_assert_uint_eq(rf_world_oldest(world), 100);
    ck_assert_uint_eq(rf_world_since(world, find(world, 'a')), 101);
    ck_assert_uint_eq(rf_world_since(world, find(world, 'c')), 103);
    ck_assert_uint_eq(rf_world_since(world, find(world, 'd')), 105);
    fold(world, "create", "aaaaaa"); // 112
    ck_assert_uint_eq(rf_world_oldest(world), 104);
    ck_assert_uint_eq(rf_world_since(world, find(world, 'a')), 104);
    ck_assert_uint_eq(rf_world_since(world, find(world, 'd')), 105);
    rf_world_free(world);
}
END_TEST

// Whether an update of handle 1, whose entity is d since seq 105, is folded.
static void check_known(rf_world *world, uint8_t known, rf_status expected, uint64_t orphaned) {
    uint8_t frame[] = {0x13, known, 0, 0, 0, 1, 1, 1, 0};
    rf_packed_batch batch = {.frame = {(char *)frame, sizeof frame}};
    rf_report report;
    rf_error error;
    rf_fold *fold;
    uint8_t *snapshot;
    size_t len;
    // The schema's tag, as in a diff from now to now.
    ck_assert_int_eq(rf_encode_packed(world, true, rf_world_seq(world), 0, rf_allocator_default(), &snapshot, &len),
                     RF_OK);
    frame[3] = snapshot[3];
    free(snapshot);
    rf_report_init(&report, rf_allocator_default());
    ck_assert_int_eq(rf_fold_new(world, &report, &fold), RF_OK);
    ck_assert_int_eq(rf_fold_packed(fold, &batch, SIZE_MAX, &error), expected);
    ck_assert_uint_eq(report.orphaned, orphaned);
    rf_fold_free(fold);
    rf_report_free(&report);
}

START_TEST(a_world_made_of_a_checkpoint_knows_past_handles_and_no_past_changes) {
    uint32_t handles1[] = {1, 2};
    rf_world *world = world_at(rf_allocator_default(), 100, 20);
    rf_report report;
    rf_diff *diff;
    ck_assert_int_eq(rf_world_set_free(world, handles1, 2), RF_OK);
    fold(world, "create", "a"); // 101
    report = fold_literal(world, "{\"event\":\"create\",\"entity_id\":\"d\",\"components\":{},\"seq\":105}");
    rf_report_free(&report);
    rf_world_resume(world, false);
    ck_assert_uint_eq(rf_world_start(world), 105);
    ck_assert_uint_eq(rf_world_oldest(world), 100);
    ck_assert_uint_eq(rf_world_since(world, find(world, 'd')), 105);
    ck_assert_int_eq(rf_diff_new(world, 104, &diff), RF_HISTORY_GONE);
    ck_assert_int_eq(rf_diff_new(world, 105, &diff), RF_OK);
    rf_diff_free(diff);
    check_known(world, 99, RF_HISTORY_GONE, 0);
    check_known(world, 104, RF_OK, 1);
    check_known(world, 105, RF_OK, 0);
    rf_world_free(world);
}
END_TEST

static void add(TCase *tests) {
    tcase_add_test(tests, free_handles_are_listed_in_the_order_of_their_use);
    tcase_add_test(tests, handles_are_given_out_as_they_were_set);
    tcase_add_test(tests, handles_that_cannot_be_set);
    tcase_add_test(tests, handles_without_memory);
    tcase_add_test(tests, entities_say_when_they_came_to_be);
    tcase_add_test(tests, a_world_made_of_a_checkpoint_knows_past_handles_and_no_past_changes);
}

int main(void) {
    return run_tests("checkpoint", add);
}
