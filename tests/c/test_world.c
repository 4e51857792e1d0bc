// The world from inside: handles and generations, the id table, long ids, revisions that run out.
#include "core/world/id_table.h"
#include "core/world/world_state.h"
#include "support.h"

#include <stdio.h>
#include <string.h>

static void create(rf_world *world, const char *id) {
    char text[600];
    rf_report report;
    snprintf(text, sizeof text, "{\"event\":\"create\",\"entity_id\":\"%s\",\"components\":{\"kind\":\"k\"}}", id);
    report = fold_literal(world, text);
    ck_assert_uint_eq(report.folded, 1);
    rf_report_free(&report);
}

static void delete (rf_world *world, const char *id) {
    char text[600];
    rf_report report;
    snprintf(text, sizeof text, "{\"event\":\"delete\",\"entity_id\":\"%s\"}", id);
    report = fold_literal(world, text);
    ck_assert_uint_eq(report.orphaned, 0);
    rf_report_free(&report);
}

static rf_entity find(const rf_world *world, const char *id) {
    return rf_world_find(world, (rf_str){id, strlen(id)});
}

START_TEST(handles_are_used_again_and_generations_tell_them_apart) {
    rf_world *world = doom_world(rf_allocator_default());
    rf_entity a, b;
    create(world, "a");
    create(world, "b");
    a = find(world, "a");
    ck_assert_uint_eq(a.handle1, 1);
    delete (world, "a");
    ck_assert(!rf_world_alive(world, a));
    create(world, "c");
    b = find(world, "c");
    ck_assert_uint_eq(b.handle1, a.handle1);
    ck_assert_uint_ne(b.generation, a.generation);
    ck_assert(rf_world_alive(world, b) && !rf_world_alive(world, a));
    ck_assert(!rf_world_alive(world, (rf_entity){0}));
    ck_assert(!rf_world_alive(world, (rf_entity){.handle1 = 1000}));
    ck_assert_uint_eq(find(world, "nobody").handle1, 0);
    rf_world_free(world);
}
END_TEST

START_TEST(ids_of_every_length) {
    rf_world *world = doom_world(rf_allocator_default());
    char id[256];
    for (size_t len = 1; len <= 255; len++) {
        memset(id, 'x', len);
        id[len] = '\0';
        create(world, id);
    }
    ck_assert_uint_eq(rf_world_count(world), 255);
    for (size_t len = 1; len <= 255; len++) {
        rf_str found;
        memset(id, 'x', len);
        id[len] = '\0';
        found = rf_world_id(world, find(world, id));
        ck_assert_uint_eq(found.len, len);
        if (len % 2) delete (world, id);
    }
    ck_assert_uint_eq(rf_world_count(world), 127);
    rf_world_free(world);
}
END_TEST

// Against a plain array: chains that collide, removed in any order.
START_TEST(the_id_table_finds_what_is_there) {
    rf_mem mem = {.allocator = rf_allocator_default()};
    rf_id_table table = {0};
    uint32_t tags[500] = {0};
    bool there[500] = {false};
    uint64_t state = 99;
    for (int step = 0; step < 20000; step++) {
        uint32_t handle = (uint32_t)(next_random(&state) % 500);
        if (there[handle]) {
            rf_id_table_remove(&table, tags[handle], handle);
        } else {
            ck_assert(rf_id_table_reserve(&table, &mem));
            tags[handle] = (uint32_t)(next_random(&state) % 40) * 7; // few values: long chains
            rf_id_table_add(&table, tags[handle], handle);
        }
        there[handle] = !there[handle];
        for (uint32_t i = 0; i < 500; i += 37) {
            bool found = false;
            for (uint32_t at = tags[i] & table.mask; table.entries[at] != 0; at = (at + 1) & table.mask)
                found = found || (table.entries[at] == ((uint64_t)tags[i] << 32 | (i + 1)));
            ck_assert(found == there[i]);
        }
    }
    rf_id_table_free(&table, &mem);
    ck_assert_uint_eq(mem.used, 0);
}
END_TEST

