// The JSON reader and the writers: on the vectors, on JSONTestSuite, against jansson on damaged text, without memory.
#include <roomfold/json.h>

#include <dirent.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support.h"

#define VECTORS "tests/vectors/json_syntax.jsonl"

static uint64_t random_state = 88172645463325252;

static uint64_t random_bits(void) {
    return next_random(&random_state);
}

static uint32_t random_below(uint32_t limit) {
    return (uint32_t)((random_bits() >> 32) * limit >> 32);
}

// ---- Reading a whole text

typedef struct outcome {
    rf_status status;
    size_t offset;
    char *canonical; // the tokens written again, without white space; NULL after an error
    bool big, nul_in_key;
} outcome;

static size_t write_token(char *out, const rf_json_token *token) {
    switch (token->kind) {
    case RF_JSON_NULL:
        memcpy(out, "null", 4);
        return 4;
    case RF_JSON_TRUE:
        memcpy(out, "true", 4);
        return 4;
    case RF_JSON_FALSE:
        memcpy(out, "false", 5);
        return 5;
    case RF_JSON_INT:
        return rf_json_write_int(out, token->as.integer);
    case RF_JSON_FLOAT:
        return rf_json_write_f64(out, token->as.number, true);
    case RF_JSON_BIG:
        memcpy(out, token->as.string.data, token->as.string.len);
        return token->as.string.len;
    case RF_JSON_STRING:
    case RF_JSON_KEY:
        return rf_json_write_string(out, token->as.string);
    case RF_JSON_OPEN_LIST:
    case RF_JSON_CLOSE_LIST:
    case RF_JSON_OPEN_MAP:
    case RF_JSON_CLOSE_MAP:
        *out = "[]{}"[token->kind - RF_JSON_OPEN_LIST];
        return 1;
    case RF_JSON_END:
    case RF_JSON_ERROR:
        break;
    }
    return 0;
}

static bool opens(rf_json_kind kind) {
    return kind == RF_JSON_OPEN_LIST || kind == RF_JSON_OPEN_MAP;
}

static bool closes(rf_json_kind kind) {
    return kind == RF_JSON_CLOSE_LIST || kind == RF_JSON_CLOSE_MAP;
}

// Every token starts where it says, behind the one before.
static void check_token(const rf_json_token *token, rf_str text, size_t behind) {
    REQUIRE(token->offset >= behind && token->offset < text.len);
    switch (token->kind) {
    case RF_JSON_STRING:
    case RF_JSON_KEY:
        REQUIRE(text.data[token->offset] == '"' && rf_utf8_valid(token->as.string));
        if (token->in_text) REQUIRE(token->as.string.data == text.data + token->offset + 1);
        break;
    case RF_JSON_BIG:
        REQUIRE(token->in_text && token->as.string.data == text.data + token->offset);
        break;
    default:
        break;
    }
}

static outcome read_tokens(rf_json_reader *reader, rf_str text) {
    // Nothing grows beyond six bytes for one, but floats: 1e9 becomes 1000000000.0.
    char *out = malloc(text.len * 12 + 64), *at = out;
    outcome result = {.canonical = out};
    rf_json_token token = {.kind = RF_JSON_ERROR};
    rf_json_kind before = RF_JSON_END;
    size_t behind = 0;
    REQUIRE(out != NULL);
    for (;; before = token.kind, behind = token.offset + 1) {
        token = rf_json_next(reader);
        if (token.kind == RF_JSON_END || token.kind == RF_JSON_ERROR) break;
        check_token(&token, text, behind);
        if (before != RF_JSON_END && before != RF_JSON_KEY && !opens(before) && !closes(token.kind)) *at++ = ',';
        at += write_token(at, &token);
        if (token.kind == RF_JSON_KEY) *at++ = ':';
        result.big |= token.kind == RF_JSON_BIG;
        result.nul_in_key |= token.kind == RF_JSON_KEY && token.as.string.len > 0 &&
                             memchr(token.as.string.data, 0, token.as.string.len) != NULL;
    }
    *at = '\0';
    result.status = rf_json_error(reader).status;
    REQUIRE((token.kind == RF_JSON_ERROR) == (result.status != RF_OK));
    REQUIRE(rf_json_next(reader).kind == token.kind); // it stays
    if (token.kind == RF_JSON_ERROR) {
        result.offset = token.offset;
        REQUIRE(rf_json_error(reader).offset == token.offset);
        free(out);
        result.canonical = NULL;
    }
    return result;
}

