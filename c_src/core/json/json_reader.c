// json_reader.c: the pull parser for JSON.
#include <roomfold/json.h>

#include "base/error.h"
#include "scan.h"
#include "base/str.h"

#define DEPTH_LIMIT 512

// What may come next, apart from white space.
typedef enum expected {
    EXPECT_VALUE,
    EXPECT_VALUE_OR_CLOSE, // after [
    EXPECT_KEY_OR_CLOSE,   // after {
    EXPECT_COMMA_OR_CLOSE,
    EXPECT_END,
} expected;

struct rf_json_reader {
    rf_scan scan;
    rf_arena arena; // of the last string with escapes
    expected expected;
    bool skipping; // numbers may be out of range
    uint32_t depth, max_depth;
    uint64_t maps[DEPTH_LIMIT / 64]; // a bit per level: it is a map
};

rf_status rf_json_reader_new(rf_allocator allocator, rf_str text, uint32_t max_depth, rf_json_reader **out) {
    rf_json_reader *reader;
    *out = NULL;
    if (max_depth < 1 || max_depth > DEPTH_LIMIT || !allocator.resize) return RF_INVALID_ARGUMENT;
    if (!text.data && text.len > 0) return RF_INVALID_ARGUMENT;
    reader = rf_alloc_zero(allocator, sizeof *reader);
    if (!reader) return RF_NO_MEMORY;
    reader->scan = rf_scan_start(text);
    reader->max_depth = max_depth;
    rf_arena_init(&reader->arena, allocator);
    *out = reader;
    return RF_OK;
}

void rf_json_reader_free(rf_json_reader *reader) {
    rf_allocator allocator;
    if (!reader) return;
    allocator = reader->arena.allocator;
    rf_arena_free(&reader->arena);
    rf_free(allocator, reader);
}

rf_error rf_json_error(const rf_json_reader *reader) {
    const rf_scan *scan = &reader->scan;
    rf_error error = {.offset = RF_NOWHERE};
    if (scan->status != RF_OK)
        rf_error_set(&error, scan->status, (uint64_t)(scan->error_at - scan->begin), (rf_str){0});
    return error;
}

static bool in_map(const rf_json_reader *reader) {
    uint32_t level = reader->depth - 1;
    return reader->maps[level / 64] >> (level % 64) & 1;
}

static void value_done(rf_json_reader *reader) {
    reader->expected = reader->depth == 0 ? EXPECT_END : EXPECT_COMMA_OR_CLOSE;
}

static bool open_level(rf_json_reader *reader, rf_json_token *token, bool map) {
    uint32_t level = reader->depth;
    uint64_t bit = UINT64_C(1) << (level % 64);
    if (level == reader->max_depth) return rf_scan_fail(&reader->scan, RF_TOO_DEEP, reader->scan.at);
    reader->maps[level / 64] = map ? reader->maps[level / 64] | bit : reader->maps[level / 64] & ~bit;
    reader->depth++;
    reader->expected = map ? EXPECT_KEY_OR_CLOSE : EXPECT_VALUE_OR_CLOSE;
    reader->scan.at++;
    token->kind = map ? RF_JSON_OPEN_MAP : RF_JSON_OPEN_LIST;
    return true;
}

static bool close_level(rf_json_reader *reader, rf_json_token *token) {
    token->kind = in_map(reader) ? RF_JSON_CLOSE_MAP : RF_JSON_CLOSE_LIST;
    reader->depth--;
    reader->scan.at++;
    value_done(reader);
    return true;
}

static bool read_string(rf_json_reader *reader, rf_json_token *token, rf_json_kind kind) {
    const char *start = reader->scan.at + 1;
    if (reader->arena.blocks) rf_arena_reset(&reader->arena);
    if (!rf_scan_string(&reader->scan, &reader->arena, &token->as.string)) return false;
    token->kind = kind;
    token->in_text = token->as.string.data == start;
    return true;
}

static bool read_key(rf_json_reader *reader, rf_json_token *token) {
    rf_scan *scan = &reader->scan;
    if (scan->at == scan->end || *scan->at != '"') return rf_scan_unexpected(scan, scan->at);
    if (!read_string(reader, token, RF_JSON_KEY)) return false;
    rf_scan_space(scan);
    if (scan->at == scan->end || *scan->at != ':') return rf_scan_unexpected(scan, scan->at);
    scan->at++;
    reader->expected = EXPECT_VALUE;
    return true;
}

