// input.h: text files, plain or .gz: whole, line by line, or in pieces.
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

// What went wrong; NULL if nothing did.
const char *input_error(const input *from);
// Of the line last read; the first is 1.
uint64_t input_line_number(const input *from);
// How much of the file has been read, 0 to 1; below 0 if that can't be known.
double input_share(const input *from);

#endif