// Reads a copy in memory of exactly that size, so that reading beyond it is seen.
static outcome read_text(const char *text, size_t len, uint32_t max_depth) {
    char *copy = malloc(len > 0 ? len : 1);
    rf_json_reader *reader;
    outcome result;
    REQUIRE(copy != NULL);
    if (len > 0) memcpy(copy, text, len);
    REQUIRE((rf_json_reader_new(rf_allocator_default(), (rf_str){copy, len}, max_depth, &reader)) == RF_OK);
    result = read_tokens(reader, (rf_str){copy, len});
    rf_json_reader_free(reader);
    free(copy);
    return result;
}

// ---- Vectors

typedef struct json_vector {
    const char *name, *reason, *canonical; // of json
    char *text;                            // own
    size_t len;
    bool accept;
    uint32_t max_depth;
    size_t offset;
    json_t *json;
} json_vector;

static json_vector *vectors;
static size_t vector_count;

static void decode_hex(json_vector *vector, const char *hex) {
    vector->len = strlen(hex) / 2;
    vector->text = malloc(vector->len + 1);
    for (size_t i = 0; i < vector->len; i++) {
        char digits[3] = {hex[2 * i], hex[2 * i + 1], '\0'};
        vector->text[i] = (char)strtoul(digits, NULL, 16);
    }
}

static void load_vector(json_vector *out, const char *line, size_t len) {
    json_t *json = json_loadb(line, len, JSON_ALLOW_NUL, NULL), *text = json_object_get(json, "text");
    json_t *depth = json_object_get(json, "max_depth");
    REQUIRE_MSG(json != NULL, "%.*s", (int)len, line);
    *out = (json_vector){.json = json, .name = json_string_value(json_object_get(json, "name"))};
    out->accept = json_is_true(json_object_get(json, "accept"));
    out->reason = json_string_value(json_object_get(json, "reason"));
    out->canonical = json_string_value(json_object_get(json, "canonical"));
    out->offset = (size_t)json_integer_value(json_object_get(json, "offset"));
    out->max_depth = depth ? (uint32_t)json_integer_value(depth) : 64;
    if (text) {
        out->len = json_string_length(text);
        out->text = malloc(out->len + 1);
        memcpy(out->text, json_string_value(text), out->len);
    } else {
        decode_hex(out, json_string_value(json_object_get(json, "hex")));
    }
}

static void load_vectors(void) {
    rf_str file = read_file(VECTORS);
    const char *at = file.data, *end = at + file.len;
    REQUIRE_MSG(file.data != NULL, "no %s: the tests are run from the root", VECTORS);
    while (at < end) {
        const char *line_end = memchr(at, '\n', (size_t)(end - at));
        if (!line_end) line_end = end;
        vectors = realloc(vectors, (vector_count + 1) * sizeof *vectors);
        load_vector(&vectors[vector_count++], at, (size_t)(line_end - at));
        at = line_end + 1;
    }
    free((char *)(uintptr_t)file.data);
}

static void free_vectors(void) {
    for (size_t i = 0; i < vector_count; i++) {
        json_decref(vectors[i].json);
        free(vectors[i].text);
    }
    free(vectors);
}

START_TEST(vectors_are_decided_as_they_say) {
    REQUIRE(vector_count >= 150);
    for (size_t i = 0; i < vector_count; i++) {
        const json_vector *vector = &vectors[i];
        outcome result = read_text(vector->text, vector->len, vector->max_depth);
        REQUIRE_MSG((result.status == RF_OK) == vector->accept, "%s: %s", vector->name, rf_status_name(result.status));
        if (vector->accept) {
            REQUIRE_MSG(strcmp(result.canonical, vector->canonical) == 0, "%s: %s", vector->name, result.canonical);
        } else {
            REQUIRE_MSG(strcmp(rf_status_name(result.status), vector->reason) == 0, "%s: %s", vector->name,
                        rf_status_name(result.status));
            REQUIRE_MSG(result.offset == vector->offset, "%s: at %zu", vector->name, result.offset);
        }
        free(result.canonical);
    }
}
END_TEST

// What stands before an unexpected byte could have gone on; so it is either a whole text or ends too early. And the
// byte is one whatever comes behind it.
static void check_offset(const char *text, const outcome *whole, uint32_t max_depth) {
    outcome before, with;
    if (whole->status == RF_OK || whole->status == RF_UNEXPECTED_END || whole->status == RF_NUMBER_OUT_OF_RANGE) return;
    before = read_text(text, whole->offset, max_depth);
    if (before.status != RF_NUMBER_OUT_OF_RANGE)
        REQUIRE_MSG(before.status == RF_OK || before.status == RF_UNEXPECTED_END, "%.*s", (int)whole->offset, text);
    free(before.canonical);
    with = read_text(text, whole->offset + 1, max_depth);
    REQUIRE_MSG(with.status == whole->status && with.offset == whole->offset, "%.*s", (int)whole->offset + 1, text);
}