static bool read_number(rf_json_reader *reader, rf_json_token *token) {
    rf_number number;
    if (!rf_scan_number(&reader->scan, &number)) return false;
    switch (number.kind) {
    case RF_NUMBER_INT:
        token->kind = RF_JSON_INT;
        token->as.integer = number.integer;
        return true;
    case RF_NUMBER_FLOAT:
        token->kind = RF_JSON_FLOAT;
        token->as.number = number.real;
        return true;
    case RF_NUMBER_BIG:
        token->kind = RF_JSON_BIG;
        token->in_text = true;
        token->as.string = number.text;
        return true;
    case RF_NUMBER_INFINITE:
        if (!reader->skipping) break;
        token->kind = RF_JSON_FLOAT;
        token->as.number = number.real;
        return true;
    }
    return rf_scan_fail(&reader->scan, RF_NUMBER_OUT_OF_RANGE, number.text.data);
}

static bool read_word(rf_json_reader *reader, rf_json_token *token, rf_json_kind kind, rf_str word) {
    token->kind = kind;
    return rf_scan_literal(&reader->scan, word.data, word.len);
}

static bool read_value(rf_json_reader *reader, rf_json_token *token) {
    const char *at = reader->scan.at;
    bool done;
    switch (at < reader->scan.end ? *at : '\0') {
    case '{':
        return open_level(reader, token, true);
    case '[':
        return open_level(reader, token, false);
    case '"':
        done = read_string(reader, token, RF_JSON_STRING);
        break;
    case 't':
        done = read_word(reader, token, RF_JSON_TRUE, RF_LIT("true"));
        break;
    case 'f':
        done = read_word(reader, token, RF_JSON_FALSE, RF_LIT("false"));
        break;
    case 'n':
        done = read_word(reader, token, RF_JSON_NULL, RF_LIT("null"));
        break;
    default:
        done = read_number(reader, token);
        break;
    }
    if (done) value_done(reader);
    return done;
}

static bool read_comma_or_close(rf_json_reader *reader, rf_json_token *token) {
    rf_scan *scan = &reader->scan;
    bool map = in_map(reader);
    if (scan->at < scan->end && *scan->at == (map ? '}' : ']')) return close_level(reader, token);
    if (scan->at == scan->end || *scan->at != ',') return rf_scan_unexpected(scan, scan->at);
    scan->at++;
    rf_scan_space(scan);
    token->offset = (size_t)(scan->at - scan->begin);
    return map ? read_key(reader, token) : read_value(reader, token);
}

static bool read_token(rf_json_reader *reader, rf_json_token *token) {
    rf_scan *scan = &reader->scan;
    bool over;
    rf_scan_space(scan);
    over = scan->at == scan->end;
    token->offset = (size_t)(scan->at - scan->begin);
    switch (reader->expected) {
    case EXPECT_VALUE:
        return read_value(reader, token);
    case EXPECT_VALUE_OR_CLOSE:
        return !over && *scan->at == ']' ? close_level(reader, token) : read_value(reader, token);
    case EXPECT_KEY_OR_CLOSE:
        return !over && *scan->at == '}' ? close_level(reader, token) : read_key(reader, token);
    case EXPECT_COMMA_OR_CLOSE:
        return read_comma_or_close(reader, token);
    case EXPECT_END:
        break;
    }
    token->kind = RF_JSON_END;
    return over || rf_scan_unexpected(scan, scan->at);
}

static bool is_value(rf_json_kind kind) {
    return kind >= RF_JSON_NULL && kind <= RF_JSON_OPEN_MAP && kind != RF_JSON_KEY && kind != RF_JSON_CLOSE_LIST;
}

rf_json_token rf_json_next(rf_json_reader *reader) {
    rf_json_token token = {.kind = RF_JSON_ERROR};
    const rf_scan *scan = &reader->scan;
    if (scan->status != RF_OK || !read_token(reader, &token))
        token = (rf_json_token){.kind = RF_JSON_ERROR, .offset = (size_t)(scan->error_at - scan->begin)};
    return token;
}

// Reads the rest of a value after its first token.
static bool read_rest(rf_json_reader *reader, rf_json_kind first) {
    uint32_t around = reader->depth - 1;
    rf_json_token token;
    if (first == RF_JSON_ERROR) return false;
    if (first != RF_JSON_OPEN_LIST && first != RF_JSON_OPEN_MAP) return true;
    while (reader->depth > around)
        if (!read_token(reader, &token)) return false;
    return true;
}

rf_json_token rf_json_skip(rf_json_reader *reader, rf_str *text) {
    rf_json_token token;
    reader->skipping = true;
    token = rf_json_next(reader);
    if (!read_rest(reader, token.kind)) token = rf_json_next(reader);
    reader->skipping = false;
    *text = (rf_str){reader->scan.begin + token.offset, 0};
    if (is_value(token.kind)) text->len = (size_t)(reader->scan.at - text->data);
    return token;
}
