// Our JSON reader and writer against jansson's: the same texts are accepted, and mean the same. Excepted is what
// jansson is known to refuse (integers beyond 64 bits) or to take in its own way (numbers beyond binary64).
#include "support.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool beyond_jansson; // the text holds a number that jansson can't hold

static json_t *read_value(rf_json_reader *reader, rf_json_token token);

static json_t *string_value(rf_str string) {
    return json_stringn(string.len > 0 ? string.data : "", string.len);
}

static json_t *read_list(rf_json_reader *reader) {
    json_t *out = json_array();
    for (;;) {
        rf_json_token token = rf_json_next(reader);
        json_t *item;
        if (token.kind == RF_JSON_CLOSE_LIST) return out;
        item = read_value(reader, token);
        if (!item) break;
        json_array_append_new(out, item);
    }
    json_decref(out);
    return NULL;
}

static json_t *read_map(rf_json_reader *reader) {
    json_t *out = json_object();
    for (;;) {
        rf_json_token token = rf_json_next(reader);
        json_t *item;
        char *key;
        size_t len;
        if (token.kind == RF_JSON_CLOSE_MAP) return out;
        if (token.kind != RF_JSON_KEY) break;
        len = token.as.string.len;
        key = malloc(len + 1);
        if (len > 0) memcpy(key, token.as.string.data, len);
        key[len] = 0;
        item = read_value(reader, rf_json_next(reader));
        if (item) json_object_setn_new(out, key, len, item);
        free(key);
        if (!item) break;
    }
    json_decref(out);
    return NULL;
}

// NULL: an error.
static json_t *read_value(rf_json_reader *reader, rf_json_token token) {
    switch (token.kind) {
    case RF_JSON_NULL:
        return json_null();
    case RF_JSON_FALSE:
        return json_false();
    case RF_JSON_TRUE:
        return json_true();
    case RF_JSON_INT:
        return json_integer(token.as.integer);
    case RF_JSON_BIG:
        beyond_jansson = true;
        return json_integer(0);
    case RF_JSON_FLOAT:
        return json_real(token.as.number);
    case RF_JSON_STRING:
        return string_value(token.as.string);
    case RF_JSON_OPEN_LIST:
        return read_list(reader);
    case RF_JSON_OPEN_MAP:
        return read_map(reader);
    case RF_JSON_END:
    case RF_JSON_ERROR:
    case RF_JSON_KEY:
    case RF_JSON_CLOSE_LIST:
    case RF_JSON_CLOSE_MAP:
        break;
    }
    return NULL;
}

static json_t *ours(rf_str text, rf_error *error) {
    rf_json_reader *reader;
    json_t *out;
    ck_assert_int_eq(rf_json_reader_new(rf_allocator_default(), text, 200, &reader), RF_OK);
    beyond_jansson = false;
    out = read_value(reader, rf_json_next(reader));
    if (out && rf_json_next(reader).kind != RF_JSON_END) {
        json_decref(out);
        out = NULL;
    }
    *error = rf_json_error(reader);
    rf_json_reader_free(reader);
    return out;
}

static void compare(rf_str text) {
    json_error_t their_error = {0}; // its code is only set by an error
    rf_error error;
    json_t *a, *b;
    bool numbers;
    if (memchr(text.data, 0, text.len)) return;
    a = ours(text, &error);
    b = json_loadb(text.data, text.len, JSON_DECODE_ANY | JSON_ALLOW_NUL, &their_error);
    numbers = beyond_jansson || error.status == RF_NUMBER_OUT_OF_RANGE ||
              json_error_code(&their_error) == json_error_numeric_overflow;
    if (b || !numbers) {
        REQUIRE_MSG(!a == !b, "%.*s: %s", (int)text.len, text.data, b ? "only jansson takes it" : their_error.text);
        REQUIRE_MSG(!a || numbers || json_equal(a, b), "%.*s", (int)text.len, text.data);
    }
    json_decref(a);
    json_decref(b);
}

