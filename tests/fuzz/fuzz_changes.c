// fuzz_changes.c: reads any text as a line of a log. If it can be read, it is written in each shape, and the lines must
// read back with the same meaning.
#include "cli/shape_writer.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static volatile size_t sink;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int complain(const char *name, int code, const char *format, ...);

// Defined by the program's main file otherwise.
int complain(const char *name, int code, const char *format, ...) {
    sink += strlen(name) + strlen(format);
    return code;
}

static void write(changes *of, shape to, output *out) {
    const shape_writer writer = {.to = to, .lossless = true};
    output_open(out);
    if (shape_write(&writer, out, of) != RF_OK) abort();
}

static void fail(const output *out, const char *why) {
    fprintf(stderr, "%s: %.*s\n", why, (int)out->len, out->data);
    abort();
}

// Every line must be readable, and give the same line again in the same shape.
static void check_lines(const output *out, shape to) {
    for (size_t at = 0; at < out->len;) {
        const char *line = out->data + at, *end = memchr(line, '\n', out->len - at);
        size_t len;
        changes again = {0};
        output same;
        if (!end) fail(out, "a line without an end");
        len = (size_t)(end - line);
        if (!changes_read(&again, (rf_str){line, len})) fail(out, again.error);
        if (again.line.len != len) fail(out, "more than one value in a line");
        write(&again, to, &same);
        // By component and by kind, some lines become events (shape_writer.h).
        if (to != SHAPE_EVENTS && again.form == LINE_ENTITY)
            sink++;
        else if (same.len != len + 1 || memcmp(same.data, line, len + 1) != 0)
            fail(&same, "another line");
        sink += same.len;
        free(same.data);
        changes_free(&again);
        at += len + 1;
    }
}

// Duplicate keys are a fold's to find. In a world of its own, so that a finding does not depend on earlier texts. (One
// that is kept also has its long ids where LeakSanitizer does not see them: their pointers are not aligned.)
static bool has_duplicates(rf_str text) {
    rf_world_def def = rf_world_def_default();
    rf_json_batch batch = {.text = text};
    rf_world *world;
    rf_report report;
    rf_fold *fold;
    bool found;
    if (rf_schema_default(def.allocator, &def.schema) != RF_OK || rf_world_new(&def, &world) != RF_OK) abort();
    rf_schema_release(def.schema);
    rf_report_init(&report, rf_allocator_default());
    if (rf_fold_new(world, &report, &fold) != RF_OK || rf_fold_json(fold, &batch, 1) != RF_OK) abort();
    found = report.rejected_len > 0 && report.rejected[0].status == RF_DUPLICATE_KEY;
    rf_fold_free(fold);
    rf_report_free(&report);
    rf_world_free(world);
    return found;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    char *text = malloc(size ? size : 1);
    changes line = {0};
    if (size > 0) memcpy(text, data, size);
    if (changes_read(&line, (rf_str){text, size})) {
        for (shape to = SHAPE_EVENTS; to <= SHAPE_KIND && !has_duplicates((rf_str){text, size}); to++) {
            output out;
            write(&line, to, &out);
            check_lines(&out, to);
            free(out.data);
        }
    } else if (!line.error || line.error_at > size) {
        abort();
    }
    changes_free(&line);
    free(text);
    return 0;
}