START_TEST(every_beginning_of_a_text) {
    for (size_t i = 0; i < vector_count; i++) {
        const json_vector *vector = &vectors[i];
        // A whole text that ends too early has no beginning with another error, but in the middle of a character.
        for (size_t len = 0; len < vector->len && len < 300; len++) {
            outcome result = read_text(vector->text, len, vector->max_depth);
            if (result.status != RF_OK && !vector->accept)
                REQUIRE_MSG(result.status == RF_UNEXPECTED_END || result.offset <= vector->offset ||
                                result.status == RF_INVALID_UTF8,
                            "%s, %zu bytes", vector->name, len);
            if (vector->accept)
                REQUIRE_MSG(result.status == RF_OK || result.status == RF_UNEXPECTED_END ||
                                result.status == RF_INVALID_UTF8,
                            "%s, %zu bytes", vector->name, len);
            check_offset(vector->text, &result, vector->max_depth);
            free(result.canonical);
        }
    }
}
END_TEST

// ---- JSONTestSuite

START_TEST(the_json_test_suite) {
    const char *folder = getenv("ROOMFOLD_JSON_TEST_SUITE");
    DIR *directory;
    struct dirent *entry;
    int cases = 0;
    if (!folder) {
        printf("test_json: JSONTestSuite is left out; ROOMFOLD_JSON_TEST_SUITE does not name its folder\n");
        return;
    }
    directory = opendir(folder);
    REQUIRE_MSG(directory != NULL, "no folder %s", folder);
    while ((entry = readdir(directory)) != NULL) {
        char path[4096];
        rf_str text;
        outcome result;
        if (strncmp(entry->d_name, "y_", 2) != 0 && strncmp(entry->d_name, "n_", 2) != 0) continue;
        snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        text = read_file(path);
        result = read_text(text.data, text.len, 512);
        REQUIRE_MSG((result.status == RF_OK) == (entry->d_name[0] == 'y'), "%s", entry->d_name);
        check_offset(text.data, &result, 512);
        free(result.canonical);
        free((char *)(uintptr_t)text.data);
        cases++;
    }
    closedir(directory);
    REQUIRE(cases > 250);
}
END_TEST

// ---- Against jansson, on damaged text

