// The parts of JSON text, each by itself: what is read, where it stops, where an error is.
#include "core/json/scan.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support.h"

static uint64_t random_state = 88172645463325252;

static uint64_t random_bits(void) {
    return next_random(&random_state);
}

static uint32_t random_below(uint32_t limit) {
    return (uint32_t)((random_bits() >> 32) * limit >> 32);
}

// A scan over memory of exactly that size, so that reading beyond it is seen; `text` may be freed by release().
static rf_scan start(const char *text, size_t len) {
    char *copy = malloc(len > 0 ? len : 1);
    REQUIRE(copy != NULL);
    memcpy(copy, text, len);
    // Not rf_scan_start: of an empty text it would not keep the pointer.
    return (rf_scan){.begin = copy, .at = copy, .end = copy + len};
}

static void release(rf_scan *scan) {
    free((void *)(uintptr_t)scan->begin);
}

static size_t offset(const rf_scan *scan) {
    return (size_t)(scan->at - scan->begin);
}

static void assert_error(const rf_scan *scan, rf_status status, size_t error_offset) {
    ck_assert_str_eq(rf_status_name(scan->status), rf_status_name(status));
    REQUIRE((size_t)(scan->error_at - scan->begin) == error_offset);
}

// ---- White space and words

START_TEST(an_empty_text_may_have_no_address) {
    rf_scan scan = rf_scan_start((rf_str){.data = NULL, .len = 0});
    rf_number number;
    rf_scan_space(&scan);
    REQUIRE(scan.at == scan.end);
    REQUIRE(!rf_scan_number(&scan, &number));
    assert_error(&scan, RF_UNEXPECTED_END, 0);
}
END_TEST

START_TEST(white_space_is_four_bytes) {
    for (int byte = 0; byte < 256; byte++) {
        char text[] = {' ', '\t', (char)byte};
        rf_scan scan = start(text, sizeof text);
        bool space = byte == ' ' || byte == '\t' || byte == '\n' || byte == '\r';
        rf_scan_space(&scan);
        REQUIRE((offset(&scan)) == (space ? 3 : 2));
        release(&scan);
    }
}
END_TEST

START_TEST(the_first_error_stays) {
    rf_scan scan = start("abc", 3);
    REQUIRE(!rf_scan_fail(&scan, RF_TOO_DEEP, scan.begin + 1));
    REQUIRE(!rf_scan_fail(&scan, RF_UNEXPECTED_END, scan.end));
    assert_error(&scan, RF_TOO_DEEP, 1);
    release(&scan);
}
END_TEST

START_TEST(unexpected_byte_or_end) {
    rf_scan scan = start("abc", 3), other = scan;
    REQUIRE(!rf_scan_unexpected(&scan, scan.begin + 2));
    assert_error(&scan, RF_UNEXPECTED_BYTE, 2);
    REQUIRE(!rf_scan_unexpected(&other, other.end));
    assert_error(&other, RF_UNEXPECTED_END, 3);
    release(&scan);
}
END_TEST

