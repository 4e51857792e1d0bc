// Objects that speak of several entities at once, against the entity events they stand for. (What each form means is in
// tests/vectors/events/changes.json.)
#include "support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint64_t state = 99;

static unsigned below(unsigned limit) {
    return (unsigned)(next_random(&state) % limit);
}

typedef struct text {
    char data[200000];
    size_t len;
} text;

#pragma GCC diagnostic ignored "-Wformat-nonliteral"

static void add(text *to, const char *format, unsigned a, const char *b) {
    to->len += (size_t)snprintf(to->data + to->len, sizeof to->data - to->len, format, a, b);
}

static const char *const values[] = {"1",    "null",      "[1,2.5,-3]", "\"\\u0041\\n\"",     "[0.1, 2 ,3e1]",
                                     "true", "[1,[2,3]]", "{\"b\":1}",  "[\"]\",\"}\",\"]\"]"};
static const char *const names[] = {"position", "health", "n", "kind"};
#define IDS 6

// For each component and id a value or none; as one object, component first and by kind, and as events.
static void random_change(text *first, text *kinds, text *events) {
    const char *cell[4][IDS];
    bool started = false;
    *first = *kinds = *events = (text){.len = 0};
    for (unsigned c = 0; c < 4; c++) {
        bool any = false;
        for (unsigned i = 0; i < IDS; i++) cell[c][i] = below(3) ? NULL : values[below(9)];
        for (unsigned i = 0; i < IDS; i++) {
            if (!cell[c][i]) continue;
            if (!any) add(first, c == 0 || !started ? "%.0u{\"%s\":{" : "%.0u,\"%s\":{", 0, names[c]);
            add(first, any ? ",\"e%u\":%s" : "\"e%u\":%s", i, cell[c][i]);
            any = started = true;
        }
        if (any) add(first, "%.0u}%s", 0, "");
    }
    add(first, "%.0u%s", 0, started ? ",\"created\":[\"e4\"]}" : "{\"created\":[\"e4\"]}");
    add(kinds, "%.0u{\"deleted\" : [ ] ,\"created\":[\"e4\"]%s", 0, ",\"things\":[");
    for (unsigned i = 0; i < IDS; i++) {
        bool any = false;
        add(kinds, i ? ",{\"id\":\"e%u\"%s" : "{\"id\":\"e%u\"%s", i, "");
        add(events,
            i == 4 ? "{\"event\":\"create\",\"entity_id\":\"e%u\",\"components\":{%s"
                   : "{\"event\":\"update\",\"entity_id\":\"e%u\",\"components\":{%s",
            i, "");
        for (unsigned c = 0; c < 4; c++) {
            if (!cell[c][i]) continue;
            add(kinds, ", \"%2$s\"", 0, names[c]);
            add(kinds, " : %2$s ", 0, cell[c][i]);
            add(events, any ? ",\"%2$s\":" : "\"%2$s\":", 0, names[c]);
            add(events, "%2$s", 0, cell[c][i]);
            any = true;
        }
        add(kinds, "%.0u}%s", 0, "");
        add(events, "%.0u}}%s", 0, "\n");
    }
    add(kinds, "%.0u]}%s", 0, "");
}

static void fold_into(rf_world *world, const text *input, rf_report *report) {
    char *copy = malloc(input->len); // exact, so that a sanitizer sees a read behind it
    memcpy(copy, input->data, input->len);
    *report = fold_text(world, (rf_str){copy, input->len});
    free(copy);
}

START_TEST(is_the_entity_events) {
    text *texts = malloc(3 * sizeof *texts);
    for (int round = 0; round < 300; round++) {
        rf_report reports[3];
        json_t *found[3];
        random_change(&texts[0], &texts[1], &texts[2]);
        for (int i = 0; i < 3; i++) {
            rf_world *world = doom_world(rf_allocator_default());
            rf_report report =
                fold_literal(world, "{\"created\":[\"e0\",\"e1\",\"e2\",\"e4\"],\"n\":{\"e4\":1,\"e1\":2}}");
            rf_report_free(&report);
            fold_into(world, &texts[i], &reports[i]);
            ck_assert_uint_eq(rf_world_seq(world), i == 2 ? 1 + IDS : 2);
            found[i] = world_json(world);
            rf_world_free(world);
        }
        for (int i = 0; i < 2; i++) {
            ck_assert_msg(json_equal(found[i], found[2]), "%s\n%s", texts[i].data, texts[2].data);
            ck_assert_uint_eq(reports[i].orphaned, reports[2].orphaned);
            ck_assert_uint_eq(reports[i].rejected_count, reports[2].rejected_count);
        }
        for (int i = 0; i < 3; i++) {
            rf_report_free(&reports[i]);
            json_decref(found[i]);
        }
    }
    free(texts);
}
END_TEST

