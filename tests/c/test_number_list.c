// Lists of numbers against strtod, and what the fast ways must leave to the slow one.
#include "core/json/number_list.h"
#include "support.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ROOM 64 // behind a list: closer to the end of the text it is not read

// Behind a key, as in an event.
static bool read_list_by(rf_number_list_reader *reader, const char *text, unsigned count, double *out, size_t *used) {
    static const char key[] = "\"position\":";
    char padded[512];
    size_t before = sizeof key - 1;
    rf_scan scan;
    bool ok;
    memset(padded, ' ', sizeof padded);
    memcpy(padded, key, before);
    memcpy(padded + before, text, strlen(text));
    scan = rf_scan_start((rf_str){padded, before + strlen(text) + 17 * count + ROOM});
    scan.at += before;
    ok = reader(&scan, count, out);
    *used = (size_t)(scan.at - padded) - before;
    return ok;
}

// By the way for every processor and by this one's best, which must answer the same.
static bool read_list(const char *text, unsigned count, double *out, size_t *used) {
    double best[5] = {0};
    size_t best_used;
    bool ok = read_list_by(rf_number_list, text, count, out, used);
    REQUIRE_MSG(read_list_by(rf_number_list_best(), text, count, best, &best_used) == ok, "%s", text);
    REQUIRE_MSG(best_used == *used, "%s", text);
    REQUIRE_MSG(!ok || memcmp(out, best, count * sizeof *out) == 0, "%s", text);
    return ok;
}

static uint64_t state = 7;

static unsigned below(unsigned limit) {
    return (unsigned)(next_random(&state) % limit);
}

static void append_digits(char **at, unsigned count, bool leading_zero) {
    for (unsigned i = 0; i < count; i++) *(*at)++ = (char)('0' + (i == 0 && !leading_zero ? 1 + below(9) : below(10)));
}

static void append_number(char **at) {
    unsigned whole = 1 + below(7), part = below(8);
    if (below(2)) { // of the size that most have
        whole = 1 + below(2);
        part = below(6);
    }
    if (below(2)) *(*at)++ = '-';
    if (below(4) == 0)
        *(*at)++ = '0';
    else
        append_digits(at, whole, false);
    if (part > 0 || (*at)[-1] == '0') {
        *(*at)++ = '.';
        append_digits(at, part > 0 ? part : 1, true);
    }
}

START_TEST(reads_what_strtod_reads) {
    for (unsigned round = 0; round < 200000; round++) {
        unsigned count = 1 + below(5);
        double values[5];
        char text[256], *at = text;
        const char *behind = text + 1;
        size_t used;
        for (unsigned i = 0; i < count; i++) {
            *at++ = i == 0 ? '[' : ',';
            append_number(&at);
        }
        *at++ = ']';
        *at = 0;
        REQUIRE_MSG(read_list(text, count, values, &used), "%s", text);
        REQUIRE(used == strlen(text));
        for (unsigned i = 0; i < count; i++) {
            char *end;
            double expected = strtod(behind, &end);
            behind = end + 1;
            REQUIRE_MSG(memcmp(&expected, &values[i], sizeof expected) == 0, "%s: number %u is %.17g", text, i,
                        values[i]);
        }
    }
}
END_TEST

static const char *const left_alone[] = {
    "",          "[",       "[]",       "1",         "[1",       "[1]",           "[1,2",
    "[1,2,3]",   "[1,2}",   "[01,2]",   "[1.,2]",    "[.5,2]",   "[-,2]",         "[1,-]",
    "[1 ,2]",    "[ 1,2]",  "[1, 2]",   "[1.2.3,4]", "[1..2,3]", "[--1,2]",       "[+1,2]",
    "[1,\"2\"]", "[1,[2]]", "[null,1]", "[1.5x,2]",  "[00.5,2]", "[1\xc3\xa9,2]", "[1.5\xff,2]",
    "{1,2]",     "[-01,2]", "[0x1,2]",
};

START_TEST(leaves_alone) {
    double values[2];
    size_t used;
    ck_assert_msg(!read_list(left_alone[_i], 2, values, &used), "%s", left_alone[_i]);
    ck_assert_uint_eq(used, 0);
}
END_TEST

// A list that is right, with bytes of it replaced: the ways agree whether it still is, and what it says.
START_TEST(agree_on_broken_lists) {
    static const char bytes[] = "0123456789.,-]e[ \xff";
    for (unsigned round = 0; round < 300000; round++) {
        unsigned count = 3 + below(2);
        char text[256], *at = text;
        double values[5];
        size_t used;
        for (unsigned i = 0; i < count; i++) {
            *at++ = i == 0 ? '[' : ',';
            append_number(&at);
        }
        *at++ = ']';
        *at = 0;
        for (unsigned changes = below(3); changes > 0; changes--)
            text[1 + below((unsigned)(at - text) - 1)] = bytes[below(sizeof bytes - 1)];
        read_list(text, count, values, &used);
    }
}
END_TEST

START_TEST(reads_numbers_as_programs_write_them) {
    for (int i = 0; i < 200000; i++) {
        uint64_t bits = next_random(&state);
        double expected, values[2];
        char text[128];
        size_t used;
        memcpy(&expected, &bits, sizeof expected);
        if (!isfinite(expected)) continue;
        if (i % 2) expected = (double)(int64_t)bits / 0x1p63;
        snprintf(text, sizeof text, "[%.*e,%.3e]", 1 + (int)below(16), expected, expected);
        REQUIRE_MSG(read_list(text, 2, values, &used), "%s", text);
        REQUIRE(used == strlen(text));
        for (int k = 0; k < 2; k++) {
            double found = strtod(k ? strchr(text, ',') + 1 : text + 1, NULL);
            REQUIRE_MSG(memcmp(&found, &values[k], sizeof found) == 0, "%s: number %d is %.17g", text, k, values[k]);
        }
    }
}
END_TEST

START_TEST(keeps_the_sign_of_zero) {
    double values[2];
    size_t used;
    ck_assert(read_list("[-0,1e-400]", 2, values, &used)); // -0 is the integer 0
    ck_assert(values[0] == 0 && !signbit(values[0]));
    ck_assert(values[1] == 0);
    ck_assert(read_list("[-0.0,0]", 2, values, &used));
    ck_assert(signbit(values[0]));
    ck_assert(!signbit(values[1]));
}
END_TEST

// Reads whole words, so never a list that ends too near the end of the text; exact-size copies let the sanitizers see.
START_TEST(stays_inside_the_text) {
    const char *text = "[1.5,-2.25,1234567.1234567]";
    double values[3];
    for (size_t len = 0; len <= strlen(text); len++) {
        char *copy = malloc(len + 1);
        rf_scan scan;
        memcpy(copy, text, len);
        scan = (rf_scan){.begin = copy, .at = copy, .end = copy + len};
        ck_assert(!rf_number_list(&scan, 3, values));
        ck_assert(!rf_number_list_best()(&scan, 3, values));
        free(copy);
    }
}
END_TEST

static void add(TCase *tests) {
    tcase_add_test(tests, reads_what_strtod_reads);
    tcase_add_loop_test(tests, leaves_alone, 0, sizeof left_alone / sizeof *left_alone);
    tcase_add_test(tests, agree_on_broken_lists);
    tcase_add_test(tests, reads_numbers_as_programs_write_them);
    tcase_add_test(tests, keeps_the_sign_of_zero);
    tcase_add_test(tests, stays_inside_the_text);
}

int main(void) {
    return run_tests("number_list", add);
}
