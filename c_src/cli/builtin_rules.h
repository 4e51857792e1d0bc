// builtin_rules.h: the tables of priv/rules, which the build puts into the program (tools/embed-rules).
#ifndef RF_CLI_BUILTIN_RULES_H
#define RF_CLI_BUILTIN_RULES_H

typedef struct builtin_rules {
    const char *name, *text;
} builtin_rules;

// The last entry has the name NULL.
extern const builtin_rules builtin_rules_all[];

#endif
