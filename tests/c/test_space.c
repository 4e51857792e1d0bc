// The space: targets that come, move and go, the past and what lies between two states, limits and failing memory.
#include "support.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static rf_space *space_with(double history_ms, uint32_t states) {
    rf_space_def def = rf_space_def_default();
    rf_space *space;
    def.history_ms = history_ms;
    def.history_states = states;
    ck_assert_int_eq(rf_space_new(&def, &space), RF_OK);
    return space;
}

static rf_target target_at(const char *id, double x) {
    return (rf_target){.id = {id, strlen(id)}, .collider = rf_collider_sphere(0.5), .position = {x}, .layers = 1};
}

static void put(rf_space *space, uint32_t key, const char *id, double x) {
    rf_target target = target_at(id, x);
    ck_assert_int_eq(rf_space_put(space, key, &target), RF_OK);
}

static void move(rf_space *space, uint32_t key, double x) {
    double position[3] = {x, 0, 0};
    ck_assert_int_eq(rf_space_move(space, key, position), RF_OK);
}

// From above onto x. The answer's status, and the key that was hit or UINT32_MAX.
static rf_status shoot(rf_space *space, double x, rf_moment moment, uint32_t *key, rf_answer *answer) {
    rf_hits hits = rf_hits_new(rf_allocator_default(), SIZE_MAX);
    rf_shot shot = {.origin = {x, 9, 0}, .direction = {0, -1, 0}, .range = 20, .moment = moment};
    rf_answer own;
    if (!answer) answer = &own;
    ck_assert_int_eq(rf_cast(space, &shot, 1, answer, &hits), RF_OK);
    *key = answer->count > 0 && hits.items[0].kind == RF_HIT_TARGET ? hits.items[0].number : UINT32_MAX;
    rf_hits_free(&hits);
    return answer->status;
}

static bool hits_at(rf_space *space, double x, rf_moment moment) {
    uint32_t key;
    ck_assert_int_eq(shoot(space, x, moment, &key, NULL), RF_OK);
    return key != UINT32_MAX;
}

static const rf_moment now = {0};

static rf_moment at_time(double time) {
    return (rf_moment){RF_AT_TIME, time};
}

static rf_moment at_seq(double seq) {
    return (rf_moment){RF_AT_SEQ, seq};
}

START_TEST(targets_come_move_and_go) {
    rf_space *space = space_with(1000, 8);
    double position[3];
    put(space, 3, "a", 0);
    put(space, 70, "b", 10);
    ck_assert_uint_eq(rf_space_count(space), 2);
    ck_assert(rf_space_has(space, 3) && rf_space_has(space, 70) && !rf_space_has(space, 4));
    ck_assert(hits_at(space, 0, now) && hits_at(space, 10, now));
    move(space, 3, 5);
    ck_assert(!hits_at(space, 0, now) && hits_at(space, 5, now));
    ck_assert(rf_space_position(space, 3, position));
    ck_assert_double_eq(position[0], 5);
    put(space, 3, "c", 7);
    ck_assert_uint_eq(rf_space_count(space), 2);
    rf_space_remove(space, 3);
    rf_space_remove(space, 3);
    rf_space_remove(space, 4000000);
    ck_assert(!rf_space_has(space, 3) && !rf_space_position(space, 3, position));
    ck_assert(!hits_at(space, 7, now) && hits_at(space, 10, now));
    rf_space_free(space);
}
END_TEST

