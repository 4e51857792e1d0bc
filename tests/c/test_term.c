// Compact terms: what is built is read back, maps come out sorted, and what can't be said is refused.
#include "core/json/builder.h"
#include "support.h"
#include <roomfold/term.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

static rf_builder new_builder(void) {
    rf_builder builder;
    rf_builder_init(&builder, rf_allocator_default());
    rf_builder_start(&builder);
    return builder;
}

static rf_str term_of(const rf_builder *builder) {
    return (rf_str){(const char *)builder->out.data, builder->out.len};
}

START_TEST(integers_and_floats_are_kept_apart) {
    const int64_t integers[] = {0, 1, -1, 63, 64, -64, -65, 8191, 8192, INT32_MAX, INT64_MAX, INT64_MIN};
    const double floats[] = {0.0, -0.0, 1.0, 0.5, 0.1, 1e300, -1e-300, 5e-324, 16777217.0};
    rf_term_reader reader;
    rf_term term;
    for (size_t i = 0; i < sizeof integers / sizeof *integers; i++) {
        rf_builder builder = new_builder();
        ck_assert(rf_builder_int(&builder, integers[i]));
        rf_term_read(&reader, term_of(&builder));
        term = rf_term_next(&reader);
        ck_assert(term.kind == RF_TERM_INT && term.as.integer == integers[i]);
        ck_assert_int_eq(rf_term_next(&reader).kind, RF_TERM_END);
        rf_builder_free(&builder);
    }
    for (size_t i = 0; i < sizeof floats / sizeof *floats; i++) {
        rf_builder builder = new_builder();
        ck_assert(rf_builder_float(&builder, floats[i]));
        // A binary32 that is the same number takes half.
        ck_assert_uint_eq(builder.out.len, (double)(float)floats[i] == floats[i] ? 5 : 9);
        rf_term_read(&reader, term_of(&builder));
        term = rf_term_next(&reader);
        ck_assert_int_eq(term.kind, RF_TERM_FLOAT);
        ck_assert(memcmp(&term.as.number, &floats[i], sizeof floats[i]) == 0);
        rf_builder_free(&builder);
    }
}
END_TEST

// {"b": [true, {"y": null, "x": "s"}], "a": {}} in any order of keys.
static rf_builder build(bool turned) {
    rf_builder builder = new_builder();
    rf_builder_open(&builder, true);
    for (int i = 0; i < 2; i++) {
        if ((i == 0) == turned) {
            rf_builder_key(&builder, STR("a"));
            rf_builder_open(&builder, true);
            rf_builder_close(&builder);
        } else {
            rf_builder_key(&builder, STR("b"));
            rf_builder_open(&builder, false);
            rf_builder_bool(&builder, true);
            rf_builder_open(&builder, true);
            for (int k = 0; k < 2; k++) {
                if ((k == 0) == turned) {
                    rf_builder_key(&builder, STR("x"));
                    rf_builder_string(&builder, STR("s"));
                } else {
                    rf_builder_key(&builder, STR("y"));
                    rf_builder_null(&builder);
                }
            }
            rf_builder_close(&builder);
            rf_builder_close(&builder);
        }
    }
    ck_assert(rf_builder_close(&builder));
    return builder;
}

START_TEST(maps_are_sorted_by_key) {
    rf_builder one = build(false), other = build(true);
    rf_term_reader reader;
    rf_term term;
    ck_assert_uint_eq(one.out.len, other.out.len);
    ck_assert_mem_eq(one.out.data, other.out.data, one.out.len);
    rf_term_read(&reader, term_of(&one));
    term = rf_term_next(&reader);
    ck_assert(term.kind == RF_TERM_MAP && term.as.count == 2);
    ck_assert_mem_eq(rf_term_key(&reader).data, "a", 1);
    ck_assert_int_eq(rf_term_next(&reader).kind, RF_TERM_MAP);
    ck_assert_mem_eq(rf_term_key(&reader).data, "b", 1);
    term = rf_term_next(&reader);
    ck_assert(term.kind == RF_TERM_LIST && term.as.count == 2);
    rf_builder_free(&one);
    rf_builder_free(&other);
}
END_TEST

START_TEST(a_key_twice_is_refused) {
    rf_builder builder = new_builder();
    rf_builder_open(&builder, true);
    rf_builder_key(&builder, STR("a"));
    rf_builder_int(&builder, 1);
    rf_builder_key(&builder, STR("a"));
    rf_builder_int(&builder, 2);
    ck_assert(!rf_builder_close(&builder));
    ck_assert_int_eq(builder.status, RF_DUPLICATE_KEY);
    rf_builder_free(&builder);
}
END_TEST

START_TEST(so_deep_and_no_deeper) {
    rf_builder builder = new_builder();
    for (int i = 0; i < RF_TERM_DEPTH; i++) ck_assert(rf_builder_open(&builder, false));
    ck_assert(!rf_builder_open(&builder, false));
    ck_assert_int_eq(builder.status, RF_TOO_DEEP);
    ck_assert(!rf_builder_null(&builder)); // and nothing more
    rf_builder_free(&builder);
}
END_TEST

START_TEST(large_maps_come_back) {
    rf_builder builder = new_builder();
    rf_term_reader reader;
    rf_term term;
    char key[16];
    rf_builder_open(&builder, true);
    for (int i = 5000; i-- > 0;) {
        rf_builder_key(&builder, (rf_str){key, (size_t)sprintf(key, "k%04d", i)});
        rf_builder_int(&builder, i);
    }
    ck_assert(rf_builder_close(&builder));
    rf_term_read(&reader, term_of(&builder));
    ck_assert_uint_eq(rf_term_next(&reader).as.count, 5000);
    for (int i = 0; i < 5000; i++) {
        rf_str found = rf_term_key(&reader);
        sprintf(key, "k%04d", i);
        ck_assert(found.len == 5 && memcmp(found.data, key, 5) == 0);
        term = rf_term_next(&reader);
        ck_assert_int_eq(term.as.integer, i);
    }
    rf_builder_free(&builder);
}
END_TEST

static void add(TCase *tests) {
    tcase_add_test(tests, integers_and_floats_are_kept_apart);
    tcase_add_test(tests, maps_are_sorted_by_key);
    tcase_add_test(tests, a_key_twice_is_refused);
    tcase_add_test(tests, so_deep_and_no_deeper);
    tcase_add_test(tests, large_maps_come_back);
}

int main(void) {
    return run_tests("term", add);
}
