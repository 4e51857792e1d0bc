// Quantised values as bits: every set of instructions says the same, bit for bit, as one number after the other.
#include "core/wire/wire_page.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "support.h"

static uint64_t state = 88172645463325252u;

static uint32_t random_bits(void) {
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (uint32_t)(state >> 16);
}

static double uniform(void) {
    return (double)random_bits() / 4294967296.0;
}

// A page of a component, all of whose entities have been there since revision 1.
typedef struct sample {
    rf_mem mem;
    rf_column column;
    rf_wire_places places;
    rf_wire_values values;
} sample;

#define HISTORY 100 // replaced values that are remembered: not always all
#define FIRST 128   // the page's first handle

// Near a power of two of steps of 0.0001 or 0.001 or 0.5: there deltas become too long.
static double far_step(void) {
    static const double steps[] = {0.0001, 0.001, 0.5};
    return ldexp(steps[random_bits() % 3], (int)(random_bits() % 17)) * (0.97 + 0.06 * uniform());
}

// In bounds mostly; small steps, no steps and long ones; sometimes what has no integers.
static void random_place(float *now, float *was, double unit) {
    const uint32_t how = random_bits() % 3;
    double reach = random_bits() % 8 == 0 ? 200 : 100, step = how == 0 ? 0.004 : 8;
    for (int i = 0; i < 3; i++) {
        if (how == 2) step = far_step();
        was[i] = (float)((uniform() * 2 - 1) * reach);
        now[i] = (float)((double)was[i] + (how == 2 ? (random_bits() % 2 ? step : -step) : (uniform() * 2 - 1) * step));
        if (random_bits() % (how == 2 ? 8 : 3) == 0) now[i] = was[i];
        if (random_bits() % 64 == 0) now[i] = random_bits() % 2 ? 100.0F : -100.0F;
    }
    // Another unit, near the ends of what binary32 can say.
    for (int i = 0; unit != 1 && i < 3; i++)
        now[i] = (float)((double)now[i] * unit), was[i] = (float)((double)was[i] * unit);
}

// One may be the opposite of the other, which is the same quaternion, and both may be longer or shorter than 1 by a
// little.
static void random_quaternion(float *now, float *was) {
    double spread = random_bits() % 2 ? ldexp(1, -(int)(random_bits() % 16)) : 1, sum = 0;
    for (int i = 0; i < 4; i++) {
        was[i] = (float)(uniform() * 2 - 1);
        if (random_bits() % 8 == 0) was[i] = 0.5F;
        now[i] = (float)((double)was[i] + (random_bits() % 4 ? uniform() * 2 - 1 : 0) * spread);
        if (random_bits() % 16 == 0) now[i] = 0;
    }
    if (random_bits() % 8 ==
        0) { // the same quaternion; where lengths differ, that is seen best of numbers that are alike
        for (int i = 1; i < 4; i++) was[i] = was[0] * (float)(1 - uniform() / 1000);
        memcpy(now, was, 4 * sizeof *now);
    }
    for (int half = 0; half < 2; half++) {
        const double lengths[] = {1.02, sqrt(63.0 / 64) + 1e-6, sqrt(65.0 / 64) - 1e-6, 1 + (uniform() - 0.5) / 63};
        double scale = lengths[random_bits() % 8 == 0 ? random_bits() % 3 : 3];
        float *v = half ? now : was;
        sum = 0;
        for (int i = 0; i < 4; i++) sum += (double)v[i] * (double)v[i];
        if (random_bits() % 4 == 0) scale = -scale;
        for (int i = 0; i < 4 && sum > 0; i++) v[i] = (float)((double)v[i] * scale / sqrt(sum));
        if (random_bits() % 4 == 0) memcpy(now, was, 4 * sizeof *now);
    }
}

static void set(sample *it, uint32_t place, uint32_t revision, const float *value) {
    rf_column_page *page = rf_column_page_of(&it->column, FIRST);
    uint8_t *cell = rf_column_cell(&it->column, page, place);
    if (page->present >> place & 1) rf_column_remember(&it->column, FIRST + place, cell, revision);
    rf_cell_set_stamp(cell, revision);
    memcpy(cell + it->column.value_offset, value, it->column.value_size);
    page->present |= UINT64_C(1) << place;
}

