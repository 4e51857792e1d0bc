// output.h: buffered output to standard output or to memory. After the first error nothing more is written.
#ifndef RF_CLI_OUTPUT_H
#define RF_CLI_OUTPUT_H

#include <roomfold/roomfold.h>

typedef struct output {
    char *data;
    size_t len, capacity;
    bool kept; // to memory: everything is in data, until len is set to 0
    int error; // errno, or 0
} output;

// Allocates its buffer at once, so that it can be written to even when memory has run out.
void output_open(output *out);
// To memory; free it with output_free.
void output_keep(output *out);
void output_free(output *out);
// Room for that many bytes. The caller writes as many as it needs and adds them to `len`. NULL after an error.
char *output_room(output *out, size_t bytes);
void output_bytes(output *out, rf_str bytes);
void output_text(output *out, const char *text);
void output_format(output *out, const char *format, ...) __attribute__((format(printf, 2, 3)));
void output_uint(output *out, uint64_t value);
// As JSON. A float always has a point or an exponent.
void output_float(output *out, double value);
void output_string(output *out, rf_str value);
// Any value, given as a term.
void output_term(output *out, rf_str term);
void output_flush(output *out);
// Writes the rest. Returns an exit code: FAILED, after printing the error, if something could not be written. A closed
// pipe (EPIPE) is not printed.
int output_close(output *out, const char *who);

#endif
