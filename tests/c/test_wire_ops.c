// Frames of worlds where much and little happens: every set of instructions writes the same, byte for byte, and who has
// the snapshot before and gets the diff has the snapshot after.
#include "core/wire/wire_page.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support.h"

static uint64_t state = 1;

static uint32_t below(uint32_t limit) {
    return (uint32_t)(next_random(&state) % limit);
}

static double uniform(void) {
    return (double)below(1000001) / 500000 - 1;
}

static rf_world *new_world(const char *bits) {
    rf_world_def def = rf_world_def_default();
    rf_world *world;
    char text[1024];
    int len = snprintf(text, sizeof text,
                       "{\"format\":\"roomfold-schema\",\"version\":1,\"components\":["
                       "{\"name\":\"position\",\"type\":\"f32\",\"count\":3,\"quantise\":{\"step\":0.001,\"min\":-64,"
                       "\"max\":64}},"
                       "{\"name\":\"rotation\",\"type\":\"f32\",\"count\":4,\"quantise\":{\"bits\":%s}},"
                       "{\"name\":\"velocity\",\"type\":\"f32\",\"count\":3,\"quantise\":{\"step\":0.01,\"min\":-64,"
                       "\"max\":64}},"
                       "{\"name\":\"floor\",\"type\":\"f32\",\"quantise\":{\"step\":0.001,\"min\":-64,\"max\":64}},"
                       "{\"name\":\"health\",\"type\":\"i64\"}]}",
                       bits);
    ck_assert_int_eq(rf_schema_from_json(def.allocator, (rf_str){text, (size_t)len}, &def.schema, NULL), RF_OK);
    def.history = 4096;
    ck_assert_int_eq(rf_world_new(&def, &world), RF_OK);
    rf_schema_release(def.schema);
    return world;
}

// A component and its value, with `,` in front if it is not the first.
static int put_component(char *at, const char *name, int count, double reach, bool *first) {
    double values[4], sum = 0;
    int len = sprintf(at, "%s\"%s\":[", *first ? "" : ",", name);
    *first = false;
    for (int i = 0; i < count; i++) {
        values[i] = uniform();
        sum += values[i] * values[i];
    }
    for (int i = 0; i < count; i++) {
        double value = count == 4 && sum > 0 ? values[i] / sqrt(sum) : values[i] * reach;
        len += sprintf(at + len, "%s%.6f", i ? "," : "", value);
    }
    return len + sprintf(at + len, "]");
}

// What happens to one entity in this round: mostly it moves and turns.
static int put_event(char *at, uint32_t entity, bool create, uint32_t kind, double reach) {
    bool first = true;
    int len = sprintf(at, "{\"event\":\"%s\",\"entity_id\":\"entity-%u\",\"components\":{",
                      create ? "create" : "update", (unsigned)entity);
    if (kind != 1) len += put_component(at + len, "position", 3, reach, &first);
    if (kind != 2) len += put_component(at + len, "rotation", 4, 1, &first);
    if (kind == 3) len += put_component(at + len, "velocity", 3, reach, &first);
    if (kind == 4) len += sprintf(at + len, ",\"health\":%u", (unsigned)below(100));
    if (kind == 5) len += sprintf(at + len, ",\"floor\":%.3f", uniform() * 70);
    if (kind == 6) len += sprintf(at + len, create ? ",\"name\":\"x\"" : ",\"velocity\":null,\"name\":%u", below(9));
    return len + sprintf(at + len, "}}\n");
}

// A chance that is none: the first four and the last of two pages, so that the second begins far from what the first
// said.
#define GAPS 1000

static bool is_left_out(uint32_t entity, uint32_t chance) {
    if (chance == GAPS) return entity % 128 >= 4 && entity % 128 < 68 + entity / 128 * 7;
    return chance > 0 && below(chance) != 0;
}

static void fold_round(rf_world *world, uint32_t count, uint32_t chance, int mixed, double reach) {
    char *text = malloc(count * (size_t)512 + 1);
    size_t len = 0;
    rf_report report;
    for (uint32_t entity = 0; entity < count; entity++) {
        uint32_t kind = mixed < 0 ? (uint32_t)-mixed : below((uint32_t)mixed);
        if (is_left_out(entity, chance)) continue;
        len += (size_t)put_event(text + len, entity, chance == 0, kind, reach);
        if (chance == 0 || mixed < 0 || below(40) > 0) continue;
        len += (size_t)sprintf(text + len, "{\"event\":\"delete\",\"entity_id\":\"entity-%u\"}\n", (unsigned)entity);
        if (below(2)) len += (size_t)put_event(text + len, entity, true, kind, reach);
    }
    report = fold_text(world, (rf_str){text, len});
    rf_report_free(&report);
    free(text);
}

