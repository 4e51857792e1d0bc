// main.c: the program roomfold: runs a command.
#include "command.h"
#include "printable.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const command *const commands[] = {&replay_command, &inspect_command, &validate_command, &convert_command,
                                          &hits_command};
#define COUNT (sizeof commands / sizeof *commands)
#define MESSAGE_MAX 8192 // a path and more; longer messages are cut

int complain(const char *name, int code, const char *format, ...) {
    char text[MESSAGE_MAX];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    fprintf(stderr, "roomfold%s%s: %.*s\n", *name ? " " : "", name,
            (int)printable((rf_str){text, strlen(text)}, text, sizeof text), text);
    return code;
}

static int say(const char *text) {
    if (puts(text) >= 0 && fflush(stdout) == 0) return DONE;
    return errno == EPIPE ? FAILED : complain("", FAILED, "standard output: %s", strerror(errno));
}

static int help(void) {
    puts("roomfold " RF_VERSION ": rooms as ordered streams of events\n\nusage: roomfold COMMAND ...\n");
    for (size_t i = 0; i < COUNT; i++) printf("  %-10s %s\n", commands[i]->name, commands[i]->summary);
    return say("\nroomfold COMMAND --help says more. Exit codes: 0 done, 1 failed, 2 wrong usage.");
}

static bool asks_for_help(const char *argument) {
    return strcmp(argument, "--help") == 0 || strcmp(argument, "-h") == 0;
}

static int run(const command *which, int argc, char **argv) {
    for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++)
        if (asks_for_help(argv[i])) return say(which->help);
    return which->run(argc, argv);
}

// A file that is opened must not get the number of an output that is closed: it would be written to. Writing there
// stays an error.
static void keep_outputs(void) {
    for (int output = STDOUT_FILENO; output <= STDERR_FILENO; output++) {
        int none = fcntl(output, F_GETFD) < 0 ? open("/dev/null", O_RDONLY) : -1;
        if (none < 0 || none == output) continue;
        dup2(none, output);
        close(none);
    }
}

int main(int argc, char **argv) {
    keep_outputs();
    // A closed pipe, and a file that is as large as it may be, are reported by write instead.
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN);
    if (argc < 2) return complain("", MISUSED, "a command is missing; roomfold --help lists them");
    if (asks_for_help(argv[1]) || (argc == 2 && strcmp(argv[1], "help") == 0)) return help();
    if (strcmp(argv[1], "--version") == 0) return say(RF_VERSION);
    for (size_t i = 0; i < COUNT; i++) {
        if (strcmp(argv[1], commands[i]->name) == 0) return run(commands[i], argc - 1, argv + 1);
        if (strcmp(argv[1], "help") == 0 && strcmp(argv[2], commands[i]->name) == 0) return say(commands[i]->help);
    }
    return complain("", MISUSED, "there is no command %s; roomfold --help lists them",
                    argv[strcmp(argv[1], "help") == 0 ? 2 : 1]);
}