static const char *const pieces[] = {
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    "\"",
    "\"a\"",
    "\"\\n\"",
    "\"\\u00e9\"",
    "\"\\ud83d\\ude00\"",
    "\"\\u",
    "\\",
    "\"\\x\"",
    "null",
    "true",
    "false",
    "nul",
    "0",
    "-0",
    "1",
    "-12",
    "01",
    "1.",
    ".5",
    "1.5",
    "-0.0",
    "1e5",
    "1E-5",
    "1e",
    "2.5e+3",
    "1e400",
    "9223372036854775807",
    "-9223372036854775808",
    "9223372036854775808",
    "123456789012345678901234567890",
    "0.1",
    "5e-324",
    "1.7976931348623157e308",
    " ",
    "\n",
    "\t",
    "\r",
    "\x0b",
    "\xc3\xa9",
    "\xc3",
    "\xed\xa0\x80",
    "\xf0\x9f\x98\x80",
    "\xff",
    "\"k\":",
    "\"k\":1,",
    "\"\\u0000\"",
    "\"\\ud800\"",
    "\"\\udc00\"",
    "/",
    "\"\x01\"",
    "\x7f",
};

START_TEST(random_pieces) {
    uint64_t state = 1;
    for (int round = 0; round < 300000; round++) {
        char text[512] = "";
        unsigned count = 1 + (unsigned)(next_random(&state) % 9);
        for (unsigned i = 0; i < count; i++)
            strcat(text, pieces[next_random(&state) % (sizeof pieces / sizeof *pieces)]);
        compare((rf_str){text, strlen(text)});
    }
}
END_TEST

// A random value, so that whole and valid texts come too.
static void append_value(char **at, uint64_t *state, unsigned depth) {
    unsigned kind = (unsigned)(next_random(state) % (depth > 3 ? 7 : 10)), count = (unsigned)(next_random(state) % 4);
    double number;
    uint64_t bits;
    switch (kind) {
    case 0:
        *at += sprintf(*at, "null");
        return;
    case 1:
        *at += sprintf(*at, "%s", next_random(state) % 2 ? "true" : "false");
        return;
    case 2:
        *at += sprintf(*at, "%lld", (long long)next_random(state) >> next_random(state) % 64);
        return;
    case 3:
    case 4:
        bits = next_random(state);
        memcpy(&number, &bits, sizeof number);
        *at += sprintf(*at, "%.*e", (int)(next_random(state) % 20), isfinite(number) ? number : 0.5);
        return;
    case 5:
    case 6:
        *at += sprintf(*at, "\"%s\"", next_random(state) % 2 ? "caf\xc3\xa9 \\\"\\u20ac\\/" : "");
        return;
    case 7:
    case 8:
        *(*at)++ = '[';
        for (unsigned i = 0; i < count; i++) {
            if (i > 0) *at += sprintf(*at, next_random(state) % 2 ? "," : " ,\n ");
            append_value(at, state, depth + 1);
        }
        *(*at)++ = ']';
        return;
    default:
        *(*at)++ = '{';
        for (unsigned i = 0; i < count; i++) {
            *at += sprintf(*at, "%s\"k%u\":", i > 0 ? "," : "", (unsigned)(next_random(state) % 3));
            append_value(at, state, depth + 1);
        }
        *(*at)++ = '}';
        return;
    }
}

START_TEST(random_values_and_mutations) {
    uint64_t state = 2;
    char *text = malloc(100000);
    for (int round = 0; round < 60000; round++) {
        char *at = text;
        size_t len;
        append_value(&at, &state, 0);
        len = (size_t)(at - text);
        compare((rf_str){text, len});
        for (int i = 0; i < 3; i++) {
            char *byte = &text[next_random(&state) % len], kept = *byte;
            *byte = (char)next_random(&state);
            compare((rf_str){text, len});
            if (next_random(&state) % 2) *byte = kept;
        }
        compare((rf_str){text, next_random(&state) % (len + 1)});
    }
    free(text);
}
END_TEST

// What we write, jansson reads as the same number.
START_TEST(numbers_are_read_back) {
    uint64_t state = 4;
    for (int i = 0; i < 500000; i++) {
        uint64_t bits = next_random(&state);
        char text[RF_JSON_FLOAT_ROOM];
        double number, found;
        json_t *json;
        memcpy(&number, &bits, sizeof number);
        if (!isfinite(number)) continue;
        json = json_loadb(text, rf_json_write_f64(text, number, true), JSON_DECODE_ANY, NULL);
        REQUIRE(json_is_real(json));
        found = json_real_value(json);
        REQUIRE(memcmp(&found, &number, sizeof found) == 0);
        json_decref(json);
    }
}
END_TEST

static void add(TCase *tests) {
    tcase_add_test(tests, random_pieces);
    tcase_add_test(tests, random_values_and_mutations);
    tcase_add_test(tests, numbers_are_read_back);
}

int main(void) {
    return run_tests("json_jansson", add);
}
