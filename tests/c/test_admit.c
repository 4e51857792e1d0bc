// What a room takes in: the records that are written, what is refused and why, and that the world stays as it is.
#include "support.h"

#include <stdio.h>
#include <string.h>

static const char *const people[] = {
    "{\"event\":\"create\",\"entity_id\":\"tom\",\"components\":{\"health\":5}}",
    "{\"event\":\"create\",\"entity_id\":\"box\",\"components\":{\"owner\":\"tom\"}}",
    "{\"event\":\"create\",\"entity_id\":\"ann\",\"components\":{\"owner\":7,\"frags\":\"many\"}}",
};

static rf_world *small_world(rf_allocator allocator) {
    rf_world *world = doom_world(allocator);
    for (size_t i = 0; i < sizeof people / sizeof *people; i++) {
        rf_report report = fold_literal(world, people[i]);
        rf_report_free(&report);
    }
    return world;
}

static rf_str text_of(const char *text) {
    return (rf_str){text, strlen(text)};
}

// One event by one sender ("": the room).
static rf_status admit_one(rf_admission *admission, const char *by, const char *text, rf_error *error) {
    rf_str texts[] = {text_of(text)};
    rf_item item = {.by = text_of(*by ? by : "system"), .trusted = !*by, .texts = texts, .count = 1};
    uint64_t first;
    size_t index;
    return rf_admit(admission, &item, &first, error, &index);
}

START_TEST(records_are_events_with_seq_at_and_by) {
    rf_world *world = small_world(rf_allocator_default());
    rf_str texts[] = {
        STR("{\"event_name\":\"door_triggered\"}"),
        STR(" \n{\"event\":\"update\",\r\n\"entity_id\":\"box\",\"components\":{\"lid\":\"o\\npen\"}}\t")};
    rf_item item = {.by = STR("tom"), .texts = texts, .count = 2};
    static const char expected[] =
        "{\"event_name\":\"door_triggered\",\"seq\":4,\"at\":-7,\"by\":\"tom\"}\n"
        "{\"event\":\"update\",  "
        "\"entity_id\":\"box\",\"components\":{\"lid\":\"o\\npen\"},\"seq\":5,\"at\":-7,\"by\":\"tom\"}\n";
    rf_admission *admission;
    rf_report report;
    rf_error error;
    rf_str text;
    uint64_t first;
    size_t index;
    ck_assert_int_eq(rf_admission_new(world, -7, &admission), RF_OK);
    ck_assert_int_eq(rf_admit(admission, &item, &first, &error, &index), RF_OK);
    ck_assert_uint_eq(first, 4);
    text = rf_admission_text(admission);
    ck_assert_uint_eq(text.len, sizeof expected - 1);
    ck_assert_mem_eq(text.data, expected, text.len);
    ck_assert_uint_eq(rf_world_seq(world), 3);
    report = fold_text(world, text);
    ck_assert_uint_eq(report.folded, 2);
    ck_assert_uint_eq(report.rejected_count + report.gaps + report.stale, 0);
    rf_report_free(&report);
    rf_admission_free(admission);
    rf_world_free(world);
}
END_TEST

