// fuzz_fold_json.c: folds any text into a small world, at once and in slices; then makes every query on the world.
#include "rules_world.h"

#include <string.h>

static volatile uint64_t sink;

static const char rules_text[] =
    "{\"format\":\"roomfold-rules\",\"version\":1,\"events\":{\"e\":{\"do\":["
    "{\"op\":\"create\",\"entity\":\"a\",\"set\":{\"position\":{\"field\":\"p\"},\"n\":{\"field\":\"q\"}}},"
    "{\"op\":\"add\",\"entity\":\"b\",\"component\":\"m\",\"value\":{\"field\":\"q\"},\"max\":9},"
    "{\"op\":\"put\",\"entity\":\"b\",\"component\":\"s\",\"value\":{\"field\":\"p\"}},"
    "{\"op\":\"take\",\"entity\":\"b\",\"component\":\"s\",\"value\":{\"field\":\"q\"}},"
    "{\"op\":\"delete\",\"entity\":\"c\"}]}}}";

static void read_term(rf_str bytes) {
    rf_term_reader reader;
    rf_term term;
    rf_term_read(&reader, bytes);
    term = rf_term_next(&reader);
    sink += (uint64_t)term.kind;
}

static void read_components(rf_component_iter iter) {
    rf_component component;
    while (rf_component_next(&iter, &component)) {
        sink += component.name.len;
        if (!component.removed && component.type == RF_TYPE_TERM) read_term(component.as.term);
    }
}

// The encoded text must be valid JSON.
static void encode(const rf_world *world, const rf_encode_def *def) {
    rf_json_reader *reader;
    rf_json_token token;
    char *text;
    size_t len;
    if (rf_encode_json(world, def, rf_allocator_default(), &text, &len) != RF_OK) abort();
    if (rf_json_reader_new(rf_allocator_default(), (rf_str){text, len}, 512, &reader) != RF_OK) abort();
    do {
        token = rf_json_next(reader);
    } while (token.kind != RF_JSON_END && token.kind != RF_JSON_ERROR);
    if (token.kind == RF_JSON_ERROR) abort();
    rf_json_reader_free(reader);
    free(text);
}

static void encode_all(const rf_world *world) {
    uint64_t seq = rf_world_seq(world);
    for (int by = RF_BY_ENTITY; by <= RF_BY_KIND; by++) {
        encode(world, &(rf_encode_def){.by = (rf_by)by});
        encode(world, &(rf_encode_def){.by = (rf_by)by, .diff = true, .from = seq});
    }
}

static void read_world(const rf_world *world) {
    rf_entity entity = {0};
    rf_change change;
    rf_diff *diff;
    uint32_t count = 0;
    while (rf_world_next(world, &entity)) {
        read_components(rf_world_components(world, entity));
        count++;
    }
    if (count != rf_world_count(world)) abort();
    encode_all(world);
    for (uint64_t from = 0; from < 4; from++) {
        if (rf_world_seq(world) < from || rf_diff_new(world, rf_world_seq(world) - from, &diff) != RF_OK) continue;
        while (rf_diff_next(diff, &change)) {
            sink += change.id.len;
            if (change.kind != RF_CHANGE_DELETE) read_components(change.components);
        }
        rf_diff_free(diff);
    }
}

static rf_world *new_world(void) {
    rf_world_def def = rules_world_def((rf_str){rules_text, sizeof rules_text - 1});
    rf_world *world;
    def.max_entities = 8;
    def.max_value_bytes = 64;
    def.max_undeclared = 4;
    def.history = 16;
    if (rf_world_new(&def, &world) != RF_OK) abort();
    return world;
}

static void fold(rf_world *world, rf_str text, size_t slice) {
    rf_json_batch batch = {.text = text};
    rf_report report;
    rf_fold *into;
    rf_report_init(&report, rf_allocator_default());
    if (rf_fold_new(world, &report, &into) != RF_OK) abort();
    while (!batch.done)
        if (rf_fold_json(into, &batch, slice) != RF_OK) abort();
    sink += report.folded + report.rejected_count;
    rf_fold_free(into);
    rf_report_free(&report);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    char *text = malloc(size ? size : 1); // exactly this size, so that reading past the end is detected
    rf_world *whole = new_world(), *sliced = new_world();
    memcpy(text, data, size);
    fold(whole, (rf_str){text, size}, SIZE_MAX);
    fold(sliced, (rf_str){text, size}, 1);
    if (rf_world_seq(whole) != rf_world_seq(sliced) || rf_world_count(whole) != rf_world_count(sliced)) abort();
    read_world(whole);
    rf_world_free(whole);
    rf_world_free(sliced);
    free(text);
    return 0;
}
