// Events from JSON text: an event read by its template must come out as the same event read in full; and broken text.
#include "support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

// Folds each line by itself, so that no template is there, and all together, so that they are used.
static void check_alike(char **lines, size_t count) {
    rf_world *alone = doom_world(rf_allocator_default()), *together = doom_world(rf_allocator_default());
    size_t len = 0, at = 0;
    uint64_t folded = 0, orphaned = 0, rejected = 0, stale = 0, gaps = 0;
    rf_report report;
    json_t *a, *b;
    char *text;
    for (size_t i = 0; i < count; i++) {
        report = fold_literal(alone, lines[i]);
        folded += report.folded;
        orphaned += report.orphaned;
        rejected += report.rejected_count;
        stale += report.stale;
        gaps += report.gaps;
        rf_report_free(&report);
        len += strlen(lines[i]) + 1;
    }
    text = malloc(len);
    for (size_t i = 0; i < count; i++) {
        memcpy(text + at, lines[i], strlen(lines[i]));
        at += strlen(lines[i]);
        text[at++] = '\n';
    }
    report = fold_text(together, (rf_str){text, len});
    ck_assert_uint_eq(report.folded, folded);
    ck_assert_uint_eq(report.orphaned, orphaned);
    ck_assert_uint_eq(report.rejected_count, rejected);
    ck_assert_uint_eq(report.stale, stale);
    ck_assert_uint_eq(report.gaps, gaps);
    ck_assert_uint_eq(rf_world_seq(alone), rf_world_seq(together));
    a = world_json(alone);
    b = world_json(together);
    ck_assert(json_equal(a, b));
    json_decref(a);
    json_decref(b);
    rf_report_free(&report);
    rf_world_free(alone);
    rf_world_free(together);
    free(text);
}

// The texts are made from formats in a table.
#pragma GCC diagnostic ignored "-Wformat-nonliteral"

static const char *const values[] = {
    "1",         "-1.5",
    "\"x\"",     "\"\\u0041\"",
    "null",      "true",
    "[1,2,3]",   "[1.0, -2.25,3e1]",
    "[1,2]",     "[]",
    "{}",        "{\"a\":1}",
    "-0",        "01",
    "tru",       "\"",
    "1e400",     "99999999999999999999",
    "[1,2,3,4]", "[\"a\"]",
};
static const char *const shapes[] = {
    "{\"event\":\"create\",\"entity_id\":\"e%d\",\"components\":{\"position\":%s,\"n\":%s}}",
    "{\"event\":\"update\",\"entity_id\":\"e%d\",\"components\":{\"position\":%s,\"n\":%s}}",
    "{\"components\":{\"n\":%3$s,\"position\":%2$s},\"entity_id\":\"e%1$d\",\"event\":\"update\"}",
    "{\"event_name\":\"player_hit\",\"user_id\":\"e%d\",\"health\":%s,\"damage\":%s}",
    "{\"event_name\":\"player_moved\",\"user_id\":\"e%d\",\"position\":%s,\"at\":%s}",
    "{\"event_name\":\"weapon_collected\",\"user_id\":\"e%d\",\"weapon\":%s,\"item_id\":%s}",
    "{\"event\":\"delete\",\"entity_id\":\"e%d\",\"x\":%s,\"y\":%s}",
    "{ \"event\" : \"update\", \"entity_id\":\"e%d\",\"components\":{\"n\":%s , \"n2\" : %s } }",
    "{\"event\":\"update\",\"entity_id\":\"e%d\",\"components\":{\"n\":%s,\"n\":%s}}",
    "{\"event\":\"update\",\"components\":{\"rotation\":%2$s},\"entity_id\":\"e%1$d\",\"entity_id\":%3$s}",
};

START_TEST(templates_change_nothing) {
    uint64_t state = 4711;
    for (int round = 0; round < 60; round++) {
        char *lines[200];
        size_t count = sizeof lines / sizeof *lines;
        for (size_t i = 0; i < count; i++) {
            const char *shape = shapes[next_random(&state) % (round % 3 == 0 ? 10 : 3)];
            // Mostly the values that make a template fit.
            const char *a = values[next_random(&state) % (next_random(&state) % 4 ? 8 : 20)];
            const char *b = values[next_random(&state) % (next_random(&state) % 4 ? 8 : 20)];
            lines[i] = malloc(512);
            snprintf(lines[i], 512, shape, (int)(next_random(&state) % 5), a, b);
        }
        check_alike(lines, count);
        for (size_t i = 0; i < count; i++) free(lines[i]);
    }
}
END_TEST

