#include "json_term.h"

#include "base/error.h"
#include "base/str.h"
#include <roomfold/json.h>

bool rf_json_put_token(rf_builder *builder, const rf_json_token *token) {
    switch (token->kind) {
    case RF_JSON_NULL:
        return rf_builder_null(builder);
    case RF_JSON_FALSE:
        return rf_builder_bool(builder, false);
    case RF_JSON_TRUE:
        return rf_builder_bool(builder, true);
    case RF_JSON_INT:
        return rf_builder_int(builder, token->as.integer);
    case RF_JSON_BIG:
        return rf_builder_fail(builder, RF_NUMBER_OUT_OF_RANGE);
    case RF_JSON_FLOAT:
        return rf_builder_float(builder, token->as.number);
    case RF_JSON_STRING:
        return rf_builder_string(builder, token->as.string);
    case RF_JSON_KEY:
        return rf_builder_key(builder, token->as.string);
    case RF_JSON_OPEN_LIST:
        return rf_builder_open(builder, false);
    case RF_JSON_OPEN_MAP:
        return rf_builder_open(builder, true);
    case RF_JSON_CLOSE_LIST:
    case RF_JSON_CLOSE_MAP:
        return rf_builder_close(builder);
    case RF_JSON_END:
    case RF_JSON_ERROR:
        break;
    }
    return false;
}

rf_status rf_json_to_term(rf_allocator allocator, rf_str text, rf_builder *builder, rf_error *error) {
    rf_json_reader *reader;
    rf_json_token token;
    rf_status status = rf_json_reader_new(allocator, text, RF_TERM_DEPTH, &reader);
    if (status != RF_OK) return rf_error_set(error, status, RF_NOWHERE, RF_LIT(""));
    rf_builder_start(builder);
    do {
        token = rf_json_next(reader);
    } while (rf_json_put_token(builder, &token));
    if (token.kind == RF_JSON_ERROR) {
        rf_error read = rf_json_error(reader);
        status = rf_error_set(error, read.status, read.offset, RF_LIT(""));
    } else if (builder->status != RF_OK) {
        status = rf_error_set(error, builder->status, token.offset, RF_LIT(""));
    }
    rf_json_reader_free(reader);
    return status;
}

rf_term rf_term_head(rf_str term) {
    rf_term_reader reader;
    rf_term_read(&reader, term);
    return rf_term_next(&reader);
}

rf_str rf_term_skip(rf_term_reader *reader) {
    const uint8_t *start = reader->at;
    uint64_t pending[RF_TERM_DEPTH + 1]; // values still to come, per level
    bool map[RF_TERM_DEPTH + 1];
    unsigned depth = 0;
    pending[0] = 1;
    map[0] = false;
    for (;;) {
        rf_term term;
        while (pending[depth] == 0) {
            if (depth == 0) return (rf_str){(const char *)start, (size_t)(reader->at - start)};
            depth--;
        }
        pending[depth]--;
        if (map[depth]) rf_term_key(reader);
        term = rf_term_next(reader);
        if (term.kind == RF_TERM_END) return (rf_str){(const char *)start, (size_t)(reader->at - start)};
        if ((term.kind == RF_TERM_LIST || term.kind == RF_TERM_MAP) && depth < RF_TERM_DEPTH) {
            depth++;
            pending[depth] = term.as.count;
            map[depth] = term.kind == RF_TERM_MAP;
        }
    }
}

bool rf_term_get(rf_str map, rf_str key, rf_str *out) {
    rf_term_reader reader;
    rf_term head;
    rf_term_read(&reader, map);
    head = rf_term_next(&reader);
    if (head.kind != RF_TERM_MAP) return false;
    for (uint64_t i = 0; i < head.as.count; i++) {
        bool found = rf_str_eq(rf_term_key(&reader), key);
        *out = rf_term_skip(&reader);
        if (found) return true;
    }
    return false;
}