START_TEST(words) {
    static const struct {
        const char *text;
        rf_status status;
        size_t offset;
    } cases[] = {
        {"true", RF_OK, 4},
        {"truely", RF_OK, 4},
        {"", RF_UNEXPECTED_END, 0},
        {"tru", RF_UNEXPECTED_END, 3},
        {"trUe", RF_UNEXPECTED_BYTE, 2},
        {"false", RF_UNEXPECTED_BYTE, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        rf_scan scan = start(cases[i].text, strlen(cases[i].text));
        REQUIRE((rf_scan_literal(&scan, "true", 4)) == (cases[i].status == RF_OK));
        if (cases[i].status == RF_OK)
            REQUIRE((offset(&scan)) == cases[i].offset);
        else
            assert_error(&scan, cases[i].status, cases[i].offset);
        release(&scan);
    }
}
END_TEST

// ---- Strings

static void assert_string(const char *text, size_t len, const char *expected, size_t expected_len, bool in_text) {
    rf_scan scan = start(text, len);
    rf_arena arena;
    rf_str out;
    rf_arena_init(&arena, rf_allocator_default());
    REQUIRE_MSG(rf_scan_string(&scan, &arena, &out), "%s", text);
    REQUIRE((out.data == scan.begin + 1) == in_text);
    REQUIRE(out.len == expected_len);
    REQUIRE(memcmp(out.data, expected, expected_len) == 0);
    rf_arena_free(&arena);
    release(&scan);
}

START_TEST(plain_strings_of_every_size) {
    char text[70];
    for (size_t len = 0; len < 40; len++)
        for (size_t behind = 0; behind < 20; behind++) {
            text[0] = '"';
            memset(text + 1, 'a', len);
            text[1 + len] = '"';
            memset(text + 2 + len, behind % 2 ? '"' : '\\', behind);
            assert_string(text, len + 2 + behind, text + 1, len, true);
        }
}
END_TEST

START_TEST(strings_beyond_ascii_stay_in_the_text) {
    static const char *characters[] = {"\xc3\xa9", "\xe2\x82\xac", "\xf0\x9f\x98\x80", "\x7f"};
    char text[70];
    for (size_t before = 0; before < 20; before++)
        for (size_t i = 0; i < sizeof characters / sizeof *characters; i++) {
            int len = snprintf(text, sizeof text, "\"%.*s%sz\"", (int)before, "aaaaaaaaaaaaaaaaaaaa", characters[i]);
            assert_string(text, (size_t)len, text + 1, (size_t)len - 2, true);
        }
}
END_TEST

static const struct {
    const char *text, *expected;
    size_t len;
} escapes[] = {
    {"\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", "\"\\/\b\f\n\r\t", 8},
    {"\"\\u0041\\u00e9\\u20AC\\ud83D\\uDe00\"", "A\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80", 10},
    {"\"a\\u0000b\"", "a\0b", 3},
    {"\"\\u0000\"", "\0", 1},
    {"\"\\u007f\\u0080\\u07ff\\u0800\\uffff\"", "\x7f\xc2\x80\xdf\xbf\xe0\xa0\x80\xef\xbf\xbf", 11},
    {"\"\\ud800\\udc00\\udbff\\udfff\"", "\xf0\x90\x80\x80\xf4\x8f\xbf\xbf", 8},
    {"\"\\ud7ff\\ue000\"", "\xed\x9f\xbf\xee\x80\x80", 6},
    {"\"long before the escape \\n and long behind it\"", "long before the escape \n and long behind it", 43},
    {"\"\xc3\xa9\\t\xc3\xa9\"", "\xc3\xa9\t\xc3\xa9", 5},
};

START_TEST(escapes_are_undone) {
    const char *text = escapes[_i].text;
    assert_string(text, strlen(text), escapes[_i].expected, escapes[_i].len, false);
}
END_TEST

START_TEST(every_escaped_code_unit) {
    char text[20];
    for (unsigned unit = 0; unit < 0x10000; unit++) {
        int len = snprintf(text, sizeof text, "\"\\u%04x\"", unit);
        rf_scan scan = start(text, (size_t)len);
        rf_arena arena;
        rf_str out;
        rf_arena_init(&arena, rf_allocator_default());
        if (unit < 0xd800 || unit > 0xdfff) {
            uint32_t back;
            REQUIRE(rf_scan_string(&scan, &arena, &out));
            REQUIRE(out.len == (unit < 0x80 ? 1 : unit < 0x800 ? 2 : 3));
            back = (uint8_t)out.data[0];
            if (out.len == 2) back = (back & 0x1f) << 6 | (out.data[1] & 0x3f);
            if (out.len == 3) back = (back & 0xf) << 12 | (out.data[1] & 0x3fu) << 6 | (out.data[2] & 0x3f);
            REQUIRE(back == unit);
        } else {
            REQUIRE(!rf_scan_string(&scan, &arena, &out));
            // High: a backslash must follow. Low: its second digit.
            assert_error(&scan, RF_UNEXPECTED_BYTE, unit < 0xdc00 ? 7 : 4);
        }
        rf_arena_free(&arena);
        release(&scan);
    }
}
END_TEST

static const struct {
    const char *text;
    rf_status status;
    size_t offset;
} bad_strings[] = {
    {"\"abc", RF_UNEXPECTED_END, 4},
    {"\"12345678", RF_UNEXPECTED_END, 9},
    {"\"", RF_UNEXPECTED_END, 1},
    {"\"\\", RF_UNEXPECTED_END, 2},
    {"\"\\u12", RF_UNEXPECTED_END, 5},
    {"\"\\ud800", RF_UNEXPECTED_END, 7},
    {"\"\\ud800\\udc0", RF_UNEXPECTED_END, 12},
    {"\"\\x\"", RF_UNEXPECTED_BYTE, 2},
    {"\"\\u12g4\"", RF_UNEXPECTED_BYTE, 5},
    {"\"\\ud800\"", RF_UNEXPECTED_BYTE, 7},
    {"\"\\ud800\\n\"", RF_UNEXPECTED_BYTE, 8},
    {"\"\\ud800\\ue000\"", RF_UNEXPECTED_BYTE, 9},
    {"\"\\ud800\\ud800\"", RF_UNEXPECTED_BYTE, 10},
    {"\"\\udc00\"", RF_UNEXPECTED_BYTE, 4},
    {"\"a\nb\"", RF_UNEXPECTED_BYTE, 2},
    {"\"12345678\x1f\"", RF_UNEXPECTED_BYTE, 9},
    {"\"abc\xff\"", RF_INVALID_UTF8, 4},
    {"\"abc\xe2\x82\"", RF_INVALID_UTF8, 4},
    {"\"abc\xe2\x82", RF_INVALID_UTF8, 4},
    {"\"\\n\xed\xa0\x80\"", RF_INVALID_UTF8, 3},
    {"\"\xff\\x\"", RF_INVALID_UTF8, 1},
    {"\"\\x\xff\"", RF_UNEXPECTED_BYTE, 2},
};

START_TEST(bad_strings_say_where) {
    rf_scan scan = start(bad_strings[_i].text, strlen(bad_strings[_i].text));
    test_memory memory = {0};
    rf_arena arena;
    rf_str out;
    rf_arena_init(&arena, test_allocator(&memory));
    REQUIRE(!rf_scan_string(&scan, &arena, &out));
    assert_error(&scan, bad_strings[_i].status, bad_strings[_i].offset);
    REQUIRE_MSG(memory.blocks == 0, "memory was taken for a string that is none");
    release(&scan);
}
END_TEST

START_TEST(only_escapes_need_memory) {
    test_memory memory = {.fail_at = 1};
    rf_scan scan = start("\"plain\" \"esc\\n\"", 15);
    rf_arena arena;
    rf_str out;
    rf_arena_init(&arena, test_allocator(&memory));
    REQUIRE(rf_scan_string(&scan, &arena, &out));
    rf_scan_space(&scan);
    REQUIRE(!rf_scan_string(&scan, &arena, &out));
    assert_error(&scan, RF_NO_MEMORY, 8);
    release(&scan);
}
END_TEST

// ---- Numbers

static const struct {
    const char *text;
    size_t len; // of the number in it
    int kind;
    int64_t integer;
    double real;
} numbers[] = {
    {"0", 1, RF_NUMBER_INT, 0, 0},
    {"-0", 2, RF_NUMBER_INT, 0, 0},
    {"7", 1, RF_NUMBER_INT, 7, 0},
    {"-42", 3, RF_NUMBER_INT, -42, 0},
    {"1234567", 7, RF_NUMBER_INT, 1234567, 0},
    {"12345678", 8, RF_NUMBER_INT, 12345678, 0},
    {"123456789", 9, RF_NUMBER_INT, 123456789, 0},
    {"1700000000000", 13, RF_NUMBER_INT, INT64_C(1700000000000), 0},
    {"9007199254740993", 16, RF_NUMBER_INT, INT64_C(9007199254740993), 0},
    {"9223372036854775807", 19, RF_NUMBER_INT, INT64_MAX, 0},
    {"9223372036854775808", 19, RF_NUMBER_BIG, 0, 0},
    {"-9223372036854775808", 20, RF_NUMBER_INT, INT64_MIN, 0},
    {"-9223372036854775809", 20, RF_NUMBER_BIG, 0, 0},
    {"9999999999999999999", 19, RF_NUMBER_BIG, 0, 0},
    {"18446744073709551615", 20, RF_NUMBER_BIG, 0, 0},
    {"18446744073709551616", 20, RF_NUMBER_BIG, 0, 0},
    {"36893488147419103232", 20, RF_NUMBER_BIG, 0, 0}, // 2^65: 0 in 64 bits
    {"-100000000000000000000000000000000", 34, RF_NUMBER_BIG, 0, 0},
    {"0.0", 3, RF_NUMBER_FLOAT, 0, 0.0},
    {"-0.0", 4, RF_NUMBER_FLOAT, 0, -0.0},
    {"-0e5", 4, RF_NUMBER_FLOAT, 0, -0.0},
    {"-11.4986", 8, RF_NUMBER_FLOAT, 0, -11.4986},
    {"0.707107", 8, RF_NUMBER_FLOAT, 0, 0.707107},
    {"1234567.1234567", 15, RF_NUMBER_FLOAT, 0, 1234567.1234567},
    {"1234567.12345678", 16, RF_NUMBER_FLOAT, 0, 1234567.12345678},
    {"12345678.1234567", 16, RF_NUMBER_FLOAT, 0, 12345678.1234567},
    {"0.12345678901234567", 19, RF_NUMBER_FLOAT, 0, 0.12345678901234567},
    {"0.00000012345678901234567", 25, RF_NUMBER_FLOAT, 0, 0.00000012345678901234567},
    {"1e5", 3, RF_NUMBER_FLOAT, 0, 1e5},
    {"1E5", 3, RF_NUMBER_FLOAT, 0, 1e5},
    {"1e-7", 4, RF_NUMBER_FLOAT, 0, 1e-7},
    {"1.5E+3", 6, RF_NUMBER_FLOAT, 0, 1500},
    {"1e000000000000000000005", 23, RF_NUMBER_FLOAT, 0, 1e5},
    {"1e-99999999999999999999", 23, RF_NUMBER_FLOAT, 0, 0},
    {"0e99999999999999999999", 22, RF_NUMBER_FLOAT, 0, 0},
    {"1.7976931348623157e308", 22, RF_NUMBER_FLOAT, 0, 1.7976931348623157e308},
    {"1.7976931348623159e308", 22, RF_NUMBER_INFINITE, 0, 0},
    {"-1e400", 6, RF_NUMBER_INFINITE, 0, 0},
    {"1e99999999999999999999", 22, RF_NUMBER_INFINITE, 0, 0},
    {"9007199254740993.0", 18, RF_NUMBER_FLOAT, 0, 9007199254740992.0},
    // Stops where the number does.
    {"01", 1, RF_NUMBER_INT, 0, 0},
    {"-01", 2, RF_NUMBER_INT, 0, 0},
    {"00.5", 1, RF_NUMBER_INT, 0, 0},
    {"1,2", 1, RF_NUMBER_INT, 1, 0},
    {"1.5.5", 3, RF_NUMBER_FLOAT, 0, 1.5},
    {"1e5e5", 3, RF_NUMBER_FLOAT, 0, 1e5},
    {"1f", 1, RF_NUMBER_INT, 1, 0},
    {"1%", 1, RF_NUMBER_INT, 1, 0}, // % and E differ by a bit
};

// With each of these behind it: the fast paths need room, the others must not read beyond the end.
static const char *const behinds[] = {
    "", "]", ",", " , 1", "]                             ", ",12345678901234567890123456789"};

START_TEST(numbers_and_where_they_end) {
    for (size_t i = 0; i < sizeof behinds / sizeof *behinds; i++) {
        char text[128];
        size_t own = strlen(numbers[_i].text);
        rf_scan scan;
        rf_number out;
        snprintf(text, sizeof text, "%s%s", numbers[_i].text, behinds[i]);
        scan = start(text, strlen(text));
        REQUIRE_MSG(rf_scan_number(&scan, &out), "%s", text);
        REQUIRE_MSG(offset(&scan) == numbers[_i].len && numbers[_i].len <= own, "%s", text);
        REQUIRE_MSG(out.kind == (unsigned)numbers[_i].kind, "%s", text);
        REQUIRE(out.text.data == scan.begin && out.text.len == numbers[_i].len);
        if (out.kind == RF_NUMBER_INT) REQUIRE(out.integer == numbers[_i].integer);
        if (out.kind == RF_NUMBER_FLOAT) REQUIRE_MSG(memcmp(&out.real, &numbers[_i].real, 8) == 0, "%s", text);
        release(&scan);
    }
}
END_TEST

static const struct {
    const char *text;
    size_t offset;
} bad_numbers[] = {
    {"", 0},    {"-", 1},    {"1.", 2},    {"-1.", 3}, {"1e", 2}, {"1E", 2},        {"1e+", 3},
    {"1e-", 3}, {"1.5e", 4}, {"1.5e-", 5}, {"0.", 2},  {"0e", 2}, {"12345678.", 9}, {"123456789012345678901.", 22},
};

START_TEST(bad_numbers_say_where) {
    static const char *const others[] = {"x", "-", ".", " ", "]", ",                              ", "/", ":"};
    char text[128];
    rf_number out;
    rf_scan scan = start(bad_numbers[_i].text, strlen(bad_numbers[_i].text));
    REQUIRE(!rf_scan_number(&scan, &out));
    assert_error(&scan, RF_UNEXPECTED_END, bad_numbers[_i].offset);
    release(&scan);
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        // A minus may stand at the start and behind the e.
        char last = bad_numbers[_i].offset > 0 ? bad_numbers[_i].text[bad_numbers[_i].offset - 1] : 'e';
        if (others[i][0] == '-' && (last | 0x20) == 'e') continue;
        snprintf(text, sizeof text, "%s%s", bad_numbers[_i].text, others[i]);
        scan = start(text, strlen(text));
        REQUIRE(!rf_scan_number(&scan, &out));
        assert_error(&scan, RF_UNEXPECTED_BYTE, bad_numbers[_i].offset);
        release(&scan);
    }
}
END_TEST