static const char *const plain_values[] = {
    "[1.5,-2.25,0.125]", "[-10,20.5,3]", "[0.5,0.5,0.5]", "[1234567.25,-0.0,1]",
    "[0,-0,1]",          "[1,2]",        "[1.5,2.5,1e2]", "[0,0,0,1]",
    "[1.5,-2,0.25,0.5]", "null",         "\"x\"",         "[1.5,2.5,3.5",
};
static const char *const plain_seqs[] = {
    "1",   "2", "3",  "10",  "20",  "50",   "100",       "200", "400", "12345678",         "123456789", "1234567890123",
    "7.0", "0", "-3", "1e2", "012", "null", "\"seven\"", "1.5", "[1]", "9007199254740993",
};
static const char *const plain_shapes[] = {
    "{\"event\":\"update\",\"entity_id\":\"e%d\",\"components\":{\"position\":%s},\"seq\":%s,\"by\":\"tom\"}",
    "{\"event_name\":\"thing_moved\",\"id\":\"e%d\",\"position\":%s,\"seq\":%s,\"at\":1700000003143}",
    "{\"event_name\":\"player_moved\",\"user_id\":\"e%d\",\"rotation\":%s,\"x\":%s}",
    "{\"event\":\"create\",\"entity_id\":\"e%d\",\"components\":{\"position\":%s,\"x\":%s}}",
    "{\"event_name\":\"thing_moved\",\"id\":\"\\u0065%d\",\"position\":%s,\"seq\":%s}",
    "{\"event_name\":\"thing_moved\",\"id\":\"\",\"x\":%d,\"position\":%s,\"seq\":%s}",
    "{\"event\":\"update\",\"entity_id\":\"e%d\",\"components\":{\"position\":%s},\"seq\":%s} x",
    "{\"components\":{\"position\":%2$s},\"entity_id\":\"e%1$d\",\"event\":\"create\",\"seq\":%3$s}",
    "{\"components\":{\"position\":%2$s},\"entity_id\":\"e%1$d\",\"event\":\"update\",\"seq\":%3$s}",
    "{\"components\":{\"rotation\":%2$s},\"entity_id\":\"e%1$d\",\"event\":\"create\"}",
    "{\"entity_id\":\"e%1$d\",\"event\":\"delete\",\"seq\":%3$s}",
};

// The same for updates of numbers, which need no draft: with every kind of seq, and those that need one among them.
START_TEST(plain_updates_are_the_same) {
    uint64_t state = 815;
    for (int round = 0; round < 200; round++) {
        char *lines[100];
        size_t count = sizeof lines / sizeof *lines;
        unsigned shape_count = round % 2 ? 3 : sizeof plain_shapes / sizeof *plain_shapes;
        for (size_t i = 0; i < count; i++) {
            const char *shape = plain_shapes[next_random(&state) % shape_count];
            const char *numbers = plain_values[next_random(&state) % (next_random(&state) % 4 ? 4 : 12)];
            const char *seq = plain_seqs[next_random(&state) % (next_random(&state) % 4 ? 9 : 22)];
            char next[8];
            snprintf(next, sizeof next, "%zu", i + 1);
            if (next_random(&state) % 2) seq = next;
            lines[i] = malloc(512);
            snprintf(lines[i], 512, shape, (int)(next_random(&state) % 4), numbers, seq);
        }
        check_alike(lines, count);
        for (size_t i = 0; i < count; i++) free(lines[i]);
    }
}
END_TEST

START_TEST(a_text_cut_at_every_byte) {
    static const char text[] = "{\"event\":\"create\",\"entity_id\":\"a\",\"components\":{\"position\":[1,2.5,-3e1],"
                               "\"n\":{\"\\u00e9\":[true]}}}\n"
                               "[1]\n{\"event_name\":\"player_hit\",\"user_id\":\"a\",\"damage\":5}\n";
    for (size_t len = 0; len < sizeof text; len++) {
        // An exact copy, so that a sanitizer sees a read behind it.
        char *copy = malloc(len ? len : 1);
        rf_world *world = doom_world(rf_allocator_default());
        rf_report report;
        memcpy(copy, text, len);
        report = fold_text(world, (rf_str){copy, len});
        ck_assert_uint_le(report.folded, 2);
        ck_assert_uint_le(report.rejected_count, 2);
        for (uint32_t i = 0; i < report.rejected_len; i++)
            ck_assert(report.rejected[i].offset == RF_NOWHERE || report.rejected[i].offset <= len);
        rf_report_free(&report);
        rf_world_free(world);
        free(copy);
    }
}
END_TEST