START_TEST(what_is_refused_changes_nothing) {
    rf_space *space = space_with(1000, 8);
    rf_target target = target_at("a", 0), other = target_at("b", 0);
    double nowhere[3] = {NAN, 0, 0}, position[3];
    char id[256] = {0};
    put(space, 1, "a", 0);
    target.position[1] = INFINITY;
    ck_assert_int_eq(rf_space_put(space, 1, &target), RF_NUMBER_OUT_OF_RANGE);
    target.position[1] = 1e10;
    ck_assert_int_eq(rf_space_put(space, 1, &target), RF_NUMBER_OUT_OF_RANGE);
    target = target_at("a", 0);
    target.collider.radius = -1;
    ck_assert_int_eq(rf_space_put(space, 1, &target), RF_INVALID_COLLIDER);
    target.collider = (rf_collider){0};
    ck_assert_int_eq(rf_space_put(space, 1, &target), RF_INVALID_COLLIDER);
    target = target_at("", 0);
    ck_assert_int_eq(rf_space_put(space, 1, &target), RF_INVALID_ID);
    target.id = (rf_str){id, 256};
    ck_assert_int_eq(rf_space_put(space, 1, &target), RF_INVALID_ID);
    target = target_at("a", 0);
    ck_assert_int_eq(rf_space_put(space, UINT32_MAX, &target), RF_TOO_LARGE);
    ck_assert_int_eq(rf_space_move(space, 1, nowhere), RF_NUMBER_OUT_OF_RANGE);
    ck_assert_int_eq(rf_space_move(space, 2, position), RF_INVALID_ARGUMENT);
    ck_assert_int_eq(rf_space_change(space, 2, &target), RF_INVALID_ARGUMENT);
    ck_assert_int_eq(rf_space_change(space, 1, &other), RF_INVALID_ARGUMENT);
    ck_assert(hits_at(space, 0, now));
    rf_space_free(space);
}
END_TEST

START_TEST(definitions_are_checked) {
    rf_space_def def = {0};
    rf_space *space;
    ck_assert_int_eq(rf_space_new(&def, &space), RF_INVALID_ARGUMENT);
    ck_assert_ptr_null(space);
    def = rf_space_def_default();
    def.history_ms = NAN;
    ck_assert_int_eq(rf_space_new(&def, &space), RF_INVALID_ARGUMENT);
    def = rf_space_def_default();
    def.history_states = 0;
    ck_assert_int_eq(rf_space_new(&def, &space), RF_INVALID_ARGUMENT);
    def = rf_space_def_default();
    def.simd = (rf_simd)99;
    ck_assert_int_eq(rf_space_new(&def, &space), RF_INVALID_ARGUMENT);
    def = rf_space_def_default();
    ck_assert_int_eq(rf_space_new(&def, &space), RF_OK);
    ck_assert_int_eq(rf_space_simd(space), rf_simd_best());
    ck_assert_uint_gt(rf_space_memory(space), 0);
    rf_space_free(space);
}
END_TEST

START_TEST(statics_are_checked) {
    rf_space *space = space_with(1000, 8);
    double low[3] = {0, 0, 0}, high[3] = {1, -1, 1}, corners[3][3] = {{0}, {NAN}, {1}};
    rf_wall wall = {.x2 = 1, .back = RF_NO_SECTOR, .layers = 1};
    ck_assert_int_eq(rf_space_add_box(space, low, high, 1, NULL), RF_INVALID_ARGUMENT);
    high[1] = NAN;
    ck_assert_int_eq(rf_space_add_box(space, low, high, 1, NULL), RF_NUMBER_OUT_OF_RANGE);
    ck_assert_int_eq(rf_space_add_triangle(space, (const double(*)[3])corners, 1, NULL), RF_NUMBER_OUT_OF_RANGE);
    ck_assert_int_eq(rf_space_add_sector(space, (rf_sector){NAN, 0}, NULL), RF_NUMBER_OUT_OF_RANGE);
    ck_assert_int_eq(rf_space_set_sector(space, 0, (rf_sector){0, 1}), RF_INVALID_ARGUMENT);
    wall.back = 0;
    ck_assert_int_eq(rf_space_add_wall(space, &wall, NULL), RF_INVALID_ARGUMENT);
    wall.back = RF_NO_SECTOR;
    wall.bottom = 1;
    ck_assert_int_eq(rf_space_add_wall(space, &wall, NULL), RF_INVALID_ARGUMENT);
    wall.bottom = NAN;
    ck_assert_int_eq(rf_space_add_wall(space, &wall, NULL), RF_NUMBER_OUT_OF_RANGE);
    rf_space_free(space);
}
END_TEST

START_TEST(the_first_shot_indexes) {
    rf_space *space = space_with(1000, 8);
    rf_wall wall = {.x2 = 1, .back = RF_NO_SECTOR, .layers = 1};
    ck_assert(rf_space_indexed(space));
    for (int i = 0; i < 2; i++) {
        ck_assert_int_eq(rf_space_add_wall(space, &wall, NULL), RF_OK);
        ck_assert(!rf_space_indexed(space));
        ck_assert(!hits_at(space, 5, now));
        ck_assert(rf_space_indexed(space));
    }
    rf_space_clear_statics(space);
    ck_assert(rf_space_indexed(space));
    rf_space_free(space);
}
END_TEST

