// fuzz_json.c: reads any bytes with the token reader. What is read is written and must read back the same. At an error,
// the text before it must be the start of some valid text.
#include <roomfold/json.h>
#include <stdlib.h>
#include <string.h>

static volatile uint64_t sink;

// Integers, words and single bytes keep their length; "1e9" becomes "1000000000.0".
#define WRITTEN_ROOM(len) ((len)*12 + 64)

static size_t write_float(char *out, double value) {
    char number[RF_JSON_FLOAT_ROOM];
    sink += rf_json_write_f32(number, (float)(value > 1e38 || value < -1e38 ? 0 : value), false);
    return rf_json_write_f64(out, value, true);
}

static size_t write_token(char *out, const rf_json_token *token) {
    size_t len;
    switch (token->kind) {
    case RF_JSON_INT:
        return rf_json_write_int(out, token->as.integer);
    case RF_JSON_FLOAT:
        return write_float(out, token->as.number);
    case RF_JSON_BIG:
        memcpy(out, token->as.string.data, token->as.string.len);
        return token->as.string.len;
    case RF_JSON_STRING:
    case RF_JSON_KEY:
        len = rf_json_write_string(out, token->as.string);
        if (len == 0) abort();
        return len;
    default:
        *out = (char)('A' + token->kind);
        return 1;
    }
}

// Returns the error; *out and *out_len: the tokens, written one after the other.
static rf_error read_text(const char *text, size_t len, char **out, size_t *out_len) {
    rf_json_reader *reader;
    rf_json_token token;
    rf_error error;
    *out_len = 0;
    *out = malloc(WRITTEN_ROOM(len));
    if (rf_json_reader_new(rf_allocator_default(), (rf_str){text, len}, 64, &reader) != RF_OK) abort();
    do {
        token = rf_json_next(reader);
        if (token.offset > len) abort();
        *out_len += write_token(*out + *out_len, &token);
    } while (token.kind != RF_JSON_END && token.kind != RF_JSON_ERROR);
    error = rf_json_error(reader);
    if (error.status != RF_OK && error.offset != token.offset) abort();
    rf_json_reader_free(reader);
    return error;
}

static rf_status status_of_beginning(const char *text, size_t len) {
    char *copy = malloc(len > 0 ? len : 1), *out;
    size_t out_len;
    rf_error error;
    if (len > 0) memcpy(copy, text, len);
    error = read_text(copy, len, &out, &out_len);
    free(copy);
    free(out);
    return error.status;
}

// A scalar that was written must read back, and be written the same again.
static void check_scalar(const char *text, size_t len) {
    char *out;
    size_t out_len;
    if (read_text(text, len, &out, &out_len).status != RF_OK) abort();
    // The end is written after it.
    if (out_len != len + 1 || memcmp(out, text, len) != 0) abort();
    free(out);
}

static void check_scalars(const char *text, size_t len) {
    rf_json_reader *reader;
    rf_json_token token;
    if (rf_json_reader_new(rf_allocator_default(), (rf_str){text, len}, 64, &reader) != RF_OK) abort();
    do {
        token = rf_json_next(reader);
        if (token.kind == RF_JSON_FLOAT || token.kind == RF_JSON_INT || token.kind == RF_JSON_STRING) {
            char *out = malloc(WRITTEN_ROOM(len));
            check_scalar(out, write_token(out, &token));
            free(out);
        }
    } while (token.kind != RF_JSON_END && token.kind != RF_JSON_ERROR);
    rf_json_reader_free(reader);
}

// Skipping decides the same, but that numbers may be out of range.
static void check_skipped(const char *text, size_t len, const rf_error *error) {
    rf_json_reader *reader;
    rf_json_token token;
    rf_str value;
    if (rf_json_reader_new(rf_allocator_default(), (rf_str){text, len}, 64, &reader) != RF_OK) abort();
    token = rf_json_skip(reader, &value);
    if (value.len > 0 && (value.data < text || value.data + value.len > text + len)) abort();
    if (token.kind != RF_JSON_ERROR && token.kind != RF_JSON_END) rf_json_next(reader);
    if (error->status != RF_NUMBER_OUT_OF_RANGE &&
        (rf_json_error(reader).status != error->status || rf_json_error(reader).offset != error->offset))
        abort();
    rf_json_reader_free(reader);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    char *text = malloc(size > 0 ? size : 1), *out;
    size_t out_len;
    rf_error error;
    if (size > 0) memcpy(text, data, size);
    sink += rf_utf8_valid((rf_str){text, size});
    error = read_text(text, size, &out, &out_len);
    free(out);
    check_skipped(text, size, &error);
    if (error.status == RF_OK) check_scalars(text, size);
    if (error.status == RF_UNEXPECTED_END && error.offset != size) abort();
    if (error.status == RF_UNEXPECTED_BYTE || error.status == RF_INVALID_UTF8 || error.status == RF_TOO_DEEP) {
        rf_status before = status_of_beginning(text, (size_t)error.offset);
        if (before != RF_OK && before != RF_UNEXPECTED_END && before != RF_NUMBER_OUT_OF_RANGE) abort();
        if (status_of_beginning(text, (size_t)error.offset + 1) != error.status) abort();
    }
    free(text);
    return 0;
}