// Known to differ: jansson refuses integers beyond 64 bits and escaped NULs in keys, and does not see some NUL bytes.
static void compare_with_jansson(const char *text, size_t len, const outcome *result) {
    json_t *theirs = json_loadb(text, len, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL), *ours;
    if (memchr(text, 0, len)) {
        REQUIRE(result->status != RF_OK);
        json_decref(theirs);
        return;
    }
    if (result->status != RF_OK) {
        REQUIRE_MSG(theirs == NULL || result->status == RF_TOO_DEEP, "only jansson accepts %.*s", (int)len, text);
        json_decref(theirs);
        return;
    }
    REQUIRE_MSG(theirs != NULL || result->big || result->nul_in_key, "jansson refuses %.*s", (int)len, text);
    if (!theirs) return;
    ours = json_loads(result->canonical, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
    REQUIRE_MSG(ours && json_equal(ours, theirs), "%.*s became %s", (int)len, text, result->canonical);
    json_decref(ours);
    json_decref(theirs);
}

static size_t damage(char *text, size_t len, size_t room) {
    static const char likely[] = "[]{}:,\"\\/bfnrtu0123456789.eE+-dDcC8 \t\n\r\x01\x7f\x80\xbf\xc3\xe2\xed\xf0\xff";
    size_t at = random_below((uint32_t)len + 1), other = random_below((uint32_t)len + 1), part;
    char byte = likely[random_below(sizeof likely - 1)];
    switch (random_below(5)) {
    case 0: // replace
        if (at < len) text[at] = byte;
        break;
    case 1: // insert
        if (len + 1 > room) break;
        memmove(text + at + 1, text + at, len - at);
        text[at] = byte;
        return len + 1;
    case 2: // cut out
        part = random_below(4);
        if (part > len - at) part = len - at;
        memmove(text + at, text + at + part, len - at - part);
        return len - part;
    case 3: // flip a bit
        if (at < len) text[at] ^= (char)(1 << random_below(8));
        break;
    default: // repeat a part elsewhere
        part = random_below(12);
        if (part > len - at || part > len - other) break;
        memmove(text + other, text + at, part);
        break;
    }
    return len;
}

START_TEST(damaged_text_is_decided_as_jansson_decides) {
    enum { ROOM = 600 };
    char text[ROOM];
    for (int i = 0; i < 200000; i++) {
        const json_vector *vector = &vectors[random_below((uint32_t)vector_count)];
        size_t len = vector->len;
        outcome result;
        if (len > ROOM - 50) continue;
        memcpy(text, vector->text, len);
        for (uint32_t times = random_below(4); times > 0; times--) len = damage(text, len, ROOM);
        result = read_text(text, len, 512);
        compare_with_jansson(text, len, &result);
        if (i % 4 == 0) check_offset(text, &result, 512);
        free(result.canonical);
    }
}
END_TEST

// ---- The reader's own contract

START_TEST(readers_say_what_they_do_not_take) {
    rf_json_reader *reader = (rf_json_reader *)&vector_count;
    REQUIRE((rf_json_reader_new(rf_allocator_default(), STR("1"), 0, &reader)) == RF_INVALID_ARGUMENT);
    REQUIRE(reader == NULL);
    REQUIRE((rf_json_reader_new(rf_allocator_default(), STR("1"), 513, &reader)) == RF_INVALID_ARGUMENT);
    REQUIRE((rf_json_reader_new((rf_allocator){0}, STR("1"), 64, &reader)) == RF_INVALID_ARGUMENT);
    REQUIRE((rf_json_reader_new(rf_allocator_default(), (rf_str){NULL, 1}, 64, &reader)) == RF_INVALID_ARGUMENT);
    rf_json_reader_free(NULL);
}
END_TEST

START_TEST(a_text_without_an_address_is_empty) {
    rf_json_reader *reader;
    REQUIRE((rf_json_reader_new(rf_allocator_default(), (rf_str){NULL, 0}, 64, &reader)) == RF_OK);
    REQUIRE(rf_json_error(reader).status == RF_OK);
    REQUIRE(rf_json_error(reader).offset == RF_NOWHERE);
    REQUIRE(rf_json_next(reader).kind == RF_JSON_ERROR);
    REQUIRE(rf_json_error(reader).status == RF_UNEXPECTED_END);
    REQUIRE(rf_json_error(reader).offset == 0);
    ck_assert_str_eq(rf_json_error(reader).about, "");
    rf_json_reader_free(reader);
}
END_TEST

START_TEST(tokens_in_order_with_their_offsets) {
    static const struct {
        rf_json_kind kind;
        size_t offset;
        bool in_text;
    } expected[] = {
        {RF_JSON_OPEN_MAP, 1, false},    {RF_JSON_KEY, 2, true},         {RF_JSON_OPEN_LIST, 7, false},
        {RF_JSON_INT, 8, false},         {RF_JSON_FLOAT, 12, false},     {RF_JSON_BIG, 17, true},
        {RF_JSON_CLOSE_LIST, 37, false}, {RF_JSON_KEY, 39, false},       {RF_JSON_STRING, 44, true},
        {RF_JSON_KEY, 50, true},         {RF_JSON_STRING, 54, false},    {RF_JSON_KEY, 61, true},
        {RF_JSON_TRUE, 65, false},       {RF_JSON_KEY, 70, true},        {RF_JSON_FALSE, 74, false},
        {RF_JSON_KEY, 80, true},         {RF_JSON_NULL, 84, false},      {RF_JSON_KEY, 89, true},
        {RF_JSON_OPEN_MAP, 93, false},   {RF_JSON_CLOSE_MAP, 94, false}, {RF_JSON_CLOSE_MAP, 95, false},
        {RF_JSON_END, 97, false},        {RF_JSON_END, 97, false},
    };
    rf_str text = STR(" {\"a\" :[-5, 1.5, 10000000000000000000],\"\\n\":\"x y\",\"c\":\"\\t\\t\",\"d\":true,"
                      "\"e\":false,\"f\":null,\"g\":{}} ");
    rf_json_reader *reader;
    REQUIRE((rf_json_reader_new(rf_allocator_default(), text, 2, &reader)) == RF_OK);
    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++) {
        rf_json_token token = rf_json_next(reader);
        REQUIRE_MSG(token.kind == expected[i].kind && token.offset == expected[i].offset &&
                        token.in_text == expected[i].in_text,
                    "token %zu: kind %d at %zu", i, token.kind, token.offset);
        if (i == 3) REQUIRE(token.as.integer == -5);
        if (i == 4) REQUIRE(token.as.number == 1.5);
        if (i == 5) REQUIRE(token.as.string.len == 20);
        if (i == 10) REQUIRE(token.as.string.len == 2 && memcmp(token.as.string.data, "\t\t", 2) == 0);
    }
    rf_json_reader_free(reader);
}
END_TEST