START_TEST(shots_go_into_the_past) {
    rf_space *space = space_with(1000, 128);
    rf_answer answer;
    uint32_t key;
    put(space, 1, "a", 0);
    ck_assert_int_eq(rf_space_commit(space, 10, 5000), RF_OK);
    move(space, 1, 10);
    ck_assert_int_eq(rf_space_commit(space, 14, 5100), RF_OK);
    move(space, 1, 20);
    ck_assert(hits_at(space, 20, now) && !hits_at(space, 10, now));
    ck_assert(hits_at(space, 0, at_seq(10)) && hits_at(space, 10, at_seq(14)));
    ck_assert(hits_at(space, 0, at_seq(13))); // nothing was committed since
    ck_assert(hits_at(space, 0, at_time(5000)) && hits_at(space, 10, at_time(5100)));
    ck_assert(hits_at(space, 2.5, at_time(5025)) && !hits_at(space, 0, at_time(5025)));
    ck_assert_int_eq(shoot(space, 7.5, at_time(5075), &key, &answer), RF_OK);
    ck_assert_uint_eq(key, 1);
    ck_assert_uint_eq(answer.seq, 10);
    ck_assert_double_eq(answer.blend, 0.75);
    ck_assert_int_eq(shoot(space, 0, at_seq(9), &key, NULL), RF_UNKNOWN_MOMENT);
    ck_assert_int_eq(shoot(space, 0, at_seq(15), &key, NULL), RF_UNKNOWN_MOMENT);
    ck_assert_int_eq(shoot(space, 0, at_time(4999), &key, NULL), RF_UNKNOWN_MOMENT);
    ck_assert_int_eq(shoot(space, 0, at_time(5100.5), &key, NULL), RF_UNKNOWN_MOMENT);
    ck_assert_int_eq(shoot(space, 0, at_time(NAN), &key, NULL), RF_NUMBER_OUT_OF_RANGE);
    ck_assert_int_eq(shoot(space, 0, at_seq(-1), &key, NULL), RF_NUMBER_OUT_OF_RANGE);
    rf_space_forget(space);
    ck_assert_int_eq(shoot(space, 0, at_seq(10), &key, NULL), RF_UNKNOWN_MOMENT);
    ck_assert(hits_at(space, 20, now));
    rf_space_free(space);
}
END_TEST

START_TEST(who_was_there_then) {
    rf_space *space = space_with(1000, 128);
    rf_target shield = target_at("a", 0);
    rf_answer answer;
    uint32_t key;
    put(space, 1, "a", 0);
    put(space, 2, "dies", 5);
    ck_assert_int_eq(rf_space_commit(space, 1, 0), RF_OK);
    rf_space_remove(space, 2);
    put(space, 3, "born", 9);
    put(space, 2, "another under the key", -9);
    shield.layers = 2;
    ck_assert_int_eq(rf_space_change(space, 1, &shield), RF_OK);
    move(space, 1, 1);
    ck_assert_int_eq(rf_space_commit(space, 2, 100), RF_OK);
    ck_assert(hits_at(space, 5, at_time(50)));   // dies only then
    ck_assert(!hits_at(space, 9, at_time(50)));  // not yet born
    ck_assert(!hits_at(space, -2, at_time(50))); // the other one did not walk there
    ck_assert(hits_at(space, 9, at_time(100)) && !hits_at(space, 5, at_time(100)));
    ck_assert_int_eq(shoot(space, 0.5, at_time(50), &key, &answer), RF_OK);
    ck_assert_uint_eq(key, 1); // the same one, though it changed
    rf_space_free(space);
}
END_TEST