static const struct refusal {
    const char *by, *text;
    rf_status status;
    const char *about;
    uint64_t offset;
} refusals[] = {
    {"tom", "", RF_UNEXPECTED_END, "", 0},
    {"tom", "[]", RF_NOT_AN_EVENT, "", RF_NOWHERE},
    {"tom", "7", RF_NOT_AN_EVENT, "", RF_NOWHERE},
    {"tom", "x", RF_UNEXPECTED_BYTE, "", 0},
    {"tom", "{\"event_name\":\"door_triggered\"}]", RF_UNEXPECTED_BYTE, "", 31},
    {"tom", "{\"a\":1}", RF_INVALID_NAME, "", RF_NOWHERE},
    {"tom", "{\"event_name\":\"moon_landed\"}", RF_UNKNOWN_EVENT, "moon_landed", RF_NOWHERE},
    {"tom", "{\"event_name\":\"door_triggered\",\"seq\":1}", RF_RESERVED_FIELD, "seq", RF_NOWHERE},
    {"tom", "{\"event_name\":\"door_triggered\",\"\\u0061t\":1}", RF_RESERVED_FIELD, "at", RF_NOWHERE},
    {"", "{\"event_name\":\"door_triggered\",\"by\":1}", RF_RESERVED_FIELD, "by", RF_NOWHERE},
    {"tom", "{\"event_name\":\"door_triggered\",\"user_id\":\"ann\"}", RF_NOT_OWNED, "user_id", RF_NOWHERE},
    {"tom", "{\"event_name\":\"player_hit\",\"user_id\":\"tom\"}", RF_NOT_ALLOWED, "player_hit", RF_NOWHERE},
    {"ann", "{\"event\":\"delete\",\"entity_id\":\"box\"}", RF_NOT_OWNED, "entity_id", RF_NOWHERE},
    {"tom", "{\"event\":\"delete\",\"entity_id\":\"ann\"}", RF_NOT_OWNED, "entity_id", RF_NOWHERE},
    {"tom", "{\"event_name\":\"player_moved\",\"user_id\":\"tom\",\"position\":[1]}", RF_WRONG_TYPE, "position",
     RF_NOWHERE},
    {"", "{\"event_name\":\"player_killed\",\"user_id\":\"tom\",\"killer_id\":\"ann\"}", RF_NOT_A_NUMBER, "frags",
     RF_NOWHERE},
};

START_TEST(what_is_refused_leaves_no_trace) {
    const struct refusal *it = &refusals[_i];
    rf_world *world = small_world(rf_allocator_default());
    json_t *before = world_json(world), *after;
    rf_admission *admission;
    rf_error error = {0};
    ck_assert_int_eq(rf_admission_new(world, 0, &admission), RF_OK);
    ck_assert_int_eq(admit_one(admission, it->by, it->text, &error), it->status);
    ck_assert_int_eq(error.status, it->status);
    ck_assert_str_eq(error.about, it->about);
    ck_assert_uint_eq(error.offset, it->offset);
    ck_assert_uint_eq(rf_admission_text(admission).len, 0);
    // The next one is not touched by it.
    ck_assert_int_eq(admit_one(admission, "tom", "{\"event_name\":\"door_triggered\"}", &error), RF_OK);
    after = world_json(world);
    ck_assert(json_equal(before, after));
    json_decref(before);
    json_decref(after);
    rf_admission_free(admission);
    rf_world_free(world);
}
END_TEST

START_TEST(an_item_is_all_or_nothing) {
    rf_world *world = small_world(rf_allocator_default());
    rf_str texts[] = {STR("{\"event\":\"create\",\"entity_id\":\"new\",\"components\":{\"owner\":\"tom\"}}"), STR("x")};
    rf_item item = {.by = STR("tom"), .texts = texts, .count = 2};
    rf_admission *admission;
    rf_error error;
    uint64_t first;
    size_t index;
    ck_assert_int_eq(rf_admission_new(world, 0, &admission), RF_OK);
    ck_assert_int_eq(rf_admit(admission, &item, &first, &error, &index), RF_UNEXPECTED_BYTE);
    ck_assert_uint_eq(index, 1);
    ck_assert_uint_eq(rf_admission_text(admission).len, 0);
    // Neither was anything made; with the mistake mended it is.
    ck_assert_int_eq(admit_one(admission, "tom", "{\"event\":\"delete\",\"entity_id\":\"new\"}", &error), RF_NOT_OWNED);
    item.count = 1;
    ck_assert_int_eq(rf_admit(admission, &item, &first, &error, &index), RF_OK);
    ck_assert_uint_eq(first, 4);
    ck_assert_int_eq(admit_one(admission, "tom", "{\"event\":\"delete\",\"entity_id\":\"new\"}", &error), RF_OK);
    ck_assert_int_eq(admit_one(admission, "ann", "{\"event\":\"delete\",\"entity_id\":\"new\"}", &error), RF_NOT_OWNED);
    rf_admission_free(admission);
    rf_world_free(world);
}
END_TEST