START_TEST(values_are_skipped_whole) {
    static const struct {
        const char *value;
        rf_json_kind kind;
    } values[] = {
        {"null", RF_JSON_NULL},
        {"true", RF_JSON_TRUE},
        {"-12", RF_JSON_INT},
        {"123456789012345678901", RF_JSON_BIG},
        {"1.5e3", RF_JSON_FLOAT},
        {"-1e999", RF_JSON_FLOAT}, // out of range
        {"\"a\\n\\u0041\"", RF_JSON_STRING},
        {"[]", RF_JSON_OPEN_LIST},
        {"{}", RF_JSON_OPEN_MAP},
        {"[1, {\"a\" : [1e999,\"]\"] }]", RF_JSON_OPEN_LIST},
        {"{\"a\":{\"b\":[[],{}]},\"}\":2}", RF_JSON_OPEN_MAP},
    };
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        char text[100];
        rf_str all = {text, (size_t)sprintf(text, "{ \"k\" : %s , \"l\":[%s ]}", values[i].value, values[i].value)};
        rf_str value;
        rf_json_reader *reader;
        rf_json_token token;
        REQUIRE(rf_json_reader_new(rf_allocator_default(), all, 64, &reader) == RF_OK);
        REQUIRE(rf_json_next(reader).kind == RF_JSON_OPEN_MAP);
        REQUIRE(rf_json_next(reader).kind == RF_JSON_KEY);
        token = rf_json_skip(reader, &value);
        REQUIRE(token.kind == values[i].kind && token.offset == 8 && value.data == text + 8);
        REQUIRE(value.len == strlen(values[i].value) && memcmp(value.data, values[i].value, value.len) == 0);
        if (i == 5) REQUIRE(token.as.number == (double)-INFINITY);
        if (i == 6) REQUIRE(token.as.string.len == 3 && memcmp(token.as.string.data, "a\nA", 3) == 0);
        // A key is no value.
        token = rf_json_skip(reader, &value);
        REQUIRE(token.kind == RF_JSON_KEY && value.len == 0);
        REQUIRE(rf_json_next(reader).kind == RF_JSON_OPEN_LIST);
        REQUIRE(rf_json_skip(reader, &value).kind == values[i].kind && value.len == strlen(values[i].value));
        token = rf_json_skip(reader, &value);
        REQUIRE(token.kind == RF_JSON_CLOSE_LIST && value.len == 0 && text[token.offset] == ']');
        REQUIRE(rf_json_next(reader).kind == RF_JSON_CLOSE_MAP);
        REQUIRE(rf_json_skip(reader, &value).kind == RF_JSON_END && value.len == 0);
        rf_json_reader_free(reader);
    }
}
END_TEST

// What is no JSON is found where it is skipped, too.
START_TEST(skipping_finds_the_same_errors) {
    static const char text[] = "[{\"a\":[1,-2.5e1,\"x\\u00e9\",true],\"b\":{\"c\":null}},[[[[7]]]] ]x";
    for (size_t len = 0; len < sizeof text; len++) {
        outcome whole = read_text(text, len, 5);
        char *copy = malloc(len + 1);
        rf_json_reader *reader;
        rf_str value;
        memcpy(copy, text, len);
        REQUIRE(rf_json_reader_new(rf_allocator_default(), (rf_str){copy, len}, 5, &reader) == RF_OK);
        if (rf_json_skip(reader, &value).kind != RF_JSON_ERROR) rf_json_skip(reader, &value);
        REQUIRE(rf_json_error(reader).status == whole.status);
        if (whole.status != RF_OK) REQUIRE(rf_json_error(reader).offset == whole.offset);
        rf_json_reader_free(reader);
        free(whole.canonical);
        free(copy);
    }
    // A number out of range is one again behind what was skipped.
    {
        rf_json_reader *reader;
        rf_str value;
        REQUIRE(rf_json_reader_new(rf_allocator_default(), STR("[1e999,1e999]"), 5, &reader) == RF_OK);
        REQUIRE(rf_json_next(reader).kind == RF_JSON_OPEN_LIST);
        REQUIRE(rf_json_skip(reader, &value).kind == RF_JSON_FLOAT);
        REQUIRE(rf_json_next(reader).kind == RF_JSON_ERROR);
        REQUIRE(rf_json_error(reader).status == RF_NUMBER_OUT_OF_RANGE && rf_json_error(reader).offset == 7);
        rf_json_reader_free(reader);
    }
}
END_TEST

