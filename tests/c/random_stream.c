#include "random_stream.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DEEPEST 3

unsigned random_below(uint64_t *state, unsigned count) {
    return (unsigned)((next_random(state) >> 33) % count);
}

static unsigned below(random_stream *stream, unsigned count) {
    return random_below(&stream->state, count);
}

static bool one_in(random_stream *stream, unsigned count) {
    return below(stream, count) == 0;
}

// ---- schemas ----------------------------------------------------------------------------------------

static const struct {
    double step, min, max;
} steps[] = {{0.001, -100, 100}, {0.5, -8, 8}, {0.25, 0, 1000}, {1, -4194304, 4194304}, {0.0078125, -1, 1}};

static void put_numbers(random_stream *stream, stream_column *column, FILE *out) {
    bool wide = one_in(stream, 3);
    column->count = one_in(stream, 8) ? 1 + below(stream, 16) : 1 + below(stream, 4);
    column->reach = wide ? 1e6 : 100;
    fprintf(out, "\"type\":\"%s\",\"count\":%u", wide ? "f64" : "f32", column->count);
    if (stream->quantised && !one_in(stream, 3)) {
        unsigned i = below(stream, sizeof steps / sizeof *steps);
        column->reach = fabs(steps[i].max);
        fprintf(out, ",\"quantise\":{\"step\":%.9g,\"min\":%.9g,\"max\":%.9g}", steps[i].step, steps[i].min,
                steps[i].max);
    }
    if (one_in(stream, 4)) fprintf(out, ",\"decimals\":%u", below(stream, 9));
}

static void put_column(random_stream *stream, stream_column *column, unsigned number, FILE *out) {
    static const char *const stems[] = {"c", "\xc3\xbc-", "component-with-a-name-"};
    static const char *const types[] = {"i64", "bool", "string", "term"};
    unsigned kind = below(stream, 12);
    // The names that poses, and most applications, have.
    if (number < 2)
        strcpy(column->name, number == 0 ? "position" : "rotation");
    else
        snprintf(column->name, sizeof column->name, "%s%u", stems[below(stream, 3)], number);
    fprintf(out, "{\"name\":\"%s\",", column->name);
    if (kind < 4) {
        column->kind = STREAM_NUMBERS;
        put_numbers(stream, column, out);
    } else if (kind < 6) {
        column->kind = STREAM_QUATERNION;
        fputs("\"type\":\"f32\",\"count\":4", out);
        if (stream->quantised) fprintf(out, ",\"quantise\":{\"bits\":%u}", 4 + below(stream, 13));
    } else {
        column->kind = STREAM_INTEGER + (kind - 6) % 4;
        fprintf(out, "\"type\":\"%s\"", types[column->kind - STREAM_INTEGER]);
    }
    fputc('}', out);
}

static const char *const words[] = {
    "\"imp-\"", "\"a\"",    "\"\"", "1", "1.5", "null", "[\"a\",\"b\"]", "{\"a\":1}", "\"player-with-a-long-id-\"",
    "\"n\"",    "\"kind\"", "true"};

static void put_words(random_stream *stream, FILE *out) {
    bool first = true;
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (!one_in(stream, 2)) continue;
        fprintf(out, "%s%s", first ? "" : ",", words[i]);
        first = false;
    }
}

static rf_schema *new_schema(random_stream *stream) {
    char *text;
    size_t len;
    FILE *out = open_memstream(&text, &len);
    rf_schema *schema = NULL;
    rf_error error;
    unsigned how = below(stream, 8);
    stream->column_count = how == 0   ? 0
                           : how == 1 ? RF_SCHEMA_MAX
                           : how == 2 ? below(stream, 64)
                                      : 1 + below(stream, 8);
    fputs("{\"format\":\"roomfold-schema\",\"version\":1,\"components\":[", out);
    for (unsigned i = 0; i < stream->column_count; i++) {
        if (i > 0) fputc(',', out);
        put_column(stream, &stream->columns[i], i, out);
    }
    fputs("],\"words\":[", out);
    if (!one_in(stream, 3)) put_words(stream, out);
    fputs("]}", out);
    fclose(out);
    REQUIRE_MSG(rf_schema_from_json(rf_allocator_default(), (rf_str){text, len}, &schema, &error) == RF_OK, "%s", text);
    free(text);
    return schema;
}

// ---- values -----------------------------------------------------------------------------------------

// Near one of a few places, so that many differ by little from what was there.
static void put_number(random_stream *stream, double reach, FILE *out) {
    static const char *const odd[] = {"0",    "-0.0", "1",     "-7",    "1e-45",   "3.4028235e38",
                                      "1e39", "0.1",  "1e300", "-1e-9", "8388607", "9007199254740992"};
    double place = reach * ((int)below(stream, 5) - 2) * 0.45, near = reach * 0.001 * ((int)below(stream, 201) - 100);
    if (one_in(stream, 24))
        fputs(odd[below(stream, sizeof odd / sizeof *odd)], out);
    else
        fprintf(out, "%.9g", place + near * (one_in(stream, 4) ? 1 : 0.02));
}

