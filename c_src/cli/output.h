// output.h: standard output, in large pieces; or memory. The first error stays; then nothing more is written.
#ifndef RF_CLI_OUTPUT_H
#define RF_CLI_OUTPUT_H

#include <roomfold/roomfold.h>

typedef struct output {
    char *data;
    size_t len, capacity;
    bool kept; // nothing is written: all of it is in data, until len is set to 0
    int error; // errno, or 0
} output;

// Takes its memory at once, so that there is some when all is gone.
void output_open(output *out);
// To memory; output_free lets it go.
void output_keep(output *out);
void output_free(output *out);
// Room for that many bytes, of which the caller then writes and adds to `len` what it needs; NULL after an error.
char *output_room(output *out, size_t bytes);
void output_bytes(output *out, rf_str bytes);
void output_text(output *out, const char *text);
void output_format(output *out, const char *format, ...) __attribute__((format(printf, 2, 3)));
void output_uint(output *out, uint64_t value);
// As JSON. A float always keeps its point or exponent.
void output_float(output *out, double value);
void output_string(output *out, rf_str value);
// Any value, from its compact form.
void output_term(output *out, rf_str term);
void output_flush(output *out);
// Writes the rest. An exit code: FAILED if not all could be written, which is said, unless nobody reads any more.
int output_close(output *out, const char *who);

#endif