START_TEST(a_text_cut_at_every_byte) {
    static const char *const whole[] = {
        "{\"health\":{\"a\":1,\"b\":[1,\"\\u0041\",{\"x\":null}]},\"created\":[\"c\"],\"deleted\":[\"\\n\",7]}",
        "{\"deleted\":[],\"bats\":[{\"id\":\"a\",\"n\":{\"x\":[]}},5],\"seq\":3}",
        "{\"bats\":[{\"id\":\"\\u0061\",\"n\":{\"x\":[]}},{\"n\":-1e3,\"id\":\"b\"}],\"cats\":[]}",
    };
    for (int i = 0; i < 3; i++) {
        text *cut = malloc(sizeof *cut);
        strcpy(cut->data, whole[i]);
        for (cut->len = 1; cut->len <= strlen(whole[i]); cut->len++) {
            rf_world *world = doom_world(rf_allocator_default());
            rf_report report;
            fold_into(world, cut, &report);
            ck_assert_uint_eq(report.folded, cut->len == strlen(whole[i]));
            if (report.folded == 0) {
                ck_assert_uint_eq(report.rejected_count, 1);
                ck_assert_uint_eq(report.rejected[0].offset, cut->len);
            }
            rf_report_free(&report);
            rf_world_free(world);
        }
        free(cut);
    }
}
END_TEST

// A thousand there, then a snapshot of every third and of new ones: they alone remain, the others' handles are used
// again, and who stays keeps his.
START_TEST(a_snapshot_is_all_there_is) {
    rf_world *world = doom_world(rf_allocator_default());
    text *input = malloc(sizeof *input);
    rf_entity entity = {0};
    rf_report report;
    *input = (text){.len = 0};
    for (unsigned i = 0; i < 1000; i++)
        add(input, "{\"event\":\"create\",\"entity_id\":\"e%u\",\"components\":{\"health\":1}}%s", i, "\n");
    fold_into(world, input, &report);
    rf_report_free(&report);
    input->len = 0;
    add(input, "%.0u{\"bats\":[%s", 0, "");
    for (unsigned i = 0; i < 1500; i += 3)
        add(input, i ? ",{\"id\":\"e%u\",\"n\":%s}" : "{\"id\":\"e%u\",\"n\":%s}", i, "7");
    add(input, "%.0u]}%s", 0, "");
    fold_into(world, input, &report);
    ck_assert_uint_eq(report.folded, 1);
    ck_assert_uint_eq(report.rejected_count, 0);
    ck_assert_uint_eq(rf_world_count(world), 500);
    ck_assert_uint_eq(rf_world_seq(world), 1001);
    while (rf_world_next(world, &entity)) {
        rf_component component;
        unsigned number = (unsigned)atoi(rf_world_id(world, entity).data + 1);
        ck_assert_uint_eq(number % 3, 0);
        ck_assert_uint_lt(entity.handle1, 1001);
        if (number < 1000) ck_assert_uint_eq(entity.handle1, number + 1);
        ck_assert(rf_world_get(world, entity, STR("n"), &component));
        ck_assert(!rf_world_get(world, entity, STR("health"), &component));
    }
    rf_report_free(&report);
    rf_world_free(world);
    free(input);
}
END_TEST

// In lines and in an array: what is large waits, and then comes out as if it had not.
START_TEST(large_objects_can_wait) {
    static const char *const texts[] = {
        "{\"created\":[\"a\"]}\n{\"n\":{\"a\":\"twenty bytes and more\"}}\n{\"health\":{\"a\":1}}\n{\"event\":\"a name "
        "is no matter\"}",
        "[{\"created\":[\"a\"]} , {\"n\":{\"a\":\"twenty bytes and more\"}},{\"health\":{\"a\":1}},{\"event\":\"a name "
        "is no matter\"}]",
        "[{\"created\":[\"a\"],\"n\":{\"a\":\"at the very start\"}}]",
    };
    for (int i = 0; i < 3; i++) {
        rf_world *world = doom_world(rf_allocator_default());
        rf_json_batch batch = {.text = {texts[i], strlen(texts[i])}, .large = 20};
        unsigned stops = 0;
        rf_report report;
        rf_fold *fold;
        json_t *found;
        rf_report_init(&report, rf_allocator_default());
        ck_assert_int_eq(rf_fold_new(world, &report, &fold), RF_OK);
        while (!batch.done) {
            ck_assert_int_eq(rf_fold_json(fold, &batch, 2), RF_OK);
            if (batch.stopped) {
                ck_assert_int_eq(rf_fold_json(fold, &batch, 2), RF_OK);
                ck_assert(batch.stopped); // it is still there
                batch.large = 0;
                ck_assert_int_eq(rf_fold_json(fold, &batch, 1), RF_OK);
                ck_assert(!batch.stopped);
                batch.large = 20;
                stops++;
            }
        }
        ck_assert_uint_eq(stops, 1);
        ck_assert_uint_eq(report.folded, i == 2 ? 1 : 3);
        ck_assert_uint_eq(report.rejected_count, i == 2 ? 0 : 1);
        found = world_json(world);
        ck_assert_uint_eq(strlen(json_string_value(json_object_get(json_object_get(found, "a"), "n"))),
                          i == 2 ? 17 : 21);
        json_decref(found);
        rf_fold_free(fold);
        rf_report_free(&report);
        rf_world_free(world);
    }
}
END_TEST

static void tests(TCase *tcase) {
    tcase_add_test(tcase, large_objects_can_wait);
    tcase_add_test(tcase, is_the_entity_events);
    tcase_add_test(tcase, a_text_cut_at_every_byte);
    tcase_add_test(tcase, a_snapshot_is_all_there_is);
}

int main(void) {
    return run_tests("fold_changes", tests);
}
