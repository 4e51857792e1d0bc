// input.h: reads a file, plain or .gz, as a whole, line by line or in pieces; or text from another source.
#ifndef RF_CLI_INPUT_H
#define RF_CLI_INPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// Larger files and lines are refused.
#define INPUT_MAX ((size_t)1 << 28)

typedef struct input input;

// NULL, with errno set, if it cannot be opened. "-" is standard input.
input *input_open(const char *path);
void input_close(input *from);

// The next line without its line end; NULL at the end of the file and on errors. Valid until the next call.
const char *input_line(input *from, size_t *len);
// Everything that is left.
const char *input_rest(input *from, size_t *len);

// The bytes that have been read and not taken; never NULL. Valid until more are read.
const char *input_data(const input *from, size_t *len);
void input_take(input *from, size_t len);
// Reads more bytes after these; false at the end of the file and on errors.
bool input_more(input *from);

// Whether it is a regular, uncompressed file.
bool input_plain(const input *from);

// A source of bytes other than a file. The input closes its context.
typedef struct input_source {
    bool (*more)(void *context, input *into); // puts more bytes; false at the end or after a failure
    double (*share)(const void *context);     // how much has been read, 0 to 1
    void (*close)(void *context);
} input_source;

// NULL: no memory; the context has been closed.
input *input_from(const input_source *source, void *context);
// For sources. input_put returns false if memory runs out, input_fail always.
bool input_put(input *into, const char *bytes, size_t len);
bool input_fail(input *into, const char *format, ...) __attribute__((format(printf, 2, 3)));

// What went wrong; NULL if nothing.
const char *input_error(const input *from);
// The number of the last line read, from 1.
uint64_t input_line_number(const input *from);
// How much of the file has been read, 0 to 1; negative if unknown.
double input_share(const input *from);

#endif