// What the room makes, or a user under its own id, is nobody else's to replace in the same batch.
START_TEST(what_others_make_is_not_taken_over) {
    static const char by_eve[] = "{\"event\":\"create\",\"entity_id\":\"ann\",\"components\":{\"owner\":\"eve\"}}";
    static const char moved[] = "{\"event\":\"update\",\"entity_id\":\"box\",\"components\":{\"lid\":1}}";
    rf_world *world = doom_world(rf_allocator_default());
    rf_admission *admission;
    rf_error error;
    ck_assert_int_eq(rf_admission_new(world, 0, &admission), RF_OK);
    ck_assert_int_eq(admit_one(admission, "", "{\"event_name\":\"user_joined\",\"user_id\":\"ann\"}", &error), RF_OK);
    ck_assert_int_eq(admit_one(admission, "eve", by_eve, &error), RF_NOT_OWNED);
    ck_assert_str_eq(error.about, "entity_id");
    ck_assert_int_eq(admit_one(admission, "", by_eve, &error), RF_OK);
    ck_assert_int_eq(admit_one(admission, "eve", by_eve, &error), RF_OK);
    ck_assert_int_eq(
        admit_one(admission, "box", "{\"event\":\"create\",\"entity_id\":\"box\",\"components\":{}}", &error), RF_OK);
    ck_assert_int_eq(admit_one(admission, "eve", moved, &error), RF_NOT_OWNED);
    ck_assert_int_eq(admit_one(admission, "box", moved, &error), RF_OK);
    rf_admission_free(admission);
    rf_world_free(world);
}
END_TEST

// As admit_one; the error must be set, whatever it was before.
static rf_status admit_checked(rf_admission *admission, const char *by, const char *text) {
    rf_error error = {.status = RF_TOO_DEEP, .offset = 7, .about = "before"};
    rf_status status = admit_one(admission, by, text, &error);
    if (status != RF_OK) ck_assert_int_eq(error.status, status);
    if (status == RF_NO_MEMORY) {
        ck_assert_uint_eq(error.offset, RF_NOWHERE);
        ck_assert_str_eq(error.about, "");
    }
    return status;
}

static rf_status admit_much(rf_world *world) {
    rf_admission *admission;
    rf_status status = rf_admission_new(world, 1, &admission);
    char text[128];
    for (int i = 0; i < 40 && status == RF_OK; i++) {
        snprintf(text, sizeof text, "{\"event\":\"create\",\"entity_id\":\"e%d\",\"components\":{\"owner\":\"tom\"}}",
                 i);
        status = admit_checked(admission, "tom", text);
        if (status == RF_OK)
            status = admit_checked(admission, "",
                                   "{\"event_name\":\"weapon_collected\",\"user_id\":\"tom\",\"weapon\":\"x\"}");
        if (status == RF_OK && admit_checked(admission, "ann", text) == RF_NO_MEMORY) status = RF_NO_MEMORY;
    }
    rf_admission_free(admission);
    return status;
}

START_TEST(without_memory_nothing_is_lost) {
    test_memory memory = {0};
    rf_allocator allocator = test_allocator(&memory);
    rf_world *world = small_world(allocator);
    long blocks = memory.blocks, failures = 0;
    rf_status status = RF_NO_MEMORY;
    for (long n = 1; status == RF_NO_MEMORY; n++) {
        memory.fail_at = n;
        status = admit_much(world);
        memory.fail_at = 0;
        ck_assert_int_eq(memory.blocks, blocks);
        failures += status == RF_NO_MEMORY;
    }
    ck_assert_int_eq(status, RF_OK);
    ck_assert_int_ge(failures, 5);
    rf_world_free(world);
    ck_assert_int_eq(memory.blocks, 0);
}
END_TEST

static void add(TCase *tests) {
    tcase_add_test(tests, records_are_events_with_seq_at_and_by);
    tcase_add_loop_test(tests, what_is_refused_leaves_no_trace, 0, sizeof refusals / sizeof *refusals);
    tcase_add_test(tests, an_item_is_all_or_nothing);
    tcase_add_test(tests, what_others_make_is_not_taken_over);
    tcase_add_test(tests, without_memory_nothing_is_lost);
}

int main(void) {
    return run_tests("admit", add);
}
