// options.h: reads a command's arguments.
#ifndef RF_CLI_OPTIONS_H
#define RF_CLI_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum option_kind {
    OPTION_FLAG,   // bool
    OPTION_TEXT,   // const char *
    OPTION_NUMBER, // uint64_t; UINT64_MAX is that or more
    OPTION_SEQ,    // uint64_t, at most RF_SEQ_MAX
    OPTION_CHOICE, // int: the index in `choices`
} option_kind;

typedef struct option {
    const char *name; // "--until"
    option_kind kind;
    void *into;                 // not changed if the option is absent
    const char *const *choices; // ends with NULL
} option;

// Reads --name value, each name once, --name=value and one file (*file, NULL if absent). There are at most 64 options.
// Returns DONE or MISUSED.
int options_read(const char *who, int argc, char **argv, const option *options, size_t count, const char **file);

#endif
