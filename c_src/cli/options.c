#include "options.h"
#include "command.h"

#include <inttypes.h>
#include <roomfold/world.h>
#include <stdio.h>
#include <string.h>

static const option *find(const option *options, size_t count, const char *argument, size_t len) {
    for (size_t i = 0; i < count; i++)
        if (strlen(options[i].name) == len && memcmp(options[i].name, argument, len) == 0) return &options[i];
    return NULL;
}

static bool read_number(const char *text, uint64_t *out) {
    uint64_t number = 0;
    if (!*text) return false;
    for (; *text; text++) {
        unsigned digit = (unsigned)(*text - '0');
        if (digit > 9) return false;
        number = number > (UINT64_MAX - digit) / 10 ? UINT64_MAX : number * 10 + digit;
    }
    *out = number;
    return true;
}

// "entity, component or kind"
static void list_choices(char *into, size_t size, const char *const *choices) {
    size_t len = 0;
    *into = '\0';
    for (int i = 0; choices[i] && len < size; i++) {
        const char *before = i == 0 ? "" : choices[i + 1] ? ", " : " or ";
        len += (size_t)snprintf(into + len, size - len, "%s%s", before, choices[i]);
    }
}

static int choose(const char *who, const option *which, const char *value) {
    char list[128];
    for (int i = 0; which->choices[i]; i++) {
        if (strcmp(which->choices[i], value) != 0) continue;
        *(int *)which->into = i;
        return DONE;
    }
    list_choices(list, sizeof list, which->choices);
    return complain(who, MISUSED, "%s %s: there is no such choice; it takes %s", which->name, value, list);
}

static int set_number(const char *who, const option *which, const char *value) {
    uint64_t number;
    if (!read_number(value, &number))
        return complain(who, MISUSED, "%s %s: a whole number is needed", which->name, value);
    if (which->kind == OPTION_SEQ && number > RF_SEQ_MAX)
        return complain(who, MISUSED, "%s %s: a seq is at most %" PRIu64, which->name, value, (uint64_t)RF_SEQ_MAX);
    *(uint64_t *)which->into = number;
    return DONE;
}

static int set(const char *who, const option *which, const char *value) {
    switch (which->kind) {
    case OPTION_FLAG:
        *(bool *)which->into = true;
        break;
    case OPTION_TEXT:
        *(const char **)which->into = value;
        break;
    case OPTION_NUMBER:
    case OPTION_SEQ:
        return set_number(who, which, value);
    case OPTION_CHOICE:
        return choose(who, which, value);
    }
    return DONE;
}

int options_read(const char *who, int argc, char **argv, const option *options, size_t count, const char **file) {
    bool only_files = false;
    uint64_t given = 0; // which options had their value
    for (int i = 1; i < argc; i++) {
        const char *argument = argv[i], *equals, *value = NULL;
        const option *which;
        int code;
        if (only_files || argument[0] != '-' || !argument[1]) {
            if (*file) return complain(who, MISUSED, "%s: one file at a time", argument);
            *file = argument;
            continue;
        }
        if (strcmp(argument, "--") == 0) {
            only_files = true;
            continue;
        }
        equals = strchr(argument, '=');
        which = find(options, count, argument, equals ? (size_t)(equals - argument) : strlen(argument));
        if (!which) return complain(who, MISUSED, "there is no option %s; see roomfold %s --help", argument, who);
        if (equals && which->kind == OPTION_FLAG) return complain(who, MISUSED, "%s takes no value", which->name);
        if (which->kind != OPTION_FLAG) {
            value = equals ? equals + 1 : i + 1 < argc ? argv[++i] : NULL;
            if (!value) return complain(who, MISUSED, "%s needs a value", which->name);
            // Which of two values is meant, nobody can say.
            uint64_t bit = UINT64_C(1) << (which - options);
            if (given & bit) return complain(who, MISUSED, "%s %s: it has a value already", which->name, value);
            given |= bit;
        }
        code = set(who, which, value);
        if (code != DONE) return code;
    }
    return DONE;
}
