// Lists of binary32, of which four are written at once, against the same numbers written one by one.
#include "core/json/decimals_four.h"
#include "core/json/json_out.h"
#include "support.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint64_t state = 20;

static unsigned below(unsigned limit) {
    return (unsigned)(next_random(&state) % limit);
}

static float from_bits(uint32_t bits) {
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static uint32_t to_bits(float value) {
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

// As programs have them: few decimals, whole ones, halves of the last decimal, next to limits, anything at all.
static float random_number(void) {
    static const double units[] = {1, 10, 100, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8};
    static const float edges[] = {0,    -0.0f, 1,     -1,     9,        99,      999,       1023,    1024,
                                  9999, 10000, 99999, 999999, 9999999,  1e8f,    16777216,  FLT_MAX, FLT_MIN,
                                  0.1f, 0.5f,  2.5f,  1e-4f,  0.00005f, 0x1p53f, 0x1.8p53f, 0x1p51f, FLT_TRUE_MIN};
    float value;
    switch (below(6)) {
    case 0:
        value = (float)((double)(int32_t)next_random(&state) / units[below(9)]);
        break;
    case 1:
        value = (float)((double)(below(20000) + 1) / units[below(6)]);
        break;
    case 2:
        value = (float)(((double)below(2000000) + 0.5) / units[below(8)]);
        break;
    case 3:
        value = edges[below(sizeof edges / sizeof *edges)];
        value = from_bits(to_bits(value) + below(5) - (to_bits(value) << 1 > 4 ? 2 : 0));
        break;
    case 4:
        value = from_bits((below(250) << 23) + below(5));
        break;
    default:
        value = from_bits((uint32_t)next_random(&state));
        break;
    }
    if (!isfinite(value)) return 0.25f;
    return below(2) ? -value : value;
}

static size_t one_by_one(char *out, const float *numbers, const rf_component_def *def) {
    size_t len = 0;
    for (unsigned i = 0; i < def->count; i++) {
        out[len++] = i == 0 ? '[' : ',';
        if (def->fixed)
            len += rf_json_write_decimals(out + len, (double)numbers[i], def->decimals);
        else
            len += rf_json_write_f32(out + len, numbers[i], fabsf(numbers[i]) > 0x1p53f);
    }
    out[len++] = ']';
    return len;
}

static void check(const float *numbers, const rf_component_def *def, rf_json_writer write) {
    char expected[1024];
    size_t room = rf_json_value_max(def), len = one_by_one(expected, numbers, def), found;
    // Exact copies, so that a sanitizer sees what is read or written beside them.
    char *out = malloc(room);
    float *copy = malloc(def->count * sizeof *copy);
    memcpy(copy, numbers, def->count * sizeof *copy);
    found = (size_t)(write(out, def, (const uint8_t *)copy) - out);
    REQUIRE_MSG(found == len && memcmp(out, expected, len) == 0, "%.*s, not %.*s (%u decimals)", (int)found, out,
                (int)len, expected, def->fixed ? def->decimals : 99);
    free(out);
    free(copy);
}

// 0 to 8 decimals, then the shortest.
START_TEST(lists_are_their_numbers) {
    rf_component_def def = {.type = RF_TYPE_F32, .fixed = _i <= RF_JSON_DECIMALS_MAX, .decimals = (uint8_t)(_i % 9)};
    for (def.count = 2; def.count <= 16; def.count++) {
        rf_json_writer write = rf_json_writer_of(&def);
        for (int round = 0; round < 6000; round++) {
            float numbers[16];
            // Also lists that are easy throughout.
            for (unsigned i = 0; i < def.count; i++)
                numbers[i] = round % 2 ? random_number() : (float)((double)((int)below(4000) - 2000) / 100);
            check(numbers, &def, write);
        }
    }
}
END_TEST

START_TEST(both_ways_are_the_same) {
    for (int round = 0; round < 1000000; round++) {
        unsigned decimals = 1 + below(6), count = 1 + below(4);
        bool shortest = below(2);
        const rf_four_constants *with = shortest ? &rf_four_shortest : &rf_four_fixed[decimals];
        float numbers[4];
        rf_four a, b;
        for (unsigned i = 0; i < 4; i++) numbers[i] = random_number();
        rf_four_scalar(&a, (const uint8_t *)numbers, count, with, shortest);
        rf_four_make(&b, (const uint8_t *)numbers, count, with, shortest);
        REQUIRE(a.hard == b.hard);
        for (unsigned i = 0; i < count; i++) {
            if (a.hard >> i & 1) continue;
            REQUIRE(a.digits[i] == b.digits[i]);
            REQUIRE((a.negative >> i & 1) == (b.negative >> i & 1));
        }
    }
}
END_TEST

// All halves of eight digits: with them all steps of both ways to make digits are seen.
START_TEST(digits_of_every_half) {
    for (uint32_t half = 0; half < 10000; half++) {
        const uint32_t values[2] = {half, half * 10000 + (9999 - half)};
        for (int i = 0; i < 2; i++) {
            char text[17];
            uint64_t digits = rf_eight_digits(values[i]);
            snprintf(text, sizeof text, "%08u", values[i]);
            rf_store64((uint8_t *)text + 9, digits);
            REQUIRE(memcmp(text, text + 9, 8) == 0);
#if defined(__SSE2__)
            uint64_t four[4];
            rf_four_digits(four, _mm_set_epi32((int)values[1], (int)values[i], 99999999, (int)values[i]));
            REQUIRE((four[0] ^ RF_ZEROS) == digits && (four[2] ^ RF_ZEROS) == digits);
            REQUIRE(four[1] == UINT64_C(0x0909090909090909));
            REQUIRE((four[3] ^ RF_ZEROS) == rf_eight_digits(values[1]));
#endif
        }
    }
}
END_TEST

// Every so many-th binary32, or all of them (both signs: the fast way looks at them).
START_TEST(shortest_of_every_exponent) {
    const rf_component_def def = {.type = RF_TYPE_F32, .count = 4};
    rf_json_writer write = rf_json_writer_of(&def);
    uint64_t first = 0, end = (uint64_t)UINT32_MAX + 1, step = all_floats(end, &first, &end) ? 1 : 1021;
    float numbers[4] = {0};
    unsigned count = 0;
    if (step > 1) printf("test_json_list: all 2^32 binary32 are left out; set ROOMFOLD_ALL_FLOATS=1 to test them\n");
    for (uint64_t bits = first; bits < end; bits += step) {
        float value = from_bits((uint32_t)bits);
        if (!isfinite(value)) continue;
        numbers[count++] = value;
        if (count < 4) continue;
        check(numbers, &def, write);
        count = 0;
    }
}
END_TEST

static void add(TCase *tests) {
    tcase_add_test(tests, shortest_of_every_exponent);
    if (floats_alone(tests)) return;
    tcase_add_loop_test(tests, lists_are_their_numbers, 0, RF_JSON_DECIMALS_MAX + 2);
    tcase_add_test(tests, both_ways_are_the_same);
    tcase_add_test(tests, digits_of_every_half);
}

int main(void) {
    return run_tests("json_list", add);
}