// Random events; now and then a diff from some earlier seq must lead from the snapshot of then to that of now.
static void check_diffs(rf_world *world, uint64_t seed, int steps) {
    enum { KEPT = 40 };
    json_t *snapshots[KEPT] = {0};
    uint64_t seqs[KEPT] = {0}, state = seed;
    for (int step = 0; step < steps; step++) {
        char text[300];
        int id = (int)(next_random(&state) % 30), what = (int)(next_random(&state) % 10);
        int n = (int)(next_random(&state) % 4), value = (int)(next_random(&state) % 3);
        size_t at = (size_t)step % KEPT;
        rf_report report;
        if (what < 2)
            snprintf(text, sizeof text, "{\"event\":\"delete\",\"entity_id\":\"e%d\"}", id);
        else if (what < 5)
            snprintf(text, sizeof text,
                     "{\"event\":\"create\",\"entity_id\":\"e%d\",\"components\":{\"n%d\":%d,\"health\":%d}}", id, n,
                     value, value);
        else if (what < 6)
            snprintf(text, sizeof text,
                     "{\"event\":\"update\",\"entity_id\":\"e%d\",\"components\":{\"n%d\":null,\"health\":null}}", id,
                     n);
        else
            snprintf(
                text, sizeof text,
                "{\"event\":\"update\",\"entity_id\":\"e%d\",\"components\":{\"n%d\":\"%.*s\",\"position\":[%d,0,0]}}",
                id, n, value * 9, "abcdefghijklmnopqrst", value);
        if (next_random(&state) % 5 == 0) { // not simply the next seq
            size_t len = strlen(text);
            unsigned long long seq = rf_world_seq(world) + 1 + next_random(&state) % 4;
            snprintf(text + len - 1, sizeof text - len, ",\"seq\":%llu}", seq);
        }
        report = fold_literal(world, text);
        ck_assert_uint_eq(report.rejected_count, 0);
        rf_report_free(&report);
        if (step % 3 == 0) {
            json_t *now = world_json(world);
            for (size_t i = 0; i < KEPT; i++) {
                json_t *then, *diff;
                if (!snapshots[i]) continue;
                then = json_deep_copy(snapshots[i]);
                diff = diff_json(world, seqs[i]);
                apply_json(then, diff);
                ck_assert(json_equal(then, now));
                json_decref(then);
                json_decref(diff);
            }
            json_decref(now);
        }
        json_decref(snapshots[at]);
        snapshots[at] = world_json(world);
        seqs[at] = rf_world_seq(world);
    }
    for (size_t i = 0; i < KEPT; i++) json_decref(snapshots[i]);
}

START_TEST(diffs_lead_from_then_to_now) {
    rf_world *world = doom_world(rf_allocator_default());
    check_diffs(world, 1, 3000);
    rf_world_free(world);
}
END_TEST

START_TEST(revisions_that_run_out_are_counted_anew) {
    rf_world *world = doom_world(rf_allocator_default());
    check_diffs(world, 2, 300);
    // As if four billion events had come: nothing that is still remembered may change its order.
    for (uint32_t handle = 0; handle < world->handles; handle++) {
        rf_slot *slot = rf_world_slot(world, handle);
        if (slot->since == 0 || !(rf_world_page(world, handle)->alive >> (handle % RF_PAGE_SIZE) & 1)) continue;
        slot->since = 1;
        rf_world_page(world, handle)->created_at[handle % RF_PAGE_SIZE] = 1;
        rf_world_page(world, handle)->changed_at[handle % RF_PAGE_SIZE] = 1;
    }
    world->history.revision = world->history.first.revision = UINT32_MAX - 100;
    world->start = world->history.first.seq = world->seq;
    world->history.jump_count = 0;
    check_diffs(world, 3, 600);
    ck_assert_uint_lt(world->history.revision, UINT32_MAX / 2);
    rf_world_free(world);
}
END_TEST

START_TEST(copies_are_independent) {
    rf_world *world = doom_world(rf_allocator_default()), *copy;
    json_t *before, *after;
    check_diffs(world, 4, 500);
    before = world_json(world);
    ck_assert_int_eq(rf_world_copy(world, &copy), RF_OK);
    check_diffs(copy, 5, 500);
    after = world_json(world);
    ck_assert(json_equal(before, after));
    json_decref(before);
    json_decref(after);
    rf_world_free(copy);
    rf_world_free(world);
}
END_TEST

START_TEST(defs_that_are_none) {
    rf_world_def def = {0};
    rf_world *world;
    ck_assert_int_eq(rf_world_new(&def, &world), RF_INVALID_ARGUMENT);
    def = rf_world_def_default();
    ck_assert_int_eq(rf_world_new(&def, &world), RF_INVALID_ARGUMENT);
    ck_assert_int_eq(rf_schema_default(def.allocator, &def.schema), RF_OK);
    def.history = 0;
    ck_assert_int_eq(rf_world_new(&def, &world), RF_INVALID_ARGUMENT);
    def.history = 10;
    def.seq = RF_SEQ_MAX + 1;
    ck_assert_int_eq(rf_world_new(&def, &world), RF_INVALID_ARGUMENT);
    def.seq = 0;
    ck_assert_int_eq(rf_world_new(&def, &world), RF_OK);
    rf_world_free(world);
    rf_schema_release(def.schema);
}
END_TEST

static void add(TCase *tests) {
    tcase_add_test(tests, handles_are_used_again_and_generations_tell_them_apart);
    tcase_add_test(tests, ids_of_every_length);
    tcase_add_test(tests, the_id_table_finds_what_is_there);
    tcase_add_test(tests, diffs_lead_from_then_to_now);
    tcase_add_test(tests, revisions_that_run_out_are_counted_anew);
    tcase_add_test(tests, copies_are_independent);
    tcase_add_test(tests, defs_that_are_none);
}

int main(void) {
    return run_tests("world", add);
}