START_TEST(doors_were_elsewhere_then) {
    rf_space *space = space_with(1000, 128);
    rf_wall wall = {.x1 = -5, .z1 = 3, .x2 = 5, .z2 = 3, .bottom = -INFINITY, .top = INFINITY, .back = 1, .layers = 1};
    rf_hits hits = rf_hits_new(rf_allocator_default(), SIZE_MAX);
    rf_shot shot = {.origin = {0, 1.5, 0}, .direction = {0, 0, 1}, .range = 9};
    rf_answer answer;
    ck_assert_int_eq(rf_space_add_sector(space, (rf_sector){0, 4}, NULL), RF_OK);
    ck_assert_int_eq(rf_space_add_sector(space, (rf_sector){0, 0}, NULL), RF_OK);
    ck_assert_int_eq(rf_space_add_wall(space, &wall, NULL), RF_OK);
    ck_assert_int_eq(rf_space_commit(space, 1, 0), RF_OK);
    ck_assert_int_eq(rf_space_set_sector(space, 1, (rf_sector){0, 4}), RF_OK);
    ck_assert_int_eq(rf_space_commit(space, 2, 100), RF_OK);
    for (int i = 0; i <= 4; i++) {
        shot.moment = at_time(i * 25);
        ck_assert_int_eq(rf_cast(space, &shot, 1, &answer, &hits), RF_OK);
        ck_assert_int_eq(answer.status, RF_OK);
        ck_assert_uint_eq(answer.count, i < 2); // open up to 1.5 m after 37.5 ms
    }
    rf_hits_free(&hits);
    rf_space_free(space);
}
END_TEST

START_TEST(only_so_much_is_remembered) {
    rf_space *space = space_with(1000, 8);
    size_t memory = 0;
    uint32_t key;
    rf_span span;
    ck_assert(!rf_space_span(space, &span));
    put(space, 1, "a", 0);
    for (int i = 1; i <= 100; i++) {
        move(space, 1, i);
        ck_assert_int_eq(rf_space_commit(space, (uint64_t)i, i * 300), RF_OK);
        ck_assert(hits_at(space, i, at_seq(i)));
        if (i == 20) memory = rf_space_memory(space);
    }
    ck_assert_uint_eq(rf_space_memory(space), memory);
    ck_assert(rf_space_span(space, &span));
    ck_assert_double_eq(span.last_ms, 30000);
    ck_assert_double_eq(span.first_ms, 28800); // so that 29,000 can still be blended
    ck_assert_uint_eq(span.first_seq, 96);
    ck_assert_int_eq(shoot(space, 0, at_time(28799), &key, NULL), RF_UNKNOWN_MOMENT);
    for (int i = 101; i <= 120; i++) ck_assert_int_eq(rf_space_commit(space, (uint64_t)i, 30000 + i), RF_OK);
    ck_assert(rf_space_span(space, &span));
    ck_assert_uint_eq(span.last_seq - span.first_seq, 7);
    ck_assert_int_eq(rf_space_commit(space, 119, 40000), RF_INVALID_ARGUMENT);
    ck_assert_int_eq(rf_space_commit(space, 121, 100), RF_INVALID_ARGUMENT);
    ck_assert_int_eq(rf_space_commit(space, 121, INFINITY), RF_NUMBER_OUT_OF_RANGE);
    rf_space_free(space);
}
END_TEST

// Random walks: between two states everybody is on the straight way from one place to the other.
START_TEST(between_two_states_everything_moves_evenly) {
    enum { TARGETS = 200 };
    static double places[2][TARGETS];
    rf_space *space = space_with(1000, 128);
    uint64_t state = 3;
    char id[16];
    for (uint32_t key = 0; key < TARGETS; key++) {
        snprintf(id, sizeof id, "t%u", key);
        places[0][key] = key * 100.0;
        put(space, key, id, places[0][key]);
    }
    for (uint64_t seq = 1; seq < 30; seq++) {
        double share = (double)(next_random(&state) % 1024) / 1024;
        memcpy(places[0], places[1], sizeof places[0]);
        for (uint32_t key = 0; key < TARGETS; key++) {
            places[1][key] = key * 100.0 + (double)(next_random(&state) % 64);
            move(space, key, places[1][key]);
        }
        ck_assert_int_eq(rf_space_commit(space, seq, (double)seq * 64), RF_OK);
        for (uint32_t key = 0; key < TARGETS && seq > 1; key += 7) {
            double x = places[0][key] + (places[1][key] - places[0][key]) * share;
            rf_moment moment = at_time(((double)seq - 1 + share) * 64);
            ck_assert(hits_at(space, x + 0.49, moment) && !hits_at(space, x - 0.51, moment));
        }
    }
    rf_space_free(space);
}
END_TEST

// --- memory