// Changed not at all, once, or more often; the last time at revision 3 or before that at 2, where a diff begins.
static void fill(sample *it, const rf_component_def *def, bool quaternion) {
    float now[4] = {0}, was[4] = {0};
    memset(it, 0, sizeof *it);
    it->mem.allocator = rf_allocator_default();
    ck_assert(rf_column_init(&it->column, def, &it->mem, HISTORY) && rf_column_reserve(&it->column, &it->mem, FIRST));
    for (uint32_t place = 0; place < RF_PAGE_SIZE; place++) {
        uint32_t changes = random_bits() % 4;
        if (quaternion)
            random_quaternion(now, was);
        else
            random_place(now, was, def->max > 1e30 || def->max < 1e-30 ? def->max / 100 : 1);
        set(it, place, 1, changes == 3 ? now : was);
        if (changes == 3) set(it, place, random_bits() % 2 ? 1 : 2, was);
        if (changes == 2 && random_bits() % 4 == 0) set(it, place, 2, now);
        if (changes > 0) set(it, place, 3, now);
    }
    it->values = (rf_wire_values){.column = &it->column, .first = FIRST, .places = &it->places};
    it->values.cells = rf_column_cell(&it->column, rf_column_page_of(&it->column, FIRST), 0);
    it->values.since = random_bits() % 4 == 0 ? 0 : 2 + random_bits() % 2;
}

// All of them, or only some.
static void choose(sample *it) {
    bool all = random_bits() % 2;
    for (uint32_t place = 0; place < RF_PAGE_SIZE; place++)
        if (all || random_bits() % 3 == 0) it->places.at[it->places.count++] = (uint8_t)place;
}

static const rf_wire_ops *scalar(void) {
    const rf_wire_ops *const *ops = rf_wire_all_ops;
    while (strcmp((*ops)->name, "scalar") != 0) ops++;
    return *ops;
}

// How often each form was met: without all of them the test would show little.
typedef struct tally {
    uint64_t raw, none, whole, delta;
} tally;

static void compare(const rf_component_def *def, bool quaternion, tally *seen) {
    const rf_quantiser quantiser = rf_quantiser_of(def);
    for (int round = 0; round < 3000; round++) {
        sample it;
        rf_wire_codes expected;
        fill(&it, def, quaternion);
        choose(&it);
        rf_wire_values_for(&quantiser, scalar())(&quantiser, &it.values, &expected);
        for (const rf_wire_ops *const *ops = rf_wire_all_ops; strcmp((*ops)->name, "scalar") != 0; ops++) {
            rf_wire_codes got;
            if (!(*ops)->available()) continue;
            rf_wire_values_for(&quantiser, *ops)(&quantiser, &it.values, &got);
            for (uint32_t i = 0; i < it.places.count; i++) {
                REQUIRE(got.len[i] == expected.len[i]);
                if (got.len[i] == 0 || got.len[i] == RF_WIRE_VALUE_RAW) continue;
                REQUIRE(got.bits[i] == expected.bits[i]);
            }
        }
        for (uint32_t i = 0; i < it.places.count; i++) {
            unsigned whole = (it.values.since > 0 ? 2u : 1u) + (quaternion ? 2u : 0u) + 3u * quantiser.bits;
            seen->raw += expected.len[i] == RF_WIRE_VALUE_RAW;
            seen->none += expected.len[i] == 0;
            seen->whole += expected.len[i] == whole;
            seen->delta += expected.len[i] > 0 && expected.len[i] < whole;
        }
        rf_column_free(&it.column, &it.mem);
    }
}

START_TEST(all_ops_encode_places_alike) {
    const double steps[] = {0.001, 0.5, 0.0001};
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        rf_component_def def = {.type = RF_TYPE_F32, .count = 3, .quantise = RF_QUANTISE_STEP};
        tally seen = {0};
        def.step = steps[i];
        def.min = i == 2 ? -50 : -100;
        def.max = -def.min;
        ck_assert(rf_quantiser_valid(&def));
        compare(&def, false, &seen);
        ck_assert(seen.raw > 100 && seen.none > 100 && seen.whole > 1000 && seen.delta > 1000);
    }
}
END_TEST