// With room behind it and without: one way through the code must give what the other does, and strtod.
START_TEST(random_numbers_read_the_same_on_every_path) {
    char text[100];
    for (int i = 0; i < 300000; i++) {
        uint32_t whole = 1 + random_below(10), part = random_below(10), len = 0;
        rf_scan tight, roomy;
        rf_number a, b;
        if (random_below(2)) text[len++] = '-';
        if (random_below(4) == 0) whole = 0;
        text[len++] = (char)('0' + (whole ? 1 + random_below(9) : 0));
        for (uint32_t digit = 1; digit < whole; digit++) text[len++] = (char)('0' + random_below(10));
        if (part > 0) text[len++] = '.';
        for (uint32_t digit = 0; digit < part; digit++) text[len++] = (char)('0' + random_below(10));
        if (random_below(8) == 0) len += (uint32_t)snprintf(text + len, 10, "e%d", (int)random_below(600) - 300);
        tight = start(text, len);
        memset(text + len, ',', 32);
        text[len + 32] = '\0';
        roomy = start(text, len + 32);
        REQUIRE(rf_scan_number(&tight, &a) && rf_scan_number(&roomy, &b));
        REQUIRE_MSG(offset(&tight) == len && offset(&roomy) == len && a.kind == b.kind, "%s", text);
        if (a.kind == RF_NUMBER_INT) {
            REQUIRE_MSG(a.integer == b.integer && a.integer == strtoll(text, NULL, 10), "%s", text);
        } else if (a.kind == RF_NUMBER_FLOAT) {
            double expected = strtod(text, NULL);
            REQUIRE_MSG(memcmp(&a.real, &b.real, 8) == 0 && memcmp(&a.real, &expected, 8) == 0, "%s", text);
        } else {
            REQUIRE(a.kind == RF_NUMBER_INFINITE);
        }
        release(&tight);
        release(&roomy);
    }
}
END_TEST