static void put_numbers_value(random_stream *stream, const stream_column *column, FILE *out) {
    if (column->count == 1) {
        put_number(stream, column->reach, out);
        return;
    }
    for (unsigned i = 0; i < column->count; i++) {
        fputc(i == 0 ? '[' : ',', out);
        put_number(stream, column->reach, out);
    }
    fputc(']', out);
}

// Of those who stand, of those who tumble, and some that are none.
static void put_quaternion(random_stream *stream, FILE *out) {
    static const char *const odd[] = {
        "[0.5,0.5,0.5,0.5]", "[-0.5,0.5,-0.5,-0.5]", "[0,0,0,-1]", "[0,0,0,0]",
        "[1,2,3,4]",         "[1e-30,0,0,0]",        "[0,1,0,0]",  "[-0.0,0,0.70710678,0.70710678]"};
    double q[4], size = 0, angle = below(stream, 8) * 45 + below(stream, 200) * 0.01;
    if (one_in(stream, 10)) {
        fputs(odd[below(stream, sizeof odd / sizeof *odd)], out);
        return;
    }
    if (one_in(stream, 2)) {
        fprintf(out, "[0,%.9g,0,%.9g]", sin(angle / 57.3), cos(angle / 57.3));
        return;
    }
    for (int i = 0; i < 4; i++) {
        q[i] = (int)below(stream, 2001) - 1000.5;
        size += q[i] * q[i];
    }
    size = sqrt(size);
    fprintf(out, "[%.9g,%.9g,%.9g,%.9g]", q[0] / size, q[1] / size, q[2] / size, q[3] / size);
}

static void put_string(random_stream *stream, FILE *out) {
    static const char *const texts[] = {
        "",     "a",         "imp-",     "\xc3\xa9", "\\ud83d\\ude00",        "\\u0000x",
        "kind", "imp-00000", "\\n\\\"/", "n-1",      "player-with-a-long-id-"};
    unsigned which = below(stream, 16);
    if (which < 11)
        fprintf(out, "\"%s\"", texts[which]);
    else if (which < 15)
        fprintf(out, "\"imp-%u\"", below(stream, 2) ? below(stream, 20) : below(stream, 2000000000));
    else
        fprintf(out, "\"%0*u\"", 1 + (int)below(stream, 60), below(stream, 100));
}

static void put_term(random_stream *stream, unsigned depth, FILE *out) {
    static const char *const whole[] = {"true",      "false", "1.5", "[\"a\",\"b\"]",
                                        "{\"a\":1}", "[]",    "{}",  "-9223372036854775808"};
    unsigned kind = below(stream, depth < DEEPEST ? 10 : 7), count = below(stream, 4);
    if (kind < 2) {
        put_string(stream, out);
    } else if (kind < 4) {
        fprintf(out, "%d", (int)below(stream, 300) - 150);
    } else if (kind < 5) {
        put_number(stream, 1000, out);
    } else if (kind < 7) {
        fputs(whole[below(stream, sizeof whole / sizeof *whole)], out);
    } else {
        bool map = kind == 7;
        fputc(map ? '{' : '[', out);
        for (unsigned i = 0; i < count; i++) {
            if (i > 0) fputc(',', out);
            if (map) fprintf(out, "\"%s%u\":", one_in(stream, 3) ? "\xc3\xa9" : "k", i);
            if (one_in(stream, 8))
                fputs("null", out);
            else
                put_term(stream, depth + 1, out);
        }
        fputc(map ? '}' : ']', out);
    }
}

static void put_value(random_stream *stream, const stream_column *column, FILE *out) {
    if (one_in(stream, 40)) { // seldom what the component takes
        put_term(stream, DEEPEST, out);
        return;
    }
    switch (column->kind) {
    case STREAM_NUMBERS:
        put_numbers_value(stream, column, out);
        return;
    case STREAM_QUATERNION:
        put_quaternion(stream, out);
        return;
    case STREAM_INTEGER:
        if (one_in(stream, 8))
            fprintf(out, "%lld", (long long)next_random(&stream->state) >> below(stream, 64));
        else
            fprintf(out, "%d", (int)below(stream, 201) - 100);
        return;
    case STREAM_BOOL:
        fputs(one_in(stream, 2) ? "true" : "false", out);
        return;
    case STREAM_STRING:
        put_string(stream, out);
        return;
    case STREAM_TERM:
        put_term(stream, 0, out);
        return;
    }
}

// ---- events -----------------------------------------------------------------------------------------

static void put_id(random_stream *stream, FILE *out) {
    static const char *const stems[] = {"imp-", "player-with-a-long-id-", "", "\xc3\xa9", "a", "n0"};
    unsigned id = below(stream, stream->ids);
    fprintf(out, "\"%s%u\"", stems[id % 6], id);
}

// Most often of somebody who is there, or was before this batch.
static void put_known_id(random_stream *stream, FILE *out) {
    unsigned count = rf_world_count(stream->sender);
    rf_entity entity = {0};
    rf_str id;
    if (count == 0 || one_in(stream, 5)) {
        put_id(stream, out);
        return;
    }
    for (unsigned left = below(stream, count) + 1; left > 0; left--) rf_world_next(stream->sender, &entity);
    id = rf_world_id(stream->sender, entity);
    fprintf(out, "\"%.*s\"", (int)id.len, id.data);
}