static rf_str encoded(const rf_wire_ops *ops, const rf_world *world, bool diff, uint64_t from) {
    uint8_t *bytes;
    size_t len;
    ck_assert_int_eq(rf_encode_packed_by(ops, world, diff, from, 0, rf_allocator_default(), &bytes, &len), RF_OK);
    return (rf_str){(char *)bytes, len};
}

static const rf_wire_ops *scalar(void) {
    const rf_wire_ops *const *ops = rf_wire_all_ops;
    while (strcmp((*ops)->name, "scalar") != 0) ops++;
    return *ops;
}

// The frame without vector instructions, which all others write, too. To be freed.
static rf_str the_frame(const rf_world *world, bool diff, uint64_t from) {
    rf_str expected = encoded(scalar(), world, diff, from);
    for (const rf_wire_ops *const *ops = rf_wire_all_ops; strcmp((*ops)->name, "scalar") != 0; ops++) {
        rf_str got;
        if (!(*ops)->available()) continue;
        got = encoded(*ops, world, diff, from);
        ck_assert_uint_eq(got.len, expected.len);
        ck_assert_msg(memcmp(got.data, expected.data, got.len) == 0, "%s writes other bytes", (*ops)->name);
        free((char *)(uintptr_t)got.data);
    }
    return expected;
}

static void drop(rf_str frame) {
    free((char *)(uintptr_t)frame.data);
}

static rf_world *loaded(rf_str frame) {
    rf_world_def def = rf_world_def_default();
    rf_world *world;
    ck_assert_int_eq(rf_packed_start(def.allocator, frame, &def.seq, &def.schema, NULL), RF_OK);
    ck_assert_int_eq(rf_world_new(&def, &world), RF_OK);
    rf_schema_release(def.schema);
    ck_assert_int_eq(rf_load_packed(world, frame, NULL), RF_OK);
    return world;
}

static void check(rf_world *world, rf_world *mirror, uint64_t from) {
    rf_str diff = the_frame(world, true, from), before, after;
    rf_world *fresh;
    ck_assert_int_eq(rf_apply_packed(mirror, diff, NULL), RF_OK);
    after = the_frame(world, false, 0);
    fresh = loaded(after);
    before = encoded(scalar(), mirror, false, 0);
    drop(after);
    after = encoded(scalar(), fresh, false, 0);
    ck_assert(before.len == after.len && memcmp(before.data, after.data, after.len) == 0);
    rf_world_free(fresh);
    drop(diff);
    drop(before);
    drop(after);
}

// Few of many, all at once, small steps and large ones; several changes between two diffs.
START_TEST(frames_are_the_same_with_all_ops) {
    static const uint32_t chances[] = {1, 1, 2, 5, 30, 300, GAPS};
    static const int mixes[] = {-7, -1, -2, -3, 3, 7};
    static const double reaches[] = {60, 0.02, 70};
    for (int round = 0; round < 120; round++) {
        rf_world *world = new_world(round % 2 ? "10" : "16"), *mirror;
        const uint32_t count = round % 3 == 0 ? 1 + below(5) : 200 + below(400);
        rf_str frame;
        fold_round(world, count, 0, round % 2 ? 7 : -7, 60);
        frame = the_frame(world, false, 0);
        mirror = loaded(frame);
        drop(frame);
        for (int step = 0; step < 5; step++) {
            uint64_t from = rf_world_seq(world);
            for (uint32_t times = 1 + below(2); times > 0; times--)
                fold_round(world, count, chances[below(7)], mixes[below(6)], reaches[below(3)]);
            check(world, mirror, from);
        }
        rf_world_free(mirror);
        rf_world_free(world);
    }
}
END_TEST

static void add(TCase *tests) {
    tcase_set_timeout(tests, 120);
    tcase_add_test(tests, frames_are_the_same_with_all_ops);
}

int main(void) {
    return run_tests("wire ops", add);
}
