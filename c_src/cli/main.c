#include "command.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const command *const commands[] = {&hits_command};
#define COUNT (sizeof commands / sizeof *commands)

int complain(const char *name, int code, const char *format, ...) {
    va_list arguments;
    fprintf(stderr, "roomfold%s%s: ", *name ? " " : "", name);
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fputc('\n', stderr);
    return code;
}

static int help(void) {
    puts("roomfold " RF_VERSION "\n\nusage: roomfold COMMAND ...\n");
    for (size_t i = 0; i < COUNT; i++) printf("  %-10s %s\n", commands[i]->name, commands[i]->summary);
    puts("\nroomfold COMMAND --help says more. Exit codes: 0 done, 1 failed, 2 wrong usage.");
    return fflush(stdout) == 0 ? DONE : FAILED;
}

static bool asks_for_help(const char *argument) {
    return strcmp(argument, "--help") == 0 || strcmp(argument, "-h") == 0 || strcmp(argument, "help") == 0;
}

int main(int argc, char **argv) {
    if (argc < 2) return complain("", MISUSED, "a command is missing; roomfold --help lists them");
    if (asks_for_help(argv[1])) return help();
    if (strcmp(argv[1], "--version") == 0) return puts(RF_VERSION) < 0 ? FAILED : DONE;
    for (size_t i = 0; i < COUNT; i++) {
        if (strcmp(argv[1], commands[i]->name) != 0) continue;
        if (argc == 3 && asks_for_help(argv[2])) return puts(commands[i]->help) < 0 ? FAILED : DONE;
        return commands[i]->run(argc - 1, argv + 1);
    }
    return complain("", MISUSED, "there is no command %s; roomfold --help lists them", argv[1]);
}