// One that the schema doesn't have.
static void put_other(random_stream *stream, FILE *out) {
    static const char *const names[] = {"kind", "n", "n-1", "imp-7", "tags", "owner", "\xe2\x82\xac"};
    fprintf(out, "\"%s\":", names[below(stream, 7)]);
}

static void put_component(random_stream *stream, bool removes, FILE *out) {
    const stream_column *column = NULL;
    if (stream->column_count > 0 && !one_in(stream, 4)) {
        column = &stream->columns[below(stream, stream->column_count)];
        fprintf(out, "\"%s\":", column->name);
    } else {
        put_other(stream, out);
    }
    if (removes && one_in(stream, 5))
        fputs("null", out);
    else if (column)
        put_value(stream, column, out);
    else
        put_term(stream, 0, out);
}

// A name that comes twice has the event rejected: fewer components, less of that.
static void put_components(random_stream *stream, bool removes, FILE *out) {
    unsigned count = one_in(stream, 4) ? below(stream, 7) : below(stream, 3);
    if (removes && count == 0) count = 1;
    fputc('{', out);
    for (unsigned i = 0; i < count; i++) {
        if (i > 0) fputc(',', out);
        put_component(stream, removes, out);
    }
    fputc('}', out);
}

static void put_seq(random_stream *stream, FILE *out) {
    uint64_t seq = rf_world_seq(stream->sender);
    if (!one_in(stream, 30)) return;
    fprintf(out, "\"seq\":%llu,", (unsigned long long)(seq + below(stream, one_in(stream, 8) ? 400 : 24)));
}

// Something of several entities: component first, or by kind.
static void put_change(random_stream *stream, FILE *out) {
    unsigned count = 1 + below(stream, 3);
    fputc('{', out);
    put_seq(stream, out);
    if (one_in(stream, 2)) {
        put_other(stream, out);
        for (unsigned i = 0; i < count; i++) {
            fputc(i == 0 ? '{' : ',', out);
            put_id(stream, out);
            fputc(':', out);
            put_term(stream, 2, out);
        }
        fputs("}}\n", out);
        return;
    }
    if (!one_in(stream, 10)) fputs("\"deleted\":[],", out); // else it is all there is
    fputs("\"others\":[", out);
    for (unsigned i = 0; i < count; i++) {
        fputs(i == 0 ? "{\"id\":" : ",{\"id\":", out);
        put_id(stream, out);
        fputc(',', out);
        put_component(stream, true, out);
        fputc('}', out);
    }
    fputs("]}\n", out);
}

static void put_event(random_stream *stream, FILE *out) {
    static const char *const bad[] = {"{\"event\":\"create\"}", "{}", "{\"event_name\":\"unheard_of\"}", "[1]"};
    unsigned kind = below(stream, 40);
    if (kind == 0) {
        fprintf(out, "%s\n", bad[below(stream, 4)]);
    } else if (kind < 4) {
        put_change(stream, out);
    } else {
        const char *name = kind < 13 ? "create" : kind < 35 ? "update" : "delete";
        fprintf(out, "{\"event\":\"%s\",", name);
        put_seq(stream, out);
        fputs("\"entity_id\":", out);
        if (kind < 13)
            put_id(stream, out);
        else
            put_known_id(stream, out);
        if (kind < 35) {
            fputs(",\"components\":", out);
            put_components(stream, kind >= 13, out);
        }
        fputs("}\n", out);
    }
}

void random_stream_go_on(random_stream *stream) {
    unsigned count = one_in(stream, 10) ? below(stream, 300) : below(stream, 14);
    char *text;
    size_t len;
    FILE *out = open_memstream(&text, &len);
    rf_report report;
    for (unsigned i = 0; i < count; i++) put_event(stream, out);
    fclose(out);
    report = fold_text(stream->sender, (rf_str){text, len});
    rf_report_free(&report);
    free(text);
}

void random_stream_start(random_stream *stream, uint64_t seed) {
    static const uint32_t histories[] = {1, 20, 1024, 1024}, pools[] = {3, 8, 20, 200};
    rf_world_def def = rf_world_def_default();
    *stream = (random_stream){.state = (seed + 1) * UINT64_C(0x9e3779b97f4a7c15)};
    if (stream->state == 0) stream->state = 1;
    for (int i = 0; i < 4; i++) next_random(&stream->state); // neighbours part
    stream->quantised = one_in(stream, 2);
    stream->history = histories[below(stream, 4)];
    stream->ids = pools[below(stream, 4)];
    def.schema = new_schema(stream);
    def.history = stream->history;
    def.seq = one_in(stream, 3) ? below(stream, 1u << 30) : 0;
    REQUIRE(rf_world_new(&def, &stream->sender) == RF_OK);
    rf_schema_release(def.schema);
}

void random_stream_end(random_stream *stream) {
    rf_world_free(stream->sender);
    stream->sender = NULL;
}