START_TEST(digits_are_counted_and_valued) {
    char text[9] = "";
    for (int i = 0; i < 100000; i++) {
        uint32_t count = random_below(9), value = 0;
        uint64_t bytes;
        for (uint32_t at = 0; at < 8; at++) {
            // A byte that is no digit, of all kinds, ends the run.
            text[at] = (char)('0' + random_below(10));
            if (at == count) do
                    text[at] = (char)random_bits();
                while (text[at] >= '0' && text[at] <= '9');
            if (at > count) text[at] = (char)random_bits();
            if (at < count) value = value * 10 + (uint32_t)(text[at] - '0');
        }
        bytes = rf_load64((const uint8_t *)text);
        REQUIRE(rf_scan_digits(bytes) == count);
        if (count > 0) REQUIRE(rf_scan_digits_value(bytes, count) == value);
    }
}
END_TEST

START_TEST(runs_end_at_the_first_special_byte) {
    uint8_t text[8];
    for (int i = 0; i < 200000; i++) {
        uint32_t expected = 8;
        uint64_t stop;
        for (uint32_t at = 8; at-- > 0;) {
            text[at] = random_below(3) ? (uint8_t)(0x20 + random_below(96)) : (uint8_t)random_bits();
            if (text[at] < 0x20 || text[at] >= 0x80 || text[at] == '"' || text[at] == '\\') expected = at;
        }
        stop = rf_scan_run_end(rf_load64(text));
        REQUIRE((stop == 0 ? 8 : rf_low_bit(stop) / 8) == expected);
    }
}
END_TEST

