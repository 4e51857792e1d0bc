// Rays and answers as bytes: every field in its place, owners and ids by number, and what can't be said.
#include "support.h"

#include <string.h>

static void put_f64(uint8_t *at, double value) {
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    for (int i = 0; i < 8; i++) at[i] = (uint8_t)(bits >> (8 * i));
}

static void put_u32(uint8_t *at, uint32_t value) {
    for (int i = 0; i < 4; i++) at[i] = (uint8_t)(value >> (8 * i));
}

static uint32_t get_u32(const uint8_t *at) {
    return (uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
}

static double get_f64(const uint8_t *at) {
    uint64_t bits = get_u32(at) | (uint64_t)get_u32(at + 4) << 32;
    double out;
    memcpy(&out, &bits, sizeof out);
    return out;
}

static void put_ray(uint8_t *at, double x, double range, uint32_t mask, uint32_t owner) {
    const double fields[7] = {x, 9, -0.5, 0.25, -1, 0.125, range};
    for (int i = 0; i < 7; i++) put_f64(at + 8 * i, fields[i]);
    put_u32(at + 56, mask);
    put_u32(at + 60, owner);
}

START_TEST(rays_are_read_field_by_field) {
    const rf_str owners[3] = {STR("ann"), {0}, STR("")};
    uint8_t bytes[6 * RF_PACKED_RAY_SIZE + 1];
    rf_shot shots[6];
    rf_status statuses[6];
    static const uint32_t numbers[6] = {0, 1, 2, 3, 4, UINT32_MAX};
    for (uint32_t i = 0; i < 6; i++)
        put_ray(bytes + 1 + i * RF_PACKED_RAY_SIZE, i, 20 + i, 0x80000000U + i, numbers[i]);
    rf_packed_rays_read(bytes + 1, 6, owners, 3, shots, statuses); // at any address
    for (uint32_t i = 0; i < 6; i++) {
        ck_assert_int_eq(shots[i].kind, RF_SHOT_FIRST);
        ck_assert_int_eq(shots[i].collider.kind, RF_COLLIDER_POINT);
        ck_assert_int_eq(shots[i].moment.kind, RF_NOW);
        ck_assert_double_eq(shots[i].origin[0], i);
        ck_assert_double_eq(shots[i].origin[1], 9);
        ck_assert_double_eq(shots[i].origin[2], -0.5);
        ck_assert_double_eq(shots[i].direction[0], 0.25);
        ck_assert_double_eq(shots[i].direction[1], -1);
        ck_assert_double_eq(shots[i].direction[2], 0.125);
        ck_assert_double_eq(shots[i].range, 20 + i);
        ck_assert_uint_eq(shots[i].mask, 0x80000000U + i);
        ck_assert_int_eq(statuses[i], i == 0 || i == 1 || i == 3 ? RF_OK : RF_INVALID_ARGUMENT);
    }
    ck_assert_uint_eq(shots[0].owner.len, 0);
    ck_assert_uint_eq(shots[1].owner.len, 3);
    ck_assert_uint_eq(shots[3].owner.len, 0);
}
END_TEST

static const uint32_t kinds[6] = {0, 1, 2, 1, 255, 1}, numbers[6] = {0, 1, 70000, 2, RF_ZERO_DIRECTION, 1};

// Nobody, a target, a wall, another target, an error, the first target again.
static rf_status write_six(rf_packed_ids *ids, uint8_t *bytes) {
    rf_hit items[4] = {{.kind = RF_HIT_TARGET, .number = 900, .id = STR("zoe"), .t = 0.25},
                       {.kind = RF_HIT_WALL, .number = 70000, .t = 0.5},
                       {.kind = RF_HIT_TARGET, .number = 3, .id = STR("ann"), .t = 1},
                       {.kind = RF_HIT_TARGET, .number = 900, .id = STR("zoe"), .t = 0.75}};
    rf_hits hits = {.items = items, .len = 4};
    rf_answer answers[6] = {{.count = 0},
                            {.count = 1, .first = 0},
                            {.count = 1, .first = 1},
                            {.count = 1, .first = 2},
                            {.status = RF_ZERO_DIRECTION},
                            {.count = 1, .first = 3}};
    rf_status statuses[6] = {RF_OK};
    return rf_packed_answers_write(answers, statuses, 6, &hits, ids, bytes);
}

START_TEST(answers_name_each_id_once) {
    static const double t[6] = {0, 0.25, 0.5, 1, 0, 0.75};
    rf_packed_ids ids = rf_packed_ids_new(rf_allocator_default());
    uint8_t bytes[6 * RF_PACKED_ANSWER_SIZE];
    for (int round = 0; round < 2; round++) { // a second batch goes on with the same numbers
        memset(bytes, 0xAA, sizeof bytes);
        ck_assert_int_eq(write_six(&ids, bytes), RF_OK);
        for (uint32_t i = 0; i < 6; i++) {
            const uint8_t *at = bytes + i * RF_PACKED_ANSWER_SIZE;
            ck_assert_uint_eq(get_u32(at), kinds[i]);
            ck_assert_uint_eq(get_u32(at + 4), numbers[i]);
            ck_assert_double_eq(get_f64(at + 8), t[i]);
        }
        ck_assert_uint_eq(ids.len, 2);
        ck_assert_mem_eq(ids.items[0].data, "zoe", 3);
        ck_assert_mem_eq(ids.items[1].data, "ann", 3);
    }
    rf_packed_ids_free(&ids);
}
END_TEST

START_TEST(the_own_status_of_a_shot_comes_first) {
    rf_packed_ids ids = rf_packed_ids_new(rf_allocator_default());
    rf_answer answer = {.status = RF_ZERO_DIRECTION};
    rf_status status = RF_INVALID_ARGUMENT;
    rf_hits hits = {.len = 0};
    uint8_t bytes[RF_PACKED_ANSWER_SIZE];
    ck_assert_int_eq(rf_packed_answers_write(&answer, &status, 1, &hits, &ids, bytes), RF_OK);
    ck_assert_uint_eq(get_u32(bytes), 255);
    ck_assert_uint_eq(get_u32(bytes + 4), RF_INVALID_ARGUMENT);
    rf_packed_ids_free(&ids);
}
END_TEST

START_TEST(survives_every_failing_allocation) {
    for (long n = 1;; n++) {
        test_memory memory = {.fail_at = n};
        rf_packed_ids ids = rf_packed_ids_new(test_allocator(&memory));
        uint8_t bytes[6 * RF_PACKED_ANSWER_SIZE];
        rf_status status = write_six(&ids, bytes);
        memory.fail_at = 0;
        ck_assert(status == RF_OK || status == RF_NO_MEMORY);
        ck_assert_int_eq(write_six(&ids, bytes), RF_OK);
        ck_assert_uint_eq(ids.len, 2);
        rf_packed_ids_free(&ids);
        ck_assert_int_eq(memory.blocks, 0);
        if (status == RF_OK) break;
    }
}
END_TEST

static void add(TCase *tests) {
    tcase_add_test(tests, rays_are_read_field_by_field);
    tcase_add_test(tests, answers_name_each_id_once);
    tcase_add_test(tests, the_own_status_of_a_shot_comes_first);
    tcase_add_test(tests, survives_every_failing_allocation);
}

int main(void) {
    return run_tests("packed hits", add);
}