START_TEST(without_memory_it_says_so) {
    rf_str text = STR("[\"plain\",\"esc\\n\",{\"\\u0041\":\"a long one with an escape \\t in it\"}]");
    for (long fail_at = 1;; fail_at++) {
        test_memory memory = {.fail_at = fail_at};
        rf_json_reader *reader = NULL;
        rf_json_token token = {.kind = RF_JSON_ERROR};
        rf_status status = rf_json_reader_new(test_allocator(&memory), text, 64, &reader);
        if (status == RF_OK) {
            do token = rf_json_next(reader);
            while (token.kind != RF_JSON_END && token.kind != RF_JSON_ERROR);
            status = rf_json_error(reader).status;
            REQUIRE(rf_json_next(reader).kind == token.kind);
        }
        rf_json_reader_free(reader);
        REQUIRE(memory.blocks == 0);
        if (token.kind == RF_JSON_END) {
            REQUIRE(fail_at > 2);
            break;
        }
        REQUIRE(status == RF_NO_MEMORY);
    }
}
END_TEST

// A text of many strings with escapes keeps no more than one of them.
START_TEST(memory_does_not_grow_with_the_text) {
    size_t count = 100000, len = 0;
    char *text = malloc(count * 10 + 2);
    test_memory memory = {0};
    rf_json_reader *reader;
    text[len++] = '[';
    for (size_t i = 0; i < count; i++) {
        memcpy(text + len, i > 0 ? ",\"x\\ny\"" : "\"x\\ny\"", i > 0 ? 7 : 6);
        len += i > 0 ? 7 : 6;
    }
    text[len++] = ']';
    REQUIRE((rf_json_reader_new(test_allocator(&memory), (rf_str){text, len}, 64, &reader)) == RF_OK);
    while (rf_json_next(reader).kind != RF_JSON_END) REQUIRE(memory.blocks <= 2);
    rf_json_reader_free(reader);
    REQUIRE(memory.allocations <= 3);
    free(text);
}
END_TEST

// ---- Writing

typedef size_t (*write_function)(char *out, const void *value, bool keep_float);

// What it writes, after checking that it stays within its room.
static const char *written(write_function write, const void *value, bool keep_float, size_t room) {
    static char text[64];
    char guarded[64];
    size_t len;
    memset(guarded, 0x7e, sizeof guarded);
    len = write(guarded, value, keep_float);
    REQUIRE(len <= room);
    for (size_t i = room; i < sizeof guarded; i++) REQUIRE_MSG(guarded[i] == 0x7e, "wrote beyond its room");
    memcpy(text, guarded, len);
    text[len] = '\0';
    return text;
}

static size_t write_int(char *out, const void *value, bool keep_float) {
    (void)keep_float;
    return rf_json_write_int(out, *(const int64_t *)value);
}

static size_t write_f64(char *out, const void *value, bool keep_float) {
    return rf_json_write_f64(out, *(const double *)value, keep_float);
}

static size_t write_f32(char *out, const void *value, bool keep_float) {
    return rf_json_write_f32(out, *(const float *)value, keep_float);
}

static void assert_int(int64_t value) {
    char expected[32];
    snprintf(expected, sizeof expected, "%lld", (long long)value);
    REQUIRE_MSG(strcmp(written(write_int, &value, false, RF_JSON_INT_ROOM), expected) == 0, "%s", expected);
}

START_TEST(integers) {
    uint64_t power = 1;
    assert_int(INT64_MAX);
    assert_int(INT64_MIN);
    for (int digits = 0; digits < 19; digits++, power *= 10)
        for (int64_t around = -2; around <= 2; around++) {
            assert_int((int64_t)power + around);
            assert_int(-(int64_t)power + around);
        }
    for (int i = 0; i < 200000; i++) assert_int((int64_t)random_bits() >> random_below(64));
}
END_TEST

static const struct {
    double value;
    const char *text, *kept; // kept: where it differs
} layouts[] = {
    {0.0, "0", "0.0"},
    {-0.0, "-0.0", NULL},
    {1, "1", "1.0"},
    {-1, "-1", "-1.0"},
    {10, "10", "10.0"},
    {123456789, "123456789", "123456789.0"},
    {0.1, "0.1", NULL},
    {-11.4986, "-11.4986", NULL},
    {0.707107, "0.707107", NULL},
    {123.456, "123.456", NULL},
    {12345678.9, "12345678.9", NULL},
    {123456789.5, "123456789.5", NULL},
    {1234567890123.4568, "1234567890123.4568", NULL},
    {9007199254740991, "9007199254740991", "9007199254740991.0"},
    {9007199254740993.0, "9007199254740992", "9007199254740992.0"},
    {123456789012345680, "123456789012345680", "123456789012345680.0"},
    {1e20, "100000000000000000000", "100000000000000000000.0"},
    {123456789012345680000.0, "123456789012345680000", "123456789012345680000.0"},
    {-123456789012345680000.0, "-123456789012345680000", "-123456789012345680000.0"},
    {1e21, "1e+21", NULL},
    {1.5e21, "1.5e+21", NULL},
    {1.2345678901234567e25, "1.2345678901234566e+25", NULL},
    {1e100, "1e+100", NULL},
    {1.7976931348623157e308, "1.7976931348623157e+308", NULL},
    {-1.7976931348623157e308, "-1.7976931348623157e+308", NULL},
    {0.000001, "0.000001", NULL},
    {0.0000012345678901234567, "0.0000012345678901234567", NULL},
    {-0.0000012345678901234567, "-0.0000012345678901234567", NULL},
    {0.0000001, "1e-7", NULL},
    {1.5e-7, "1.5e-7", NULL},
    {1e-10, "1e-10", NULL},
    {5e-324, "5e-324", NULL},
    {-2.2250738585072014e-308, "-2.2250738585072014e-308", NULL},
    {0.30000000000000004, "0.30000000000000004", NULL},
    {4.35, "4.35", NULL},
    {1e23, "1e+23", NULL},
    {1.0000000000000002, "1.0000000000000002", NULL},
    {99999999, "99999999", "99999999.0"},
    {100000000, "100000000", "100000000.0"},
    {100000001.5, "100000001.5", NULL},
};

