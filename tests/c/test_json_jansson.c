// Our JSON against jansson's (DECODE_ANY, ALLOW_NUL): random texts, and every text there is in the repository and
// beside it. The same are accepted, and mean the same to the bit: by the reader, by a fold of events, and what we write
// is read back. Excepted is what jansson is known to refuse (integers beyond 64 bits, escaped NULs in keys), to take in
// its own way (numbers beyond binary64) or not to see (NUL bytes), and what we refuse beyond a depth.
#include "random_stream.h"

#include <glob.h>
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

static bool same(const json_t *a, const json_t *b);

static bool same_map(const json_t *a, const json_t *b) {
    const char *key;
    size_t len;
    json_t *value;
    if (json_object_size(a) != json_object_size(b)) return false;
    json_object_keylen_foreach((json_t *)(uintptr_t)a, key, len, value) {
        const json_t *other = json_object_getn(b, key, len);
        if (!other || !same(value, other)) return false;
    }
    return true;
}

// To the bit: 0.0 is not -0.0, and 1 is not 1.0.
static bool same(const json_t *a, const json_t *b) {
    double x, y;
    if (json_typeof(a) != json_typeof(b)) return false;
    switch (json_typeof(a)) {
    case JSON_OBJECT:
        return same_map(a, b);
    case JSON_ARRAY:
        if (json_array_size(a) != json_array_size(b)) return false;
        for (size_t i = 0; i < json_array_size(a); i++)
            if (!same(json_array_get(a, i), json_array_get(b, i))) return false;
        return true;
    case JSON_REAL:
        x = json_real_value(a);
        y = json_real_value(b);
        return memcmp(&x, &y, sizeof x) == 0;
    default:
        return json_equal(a, b);
    }
}

static json_t *theirs(rf_str text, bool *numbers, bool *other) {
    json_error_t error = {0}; // its code is only set by an error
    json_t *out = json_loadb(text.len > 0 ? text.data : "", text.len, JSON_DECODE_ANY | JSON_ALLOW_NUL, &error);
    *numbers = !out && json_error_code(&error) == json_error_numeric_overflow;
    *other = !out && json_error_code(&error) == json_error_null_byte_in_key;
    return out;
}