// Steps that binary32 can't tell from infinity or from nothing.
START_TEST(every_way_says_the_same_at_the_ends_of_binary32) {
    const double ends[][2] = {{5e38, 3e38}, {1e38, 3e38}, {1e-40, 1e-36}, {1e-45, 5e-42}, {1e-46, 5e-44}};
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        rf_component_def def = {.type = RF_TYPE_F32, .count = 3, .quantise = RF_QUANTISE_STEP};
        tally seen = {0};
        def.step = ends[i][0];
        def.max = ends[i][1];
        def.min = -def.max;
        ck_assert(rf_quantiser_valid(&def));
        compare(&def, false, &seen);
        ck_assert(seen.none > 100 && seen.whole + seen.delta > 1000);
    }
}
END_TEST

START_TEST(all_ops_encode_quaternions_alike) {
    const uint8_t bits[] = {10, 4, 16};
    for (size_t i = 0; i < sizeof bits; i++) {
        rf_component_def def = {.type = RF_TYPE_F32, .count = 4, .quantise = RF_QUANTISE_SMALLEST_THREE};
        tally seen = {0};
        def.bits = bits[i];
        compare(&def, true, &seen);
        ck_assert(seen.raw > 100 && seen.none > 100 && seen.whole > 1000 && seen.delta > 1000);
    }
}
END_TEST

// What is too long to be said in 64 bits is not for these.
START_TEST(long_values_are_left_alone) {
    rf_component_def def = {.type = RF_TYPE_F32, .count = 4, .quantise = RF_QUANTISE_STEP};
    rf_quantiser quantiser;
    def.step = 0.001, def.min = -100, def.max = 100;
    quantiser = rf_quantiser_of(&def);
    ck_assert_ptr_null(rf_wire_values_for(&quantiser, scalar()));
    def.count = 3;
    def.step = 0.00003;
    quantiser = rf_quantiser_of(&def);
    ck_assert_uint_eq(quantiser.bits, 23);
    ck_assert_ptr_null(rf_wire_values_for(&quantiser, scalar()));
    def.quantise = RF_QUANTISE_NONE;
    quantiser = rf_quantiser_of(&def);
    ck_assert_ptr_null(rf_wire_values_for(&quantiser, scalar()));
}
END_TEST

// A quaternion is said within its bound, also of quaternions whose length is a little off.
START_TEST(quaternions_are_within_their_bound) {
    rf_component_def def = {.type = RF_TYPE_F32, .count = 4, .quantise = RF_QUANTISE_SMALLEST_THREE, .bits = 10};
    rf_quantiser quantiser = rf_quantiser_of(&def);
    for (int round = 0; round < 100000; round++) {
        float now[4], was[4], back[4];
        uint32_t index = 0, numbers[3];
        double sum = 0, sign;
        random_quaternion(now, was);
        if (!rf_quantise_value(&quantiser, now, false, &index, numbers)) continue;
        rf_dequantise_value(&quantiser, numbers, index, back);
        for (int i = 0; i < 4; i++) sum += (double)now[i] * (double)now[i];
        sign = now[index] < 0 ? -1 : 1;
        for (uint32_t i = 0; i < 4; i++)
            if (i != index) REQUIRE(fabs(sign * (double)now[i] / sqrt(sum) - (double)back[i]) <= 0.3536 / 511 + 1.2e-6);
    }
}
END_TEST

static void add(TCase *tests) {
    tcase_set_timeout(tests, 120);
    tcase_add_test(tests, all_ops_encode_places_alike);
    tcase_add_test(tests, every_way_says_the_same_at_the_ends_of_binary32);
    tcase_add_test(tests, all_ops_encode_quaternions_alike);
    tcase_add_test(tests, long_values_are_left_alone);
    tcase_add_test(tests, quaternions_are_within_their_bound);
}

int main(void) {
    return run_tests("wire values", add);
}