START_TEST(layout_of_f64) {
    double value = layouts[_i].value;
    ck_assert_str_eq(written(write_f64, &value, false, RF_JSON_FLOAT_ROOM), layouts[_i].text);
    ck_assert_str_eq(written(write_f64, &value, true, RF_JSON_FLOAT_ROOM),
                     layouts[_i].kept ? layouts[_i].kept : layouts[_i].text);
}
END_TEST

static const struct {
    float value;
    const char *text, *kept;
} layouts_f32[] = {
    {0.0f, "0", "0.0"},
    {-0.0f, "-0.0", NULL},
    {1, "1", "1.0"},
    {0.1f, "0.1", NULL},
    {-11.4986f, "-11.4986", NULL},
    {0.707107f, "0.707107", NULL},
    {16777216, "16777216", "16777216.0"},
    {33554436, "33554436", "33554436.0"},
    {3.4028235e38f, "3.4028235e+38", NULL},
    {1e20f, "100000000000000000000", "100000000000000000000.0"},
    {1e21f, "1e+21", NULL},
    {1e-45f, "1e-45", NULL},
    {1.17549435e-38f, "1.1754944e-38", NULL},
    {0.000001f, "0.000001", NULL},
    {1e-7f, "1e-7", NULL},
    {0.3f, "0.3", NULL},
    {7.038531e-26f, "7.0385307e-26", NULL}, // 7.038531e-26 becomes another one by way of binary64
};

START_TEST(layout_of_f32) {
    float value = layouts_f32[_i].value;
    ck_assert_str_eq(written(write_f32, &value, false, RF_JSON_FLOAT_ROOM), layouts_f32[_i].text);
    ck_assert_str_eq(written(write_f32, &value, true, RF_JSON_FLOAT_ROOM),
                     layouts_f32[_i].kept ? layouts_f32[_i].kept : layouts_f32[_i].text);
}
END_TEST

START_TEST(floats_read_back_and_stay_floats) {
    for (int i = 0; i < 500000; i++) {
        uint64_t bits = random_bits();
        double value, back;
        const char *text;
        memcpy(&value, &bits, sizeof value);
        if (i % 3 == 0) value = (double)((int64_t)bits >> random_below(64)) / 1000;
        if (!isfinite(value)) continue;
        text = written(write_f64, &value, true, RF_JSON_FLOAT_ROOM);
        back = strtod(text, NULL);
        REQUIRE_MSG(memcmp(&back, &value, sizeof back) == 0, "%s", text);
        REQUIRE_MSG(strpbrk(text, ".e") != NULL, "%s", text);
    }
}
END_TEST

START_TEST(binary32_reads_back_by_way_of_binary64) {
    for (int i = 0; i < 500000; i++) {
        uint32_t bits = (uint32_t)random_bits();
        float value, back;
        const char *text;
        memcpy(&value, &bits, sizeof value);
        if (!isfinite(value)) continue;
        text = written(write_f32, &value, true, RF_JSON_FLOAT_ROOM);
        back = (float)strtod(text, NULL);
        REQUIRE_MSG(memcmp(&back, &value, sizeof back) == 0, "%s", text);
    }
}
END_TEST

static void assert_string(const char *value, size_t len, const char *expected) {
    size_t room = RF_JSON_STRING_ROOM(len), written_len;
    // Exactly what they may read and write.
    char *copy = malloc(len > 0 ? len : 1), *out = malloc(room);
    memcpy(copy, value, len);
    written_len = rf_json_write_string(out, (rf_str){copy, len});
    REQUIRE_MSG(written_len == strlen(expected) && memcmp(out, expected, written_len) == 0, "%.*s, not %s",
                (int)written_len, out, expected);
    free(copy);
    free(out);
}