static bool compare(rf_str text) {
    rf_error error;
    json_t *a = ours(text, &error), *b;
    bool numbers, other, taken = a != NULL;
    if (memchr(text.data, 0, text.len)) {
        REQUIRE(!a);
        return false;
    }
    b = theirs(text, &numbers, &other);
    numbers = numbers || beyond_jansson || error.status == RF_NUMBER_OUT_OF_RANGE;
    other = other || error.status == RF_TOO_DEEP;
    if (!other && (b || !numbers)) {
        REQUIRE_MSG(!a == !b, "%.*s: %s takes it", (int)text.len, text.data, b ? "only jansson" : "jansson does not");
        REQUIRE_MSG(!a || numbers || same(a, b), "%.*s", (int)text.len, text.data);
    }
    json_decref(a);
    json_decref(b);
    return taken;
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

// ---- every text there is ------------------------------------------------------------------------------

typedef struct corpus {
    uint64_t state;
    size_t texts, taken;
} corpus;

// As it is, and with a byte changed.
static void check_text(corpus *all, rf_str text, bool damaged) {
    char *copy;
    all->texts++;
    all->taken += compare(text);
    if (!damaged || text.len == 0) return;
    copy = malloc(text.len);
    memcpy(copy, text.data, text.len);
    copy[next_random(&all->state) % text.len] = "{}[]\",:0e.-\\x \n\x80"[next_random(&all->state) % 16];
    compare((rf_str){copy, text.len});
    free(copy);
}

static void check_lines(corpus *all, rf_str text, size_t step) {
    size_t number = 0;
    for (size_t at = 0; at < text.len; number++) {
        const char *end = memchr(text.data + at, '\n', text.len - at);
        size_t len = end ? (size_t)(end - text.data) - at : text.len - at;
        if (number % step == 0) check_text(all, (rf_str){text.data + at, len}, number % 5 == 0);
        at += len + 1;
    }
}

// step: one line in so many, of files that have a value in each.
static void check_files(corpus *all, const char *pattern, size_t step) {
    glob_t found;
    if (glob(pattern, 0, NULL, &found) != 0) return;
    for (size_t i = 0; i < found.gl_pathc; i++) {
        rf_str text = read_file(found.gl_pathv[i]);
        if (strstr(found.gl_pathv[i], ".jsonl"))
            check_lines(all, text, step);
        else
            check_text(all, text, true);
        free((char *)(uintptr_t)text.data);
    }
    globfree(&found);
}

START_TEST(every_text_there_is) {
    static const char *const shipped[] = {"tests/vectors/*.jsonl", "tests/vectors/*/*.json*", "priv/rules/*.json",
                                          "priv/demo/*.gz", "tests/data/vr/*.jsonl.gz"};
    static const char *const shared[] = {"../shared/data/doom/*/*.gz", "../shared/data/vr/*.jsonl.gz"};
    const char *suite = getenv("ROOMFOLD_JSON_TEST_SUITE");
    corpus all = {.state = 5};
    char pattern[4096];
    for (size_t i = 0; i < sizeof shipped / sizeof *shipped; i++) check_files(&all, shipped[i], 1);
    ck_assert_uint_gt(all.taken, 50000);
    for (size_t i = 0; i < sizeof shared / sizeof *shared; i++)
        check_files(&all, shared[i], getenv("ROOMFOLD_LONG") ? 1 : 23);
    if (!suite) {
        printf("test_json_jansson: JSONTestSuite is left out; ROOMFOLD_JSON_TEST_SUITE does not name its folder\n");
        return;
    }
    snprintf(pattern, sizeof pattern, "%s/*.json", suite);
    all.texts = 0;
    check_files(&all, pattern, 1);
    ck_assert_uint_gt(all.texts, 250);
}
END_TEST

// ---- events --------------------------------------------------------------------------------------------

static const char events_schema[] = "{\"format\":\"roomfold-schema\",\"version\":1,\"components\":["
                                    "{\"name\":\"f\",\"type\":\"f32\"},{\"name\":\"d\",\"type\":\"f64\"}]}";

static rf_world *events_world(void) {
    rf_world_def def = rf_world_def_default();
    rf_world *world;
    REQUIRE(rf_schema_from_json(rf_allocator_default(), STR(events_schema), &def.schema, NULL) == RF_OK);
    REQUIRE(rf_world_new(&def, &world) == RF_OK);
    rf_schema_release(def.schema);
    return world;
}

// What an event may not hold, though it is JSON.
static bool excepted(rf_status status) {
    return status == RF_NUMBER_OUT_OF_RANGE || status == RF_DUPLICATE_KEY || status == RF_TOO_DEEP ||
           status == RF_TOO_LARGE;
}

// A number within reach is there as the float it is: integers up to 2^53, of binary32 what stays finite.
static void check_float(const json_t *kept, const json_t *value, bool narrow) {
    double number = json_number_value(value), expected = narrow ? (double)(float)number : number, found;
    json_int_t integer = json_integer_value(value), reach = (json_int_t)1 << 53; // 0 for a real
    bool exact = integer >= -reach && integer <= reach;
    if (!json_is_number(value) || !isfinite(expected) || !exact) {
        REQUIRE(!kept);
        return;
    }
    found = json_real_value(kept);
    REQUIRE(memcmp(&found, &expected, sizeof found) == 0);
}

static void check_folded(const rf_world *world, const json_t *value) {
    json_t *found = world_json(world), *entity = json_object_get(found, "a");
    const json_t *kept = json_object_get(entity, "v");
    REQUIRE(entity);
    if (json_is_null(value))
        REQUIRE(!kept);
    else
        REQUIRE(kept && same(kept, value));
    check_float(json_object_get(entity, "f"), value, true);
    check_float(json_object_get(entity, "d"), value, false);
    json_decref(found);
}

// A value as a component that has no type, and as two that have.
static void compare_event(rf_world *world, rf_str value) {
    static const char head[] = "{\"event\":\"create\",\"entity_id\":\"a\",\"components\":{\"v\":";
    char *text = malloc(sizeof head + 3 * value.len + 32);
    size_t len = (size_t)sprintf(text, "%s%.*s,\"f\":%.*s,\"d\":%.*s}}", head, (int)value.len, value.data,
                                 (int)value.len, value.data, (int)value.len, value.data);
    bool numbers, other;
    json_t *alone = theirs(value, &numbers, &other), *whole = NULL;
    rf_report report = fold_text(world, (rf_str){text, len});
    rf_status why = report.rejected_len > 0 ? report.rejected[0].status : RF_OK;
    if (alone && report.folded == 1) check_folded(world, alone);
    REQUIRE_MSG(!alone || report.folded == 1 || excepted(why), "%s: %s", text, rf_status_name(why));
    if (!alone && !numbers && !other && report.folded > 0) {
        whole = theirs((rf_str){text, len}, &numbers, &other);
        REQUIRE_MSG(whole || numbers || other, "only a fold takes %s", text);
    }
    json_decref(alone);
    json_decref(whole);
    rf_report_free(&report);
    free(text);
}

START_TEST(events_are_read_as_jansson_reads_them) {
    uint64_t state = 6;
    rf_world *world = events_world();
    char *text = malloc(100000);
    for (int round = 0; round < 60000; round++) {
        char *at = text;
        size_t len;
        append_value(&at, &state, 0);
        len = (size_t)(at - text);
        compare_event(world, (rf_str){text, len});
        // Not the byte that ends a line, or a text for printf.
        text[next_random(&state) % len] = "{}[]\",:0e.-+\\x\x80 "[next_random(&state) % 16];
        compare_event(world, (rf_str){text, len});
    }
    free(text);
    rf_world_free(world);
}
END_TEST

// ---- what we write -------------------------------------------------------------------------------------

// What jansson reads of a number that was written with so many decimals, or as short as can be.
static void check_number(const json_t *found, const json_t *kept, const rf_component_def *def) {
    double number = json_number_value(found), value = json_real_value(kept), most;
    REQUIRE(json_is_number(found));
    if (def->fixed) {
        most = 0.5 * pow(10, -(double)def->decimals);
        REQUIRE(fabs(number - value) <= most * 1.000001 + fabs(value) * 1e-15);
    } else if (def->type == RF_TYPE_F32) {
        REQUIRE((float)number == (float)value && signbit(number) == signbit(value));
    } else {
        REQUIRE(number == value && signbit(number) == signbit(value));
    }
}

static void check_component(const rf_schema *schema, const char *name, const json_t *found, const json_t *kept) {
    int index = rf_schema_find(schema, (rf_str){name, strlen(name)});
    const rf_component_def *def = index >= 0 ? rf_schema_at(schema, (size_t)index) : NULL;
    REQUIRE(found);
    if (!def || (def->type != RF_TYPE_F32 && def->type != RF_TYPE_F64)) {
        REQUIRE(same(found, kept));
    } else if (def->count == 1) {
        check_number(found, kept, def);
    } else {
        REQUIRE(json_array_size(found) == def->count);
        for (size_t i = 0; i < def->count; i++) check_number(json_array_get(found, i), json_array_get(kept, i), def);
    }
}

static void check_written(const rf_world *world) {
    rf_encode_def def = {0};
    json_t *kept = world_json(world), *read, *entities, *components, *value;
    const char *id, *name;
    char *text;
    size_t len;
    bool numbers, other;
    REQUIRE(rf_encode_json(world, &def, rf_allocator_default(), &text, &len) == RF_OK);
    read = theirs((rf_str){text, len}, &numbers, &other);
    REQUIRE(read && json_integer_value(json_object_get(read, "seq")) == (json_int_t)rf_world_seq(world));
    entities = json_object_get(read, "entities");
    REQUIRE(json_object_size(entities) == json_object_size(kept));
    json_object_foreach(kept, id, components) {
        const json_t *found = json_object_get(entities, id);
        REQUIRE(found && json_object_size(found) == json_object_size(components));
        json_object_foreach(components, name, value) {
            check_component(rf_world_schema(world), name, json_object_get(found, name), value);
        }
    }
    json_decref(kept);
    json_decref(read);
    free(text);
}

START_TEST(worlds_are_read_back) {
    for (uint64_t seed = 1; seed <= 300; seed++) {
        random_stream stream;
        random_stream_start(&stream, seed);
        for (int i = 0; i < 6; i++) random_stream_go_on(&stream);
        check_written(stream.sender);
        random_stream_end(&stream);
    }
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
    tcase_add_test(tests, every_text_there_is);
    tcase_add_test(tests, events_are_read_as_jansson_reads_them);
    tcase_add_test(tests, worlds_are_read_back);
    tcase_add_test(tests, numbers_are_read_back);
}

int main(void) {
    return run_tests("json_jansson", add);
}
