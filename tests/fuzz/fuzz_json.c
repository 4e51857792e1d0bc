// Any text through the token reader; strings and numbers written again.
#include <roomfold/json.h>
#include <stdlib.h>
#include <string.h>

static volatile size_t sink;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    char *text = malloc(size ? size : 1), *out;
    rf_json_reader *reader;
    rf_json_token token;
    memcpy(text, data, size);
    if (rf_json_reader_new(rf_allocator_default(), (rf_str){text, size}, 64, &reader) != RF_OK) abort();
    do {
        token = rf_json_next(reader);
        if (token.kind == RF_JSON_STRING || token.kind == RF_JSON_KEY) {
            out = malloc(RF_JSON_STRING_ROOM(token.as.string.len));
            if (rf_json_write_string(out, token.as.string) == 0) abort();
            free(out);
        } else if (token.kind == RF_JSON_FLOAT) {
            char number[RF_JSON_FLOAT_ROOM];
            sink += rf_json_write_f64(number, token.as.number, true);
        }
    } while (token.kind != RF_JSON_END && token.kind != RF_JSON_ERROR);
    if (token.kind == RF_JSON_ERROR && rf_json_error(reader).offset > size) abort();
    rf_json_reader_free(reader);
    free(text);
    return 0;
}