#define COUNT(table) ((int)(sizeof(table) / sizeof *(table)))

static void add(TCase *tests) {
    tcase_add_test(tests, an_empty_text_may_have_no_address);
    tcase_add_test(tests, white_space_is_four_bytes);
    tcase_add_test(tests, the_first_error_stays);
    tcase_add_test(tests, unexpected_byte_or_end);
    tcase_add_test(tests, words);
    tcase_add_test(tests, plain_strings_of_every_size);
    tcase_add_test(tests, strings_beyond_ascii_stay_in_the_text);
    tcase_add_loop_test(tests, escapes_are_undone, 0, COUNT(escapes));
    tcase_add_test(tests, every_escaped_code_unit);
    tcase_add_loop_test(tests, bad_strings_say_where, 0, COUNT(bad_strings));
    tcase_add_test(tests, only_escapes_need_memory);
    tcase_add_test(tests, runs_end_at_the_first_special_byte);
    tcase_add_loop_test(tests, numbers_and_where_they_end, 0, COUNT(numbers));
    tcase_add_loop_test(tests, bad_numbers_say_where, 0, COUNT(bad_numbers));
    tcase_add_test(tests, random_numbers_read_the_same_on_every_path);
    tcase_add_test(tests, digits_are_counted_and_valued);
}

int main(void) {
    return run_tests("scan", add);
}
