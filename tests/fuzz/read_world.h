// read_world.h: makes every query on a world, and reads all that it returns.
#ifndef TESTS_FUZZ_READ_WORLD_H
#define TESTS_FUZZ_READ_WORLD_H

#include <roomfold/roomfold.h>
#include <stdlib.h>

static volatile uint64_t sink;

static inline void read_term(rf_str bytes) {
    rf_term_reader reader;
    rf_term term;
    rf_term_read(&reader, bytes);
    term = rf_term_next(&reader);
    sink += (uint64_t)term.kind;
}

static inline void read_components(rf_component_iter iter) {
    rf_component component;
    while (rf_component_next(&iter, &component)) {
        sink += component.name.len;
        if (!component.removed && component.type == RF_TYPE_TERM) read_term(component.as.term);
    }
}

// The encoded text must be valid JSON.
static inline void encode(const rf_world *world, const rf_encode_def *def) {
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

static inline void encode_all(const rf_world *world) {
    uint64_t seq = rf_world_seq(world);
    for (int by = RF_BY_ENTITY; by <= RF_BY_KIND; by++) {
        encode(world, &(rf_encode_def){.by = (rf_by)by});
        encode(world, &(rf_encode_def){.by = (rf_by)by, .diff = true, .from = seq});
    }
}

static inline void read_world(const rf_world *world) {
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

#endif
