// command.h: shared by the commands of the program.
#ifndef RF_CLI_COMMAND_H
#define RF_CLI_COMMAND_H

#include <stdbool.h>

// Exit codes.
enum { DONE = 0, FAILED = 1, MISUSED = 2 };

typedef struct command {
    const char *name;
    const char *summary;
    const char *help;
    int (*run)(int argc, char **argv); // argv[0] is the command's name
} command;

extern const command replay_command, validate_command, inspect_command, convert_command, hits_command;

// "roomfold hits: ..." on standard error; returns the exit code.
int complain(const char *name, int code, const char *format, ...) __attribute__((format(printf, 3, 4)));

#endif