// Many keys in one object use another way to find those that are there twice.
START_TEST(duplicates_among_many_keys) {
    for (int twice = 0; twice < 2; twice++) {
        rf_world *world = doom_world(rf_allocator_default());
        char *text = malloc(200000), *at = text;
        rf_report report;
        at += sprintf(at, "{\"event_name\":\"door_triggered\",\"x\":{");
        for (int i = 0; i < 5000; i++) at += sprintf(at, "\"key%d\":{\"key%d\":1},", i, i);
        at += sprintf(at, "\"key%d\":2}}", twice ? 17 : 5000);
        report = fold_literal(world, text);
        ck_assert_uint_eq(report.folded, twice ? 0 : 1);
        if (twice) ck_assert_int_eq(report.rejected[0].status, RF_DUPLICATE_KEY);
        rf_report_free(&report);
        rf_world_free(world);
        free(text);
    }
}
END_TEST

START_TEST(batches_of_any_size_are_the_same) {
    rf_str text = STR(
        "[{\"event_name\":\"user_joined\",\"user_id\":\"a\"},5,{\"event_name\":\"user_left\",\"user_id\":\"a\"},{]");
    for (size_t size = 1; size < 6; size++) {
        rf_world *world = doom_world(rf_allocator_default());
        rf_json_batch batch = {.text = text};
        rf_report report;
        rf_fold *fold;
        rf_report_init(&report, rf_allocator_default());
        ck_assert_int_eq(rf_fold_new(world, &report, &fold), RF_OK);
        while (!batch.done) ck_assert_int_eq(rf_fold_json(fold, &batch, size), RF_OK);
        ck_assert_uint_eq(report.folded, 2);
        ck_assert_uint_eq(report.rejected_count, 2);
        ck_assert_int_eq(report.rejected[1].status, RF_UNEXPECTED_BYTE);
        ck_assert_uint_eq(report.rejected[1].index, 3);
        rf_fold_free(fold);
        rf_report_free(&report);
        rf_world_free(world);
    }
}
END_TEST

// The end of a broken object is searched in what follows it, for the event's name. A text of many of them must not be
// searched to its end for each: here what is too far away can't be read.
START_TEST(the_end_of_broken_objects_is_not_searched_again_and_again) {
    static const char broken[] = "{\"a\":[1\n";
    static const char line[] = "{\"event\":\"create\",\"entity_id\":\"x\",\"components\":{}}\n";
    const size_t page = (size_t)sysconf(_SC_PAGESIZE), len = 8 * page, vain = 2 << 20;
    rf_world *world = doom_world(rf_allocator_default());
    rf_json_batch batch = {0};
    rf_report report;
    rf_fold *fold;
    char *text = malloc(vain), *late;
    void *pages;
    ck_assert_int_eq(posix_memalign(&pages, page, len), 0);
    rf_report_init(&report, rf_allocator_default());
    ck_assert_int_eq(rf_fold_new(world, &report, &fold), RF_OK);
    memset(text, ' ', vain);
    memcpy(text, broken, sizeof broken - 1);
    batch.text = (rf_str){text, vain};
    while (!batch.done) ck_assert_int_eq(rf_fold_json(fold, &batch, 1), RF_OK);
    memset(pages, ' ', len);
    memcpy(pages, broken, sizeof broken - 1);
    memcpy((char *)pages + sizeof broken - 1, line, sizeof line - 1);
    ck_assert_int_eq(mprotect((char *)pages + 4 * page, 4 * page, PROT_NONE), 0);
    batch = (rf_json_batch){.text = {pages, len}};
    ck_assert_int_eq(rf_fold_json(fold, &batch, 2), RF_OK);
    ck_assert_uint_eq(report.rejected_count, 2);
    ck_assert_uint_eq(report.folded, 1);
    ck_assert_int_eq(mprotect((char *)pages + 4 * page, 4 * page, PROT_READ | PROT_WRITE), 0);
    // A name that comes so late is found all the same.
    late = text + sprintf(text, "{\"components\":{\"note\":\"");
    memset(late, 'x', 5000);
    strcpy(late + 5000, "\"},\"entity_id\":\"y\",\"event\":\"create\"}");
    batch = (rf_json_batch){.text = {text, strlen(text)}};
    ck_assert_int_eq(rf_fold_json(fold, &batch, 1), RF_OK);
    ck_assert_uint_eq(report.folded, 2);
    ck_assert(rf_world_alive(world, rf_world_find(world, STR("y"))));
    rf_fold_free(fold);
    rf_report_free(&report);
    rf_world_free(world);
    free(pages);
    free(text);
}
END_TEST

static void add(TCase *tests) {
    tcase_add_test(tests, templates_change_nothing);
    tcase_add_test(tests, plain_updates_are_the_same);
    tcase_add_test(tests, a_text_cut_at_every_byte);
    tcase_add_test(tests, duplicates_among_many_keys);
    tcase_add_test(tests, batches_of_any_size_are_the_same);
    tcase_add_test(tests, the_end_of_broken_objects_is_not_searched_again_and_again);
}

int main(void) {
    return run_tests("fold_json", add);
}
