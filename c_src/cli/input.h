// input.h: files, plain or .gz: whole, line by line, or in pieces; or text that is made of something else.
#ifndef RF_CLI_INPUT_H
#define RF_CLI_INPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// Larger files and lines are refused.
#define INPUT_MAX ((size_t)1 << 28)

typedef struct input input;

// NULL with errno set if it can't be opened. "-" is standard input.
input *input_open(const char *path);
void input_close(input *from);

// The next line without its end; NULL at the end of the file and on errors. Valid until the next call.
const char *input_line(input *from, size_t *len);
// The whole rest.
const char *input_rest(input *from, size_t *len);

// What has been read and not taken; never NULL. Valid until more is read.
const char *input_data(const input *from, size_t *len);
void input_take(input *from, size_t len);
// Reads more behind it; false at the end of the file and on errors.
bool input_more(input *from);

// Whether it is a file as it lies on the disk: no pipe, and not a .gz.
bool input_plain(const input *from);

// What gives an input its bytes in place of a file. `context` is the input's to close.
typedef struct input_source {
    bool (*more)(void *context, input *into); // puts some; false: it is over, or has failed
    double (*share)(const void *context);     // how much of it has been read
    void (*close)(void *context);
} input_source;

// NULL: no memory, and the context is closed.
input *input_from(const input_source *source, void *context);
// For sources. Both false if it fails.
bool input_put(input *into, const char *bytes, size_t len);
bool input_fail(input *into, const char *format, ...) __attribute__((format(printf, 2, 3)));

// What went wrong; NULL if nothing did.
const char *input_error(const input *from);
// Of the line last read; the first is 1.
uint64_t input_line_number(const input *from);
// How much of the file has been read, 0 to 1; below 0 if that can't be known.
double input_share(const input *from);

#endif