START_TEST(strings) {
    char controls[32], expected[200] = "\"";
    assert_string("", 0, "\"\"");
    assert_string("abc", 3, "\"abc\"");
    assert_string("\"\\/", 3, "\"\\\"\\\\/\"");
    assert_string("\b\f\n\r\t", 5, "\"\\b\\f\\n\\r\\t\"");
    assert_string("\x7f\xc3\xa9\xe2\x80\xa8\xf0\x9f\x98\x80", 10, "\"\x7f\xc3\xa9\xe2\x80\xa8\xf0\x9f\x98\x80\"");
    assert_string("12345678\n12345678", 17, "\"12345678\\n12345678\"");
    for (int i = 0; i < 32; i++) {
        static const char *const letters[] = {[8] = "\\b", [9] = "\\t", [10] = "\\n", [12] = "\\f", [13] = "\\r"};
        size_t len = strlen(expected);
        controls[i] = (char)i;
        if (i < 14 && letters[i])
            snprintf(expected + len, sizeof expected - len, "%s", letters[i]);
        else
            snprintf(expected + len, sizeof expected - len, "\\u%04x", (unsigned)i);
    }
    strcat(expected, "\"");
    assert_string(controls, 32, expected);
    REQUIRE(rf_json_write_string(expected, (rf_str){NULL, 0}) == 2);
}
END_TEST

START_TEST(strings_that_are_no_utf8_are_refused) {
    static const char *const bad[] = {"\xff",         "abc\x80",  "12345678\xc3",
                                      "\xed\xa0\x80", "\xc0\xaf", "a\xf4\x90\x80\x80z"};
    char out[200];
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        REQUIRE(rf_json_write_string(out, (rf_str){bad[i], strlen(bad[i])}) == 0);
}
END_TEST

// What is written reads back, whatever it is.
START_TEST(random_strings_read_back) {
    char value[40], out[RF_JSON_STRING_ROOM(40)];
    for (int i = 0; i < 200000; i++) {
        size_t len = random_below(sizeof value + 1), out_len;
        rf_json_reader *reader;
        rf_json_token token;
        for (size_t at = 0; at < len; at++)
            value[at] = (char)(random_below(4) ? random_below(128) : (uint32_t)random_bits());
        out_len = rf_json_write_string(out, (rf_str){value, len});
        REQUIRE((out_len > 0) == rf_utf8_valid((rf_str){value, len}));
        if (out_len == 0) continue;
        REQUIRE((rf_json_reader_new(rf_allocator_default(), (rf_str){out, out_len}, 1, &reader)) == RF_OK);
        token = rf_json_next(reader);
        REQUIRE(token.kind == RF_JSON_STRING);
        REQUIRE(token.as.string.len == len && memcmp(token.as.string.data, value, len) == 0);
        REQUIRE(rf_json_next(reader).kind == RF_JSON_END);
        rf_json_reader_free(reader);
    }
}
END_TEST

#define COUNT(table) ((int)(sizeof(table) / sizeof *(table)))

static void add(TCase *tests) {
    tcase_add_unchecked_fixture(tests, load_vectors, free_vectors);
    tcase_add_test(tests, vectors_are_decided_as_they_say);
    tcase_add_test(tests, every_beginning_of_a_text);
    tcase_add_test(tests, the_json_test_suite);
    tcase_add_test(tests, damaged_text_is_decided_as_jansson_decides);
    tcase_add_test(tests, readers_say_what_they_do_not_take);
    tcase_add_test(tests, a_text_without_an_address_is_empty);
    tcase_add_test(tests, tokens_in_order_with_their_offsets);
    tcase_add_test(tests, values_are_skipped_whole);
    tcase_add_test(tests, skipping_finds_the_same_errors);
    tcase_add_test(tests, without_memory_it_says_so);
    tcase_add_test(tests, memory_does_not_grow_with_the_text);
    tcase_add_test(tests, integers);
    tcase_add_loop_test(tests, layout_of_f64, 0, COUNT(layouts));
    tcase_add_loop_test(tests, layout_of_f32, 0, COUNT(layouts_f32));
    tcase_add_test(tests, floats_read_back_and_stay_floats);
    tcase_add_test(tests, binary32_reads_back_by_way_of_binary64);
    tcase_add_test(tests, strings);
    tcase_add_test(tests, strings_that_are_no_utf8_are_refused);
    tcase_add_test(tests, random_strings_read_back);
}

int main(void) {
    return run_tests("json", add);
}