static const char level_text[] =
    "{\"sectors\":[{\"floor\":0,\"ceil\":128}],\"lines\":[{\"x1\":0,\"y1\":0,\"x2\":64,\"y2\":0,\"front\":0,"
    "\"back\":null,\"flags\":1}]}";

static rf_status fill(rf_space *space, rf_allocator allocator) {
    double corners[3][3] = {{50, 0, 0}, {51, 0, 0}, {50, 1, 0}};
    rf_level *level = NULL;
    rf_error error;
    rf_status status = rf_level_from_json(allocator, STR(level_text), RF_LEVEL_DOOM_UNIT, &level, &error);
    if (status == RF_OK) status = rf_space_add_level(space, level, 1, NULL, NULL);
    rf_level_free(level);
    if (status == RF_OK) status = rf_space_add_box(space, corners[0], corners[0], 1, NULL);
    if (status == RF_OK) status = rf_space_add_triangle(space, (const double(*)[3])corners, 1, NULL);
    for (uint32_t key = 0; key < 100 && status == RF_OK; key++) {
        rf_target target;
        char id[40];
        snprintf(id, sizeof id, "an id that does not fit in place %u", key);
        target = target_at(id, key);
        status = rf_space_put(space, key, &target);
    }
    return status;
}

static rf_status use(rf_space *space, rf_allocator allocator) {
    rf_hits hits = rf_hits_new(allocator, SIZE_MAX);
    rf_shot shots[3] = {{.kind = RF_SHOT_ALL, .origin = {-1}, .direction = {1}, .range = 200},
                        {.origin = {0, 5, 0}, .direction = {0, -1, 0}, .range = 9, .moment = {RF_AT_TIME, 50}},
                        {.direction = {1}, .range = NAN}};
    rf_answer answers[3];
    rf_status status = rf_space_commit(space, 1, 0);
    if (status == RF_OK) status = rf_space_commit(space, 2, 100);
    if (status == RF_OK) {
        status = rf_cast(space, shots, 3, answers, &hits);
        ck_assert_int_eq(answers[2].status, status == RF_OK ? RF_NUMBER_OUT_OF_RANGE : RF_NO_MEMORY);
    }
    rf_hits_free(&hits);
    return status;
}

static rf_status everything(rf_allocator allocator, rf_space **space) {
    rf_space_def def = rf_space_def_default();
    rf_status status;
    def.allocator = allocator;
    status = rf_space_new(&def, space);
    if (status == RF_OK) status = fill(*space, allocator);
    if (status == RF_OK) status = use(*space, allocator);
    return status;
}

START_TEST(every_allocation_fails_once) {
    test_memory memory = {0};
    rf_space *space;
    long count;
    ck_assert_int_eq(everything(test_allocator(&memory), &space), RF_OK);
    rf_space_free(space);
    ck_assert_int_eq(memory.blocks, 0);
    count = memory.allocations;
    ck_assert_int_gt(count, 100);
    for (long n = 1; n <= count; n++) {
        memory = (test_memory){.fail_at = n};
        ck_assert_int_eq(everything(test_allocator(&memory), &space), RF_NO_MEMORY);
        memory.fail_at = 0;
        if (space) {
            rf_space_forget(space);
            rf_space_clear_statics(space);
            ck_assert_int_eq(fill(space, test_allocator(&memory)), RF_OK);
            ck_assert_int_eq(use(space, test_allocator(&memory)), RF_OK);
        }
        rf_space_free(space);
        ck_assert_msg(memory.blocks == 0, "%ld blocks are left when allocation %ld fails", memory.blocks, n);
    }
}
END_TEST

static void add(TCase *tests) {
    tcase_add_test(tests, targets_come_move_and_go);
    tcase_add_test(tests, what_is_refused_changes_nothing);
    tcase_add_test(tests, definitions_are_checked);
    tcase_add_test(tests, statics_are_checked);
    tcase_add_test(tests, the_first_shot_indexes);
    tcase_add_test(tests, shots_go_into_the_past);
    tcase_add_test(tests, who_was_there_then);
    tcase_add_test(tests, doors_were_elsewhere_then);
    tcase_add_test(tests, only_so_much_is_remembered);
    tcase_add_test(tests, between_two_states_everything_moves_evenly);
    tcase_add_test(tests, every_allocation_fails_once);
}

int main(void) {
    return run_tests("space", add);
}
