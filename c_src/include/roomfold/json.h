// json.h: reading and writing JSON text, strictly by RFC 8259.
#ifndef ROOMFOLD_JSON_H
#define ROOMFOLD_JSON_H

#include <roomfold/alloc.h>
#include <roomfold/status.h>

RF_BEGIN

typedef enum rf_json_kind {
    RF_JSON_END,   // the text is over
    RF_JSON_ERROR, // see reader->status and reader->error_at; stays
    RF_JSON_NULL,
    RF_JSON_FALSE,
    RF_JSON_TRUE,
    RF_JSON_INT, // fits into 64 bits
    RF_JSON_BIG, // an integer that doesn't: token.string is its text
    RF_JSON_FLOAT,
    RF_JSON_STRING, // unescaped, valid UTF-8
    RF_JSON_KEY,    // of an object, unescaped; its value is next
    RF_JSON_OPEN_LIST,
    RF_JSON_CLOSE_LIST,
    RF_JSON_OPEN_MAP,
    RF_JSON_CLOSE_MAP,
} rf_json_kind;

typedef struct rf_json_token {
    rf_json_kind kind;
    bool in_text;  // string points into the text (no escapes), not into the reader
    size_t offset; // where it starts in the text
    union {
        int64_t integer;
        double number;
        rf_str string; // valid until the next token if it is not in_text
    } as;
} rf_json_token;

// Reads exactly one JSON value and nothing after it, token by token. The text must outlive the reader.
// Numbers that no binary64 can hold are RF_NUMBER_OUT_OF_RANGE at their first byte; duplicate keys are not looked for.
typedef struct rf_json_reader rf_json_reader;

// max_depth: levels of lists and objects, 1 to 512.
RF_API rf_status rf_json_reader_new(rf_allocator allocator, rf_str text, uint32_t max_depth, rf_json_reader **out);
RF_API void rf_json_reader_free(rf_json_reader *reader);
RF_API rf_json_token rf_json_next(rf_json_reader *reader);
RF_API rf_error rf_json_error(const rf_json_reader *reader);

// Writing. Each returns how many bytes it wrote to out, which must have room for as many as stated.
#define RF_JSON_INT_ROOM 20
#define RF_JSON_FLOAT_ROOM 32
// Six bytes for each byte of the string, and two quotes.
#define RF_JSON_STRING_ROOM(len) ((len)*6 + 2)

RF_API size_t rf_json_write_int(char *out, int64_t value);
// The shortest text that reads back as the same binary64 (of those the closest to it), laid out as
// ECMAScript's Number::toString does, except that -0.0 is "-0.0". keep_float: with ".0" behind it where
// it would otherwise read back as an integer. Finite values only.
RF_API size_t rf_json_write_f64(char *out, double value, bool keep_float);
// The same for a binary32: the shortest text that reads back as the same binary32 (as binary64 rounded to binary32).
RF_API size_t rf_json_write_f32(char *out, float value, bool keep_float);
// At most that many decimals (0 to 8), zeros at their end left out: value * 10^decimals in binary64, rounded to the
// nearest integer, ties to even. No sign before a zero. Numbers too large for that (2^51 after the multiplication) are
// written by rf_json_write_f64, with ".0" beyond 2^53.
#define RF_JSON_DECIMALS_MAX 8
RF_API size_t rf_json_write_decimals(char *out, double value, unsigned decimals);
// Quotes, escapes for ", \, and control characters (\b \f \n \r \t, else \u00xx); all else as it is.
// Returns 0 if the string is not valid UTF-8.
RF_API size_t rf_json_write_string(char *out, rf_str value);

RF_API bool rf_utf8_valid(rf_str bytes);

RF_END

#endif
