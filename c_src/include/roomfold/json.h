// json.h: a pull parser for JSON (RFC 8259, strict), and functions that write JSON values.
//
//     rf_json_reader_new(allocator, text, 64, &reader);
//     while ((token = rf_json_next(reader)).kind > RF_JSON_ERROR) ...
//     if (token.kind == RF_JSON_ERROR) error = rf_json_error(reader);
//     rf_json_reader_free(reader);
#ifndef ROOMFOLD_JSON_H
#define ROOMFOLD_JSON_H

#include <roomfold/alloc.h>
#include <roomfold/status.h>

RF_BEGIN

typedef enum rf_json_kind {
    RF_JSON_END,   // the end of the text; repeated by every further call
    RF_JSON_ERROR, // see rf_json_error; repeated by every further call
    RF_JSON_NULL,
    RF_JSON_FALSE,
    RF_JSON_TRUE,
    RF_JSON_INT, // an integer of 64 bits
    RF_JSON_BIG, // an integer that does not fit 64 bits: as.string is its text
    RF_JSON_FLOAT,
    RF_JSON_STRING, // unescaped, valid UTF-8
    RF_JSON_KEY,    // of an object, unescaped; its value comes next
    RF_JSON_OPEN_LIST,
    RF_JSON_CLOSE_LIST,
    RF_JSON_OPEN_MAP,
    RF_JSON_CLOSE_MAP,
} rf_json_kind;

typedef struct rf_json_token {
    rf_json_kind kind;
    bool in_text;  // as.string points into the text (it has no escapes), not into the reader
    size_t offset; // of its first byte in the text
    union {
        int64_t integer;
        double number;
        rf_str string; // if not in_text, valid until the next token
    } as;
} rf_json_token;

// Reads a text that is exactly one JSON value, token by token. A float that binary64 cannot hold is
// RF_NUMBER_OUT_OF_RANGE, at its first byte. Duplicate keys are not detected.
typedef struct rf_json_reader rf_json_reader;

// max_depth: levels of nested lists and objects, 1 to 512. The text must outlive the reader. RF_INVALID_ARGUMENT for
// another depth. RF_NO_MEMORY.
RF_API rf_status rf_json_reader_new(rf_allocator allocator, rf_str text, uint32_t max_depth, rf_json_reader **out);
// NULL is allowed.
RF_API void rf_json_reader_free(rf_json_reader *reader);
// The next token.
RF_API rf_json_token rf_json_next(rf_json_reader *reader);
// Moves past the next value, a list or an object with all that is in it, and returns its first token; *text is the
// whole value. Numbers may be out of range: they are infinite then. Where no value comes next, this is rf_json_next,
// and *text is empty.
RF_API rf_json_token rf_json_skip(rf_json_reader *reader, rf_str *text);
// The reason after RF_JSON_ERROR, and the byte; before that, RF_OK.
RF_API rf_error rf_json_error(const rf_json_reader *reader);

// Each writer returns the number of bytes it wrote to `out`, which must have at least this much room:
#define RF_JSON_INT_ROOM 20
#define RF_JSON_FLOAT_ROOM 32
// Each byte may become a six-byte escape; two more for the quotes.
#define RF_JSON_STRING_ROOM(len) ((len)*6 + 2)

RF_API size_t rf_json_write_int(char *out, int64_t value);
// The shortest decimal that reads back as the same binary64; of several, the closest one. Formatted like ECMAScript's
// Number::toString, except that -0.0 is "-0.0". keep_float: appends ".0" to what would otherwise read back as an
// integer. Finite values only.
RF_API size_t rf_json_write_f64(char *out, double value, bool keep_float);
// The same for a binary32: the shortest decimal that, read as a binary64 and rounded, gives the same binary32.
RF_API size_t rf_json_write_f32(char *out, float value, bool keep_float);
// At most `decimals` decimals (0 to 8), without trailing zeros: value * 10^decimals in binary64, rounded to the nearest
// integer, ties to even. Zero has no sign. From 2^51 on (after the multiplication) the number is written by
// rf_json_write_f64, with ".0" beyond 2^53.
#define RF_JSON_DECIMALS_MAX 8
RF_API size_t rf_json_write_decimals(char *out, double value, unsigned decimals);
// A quoted string. Escapes ", \ and control characters (as \b \f \n \r \t, the others as \u00xx) and nothing else.
// Returns 0 if the string is not valid UTF-8.
RF_API size_t rf_json_write_string(char *out, rf_str value);

// Whether the bytes are valid UTF-8.
RF_API bool rf_utf8_valid(rf_str bytes);

RF_END

#endif
