#include "world_setup.h"
#include "builtin_rules.h"
#include "command.h"
#include "input.h"
#include "random_seed.h"
#include "text_error.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static int open_file(const char *who, const char *path, input **file, rf_str *text) {
    *file = input_open(path);
    if (!*file) return complain(who, FAILED, "%s: %s", path, strerror(errno));
    text->data = input_rest(*file, &text->len);
    return text->data ? DONE : complain(who, FAILED, "%s: %s", path, input_error(*file));
}

int world_setup_check(const world_setup *setup, const char *who, const char *path) {
    const char *const files[] = {path, setup->rules, setup->schema};
    int count = 0;
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) count += files[i] && strcmp(files[i], "-") == 0;
    return count < 2
               ? DONE
               : complain(who, MISUSED, "standard input (-) can be only one of the log, the rules and the schema");
}

int world_setup_schema(const world_setup *setup, const char *who, rf_schema **out) {
    const char *path = setup->schema;
    input *file = NULL;
    rf_error error;
    rf_str text;
    int code;
    *out = NULL;
    if (!path)
        return rf_schema_default(rf_allocator_default(), out) == RF_OK
                   ? DONE
                   : complain(who, FAILED, "there is not enough memory");
    code = open_file(who, path, &file, &text);
    if (code == DONE && rf_schema_from_json(rf_allocator_default(), text, out, &error) != RF_OK)
        code = text_error(who, path, text, &error);
    input_close(file);
    return code;
}

static const char *find_builtin(const char *name) {
    for (const builtin_rules *rules = builtin_rules_all; rules->name; rules++)
        if (strcmp(rules->name, name) == 0) return rules->text;
    return NULL;
}

// "doom", "xr"
static int no_such_rules(const char *who, const char *name) {
    char list[128] = "";
    size_t len = 0;
    for (const builtin_rules *rules = builtin_rules_all; rules->name && len < sizeof list; rules++)
        len += (size_t)snprintf(list + len, sizeof list - len, "%s, ", rules->name);
    return complain(who, FAILED,
                    "--rules %s: there is no such file, and none of the rules built in is called so: %snone", name,
                    list);
}

static int load_rules(const char *name, const char *who, rf_schema *schema, rf_rules **out) {
    const char *builtin;
    input *file = NULL;
    rf_error error;
    rf_str text = {0};
    int code = DONE;
    *out = NULL;
    if (!name) name = "doom";
    if (strcmp(name, "none") == 0) return DONE;
    builtin = find_builtin(name);
    if (builtin)
        text = (rf_str){builtin, strlen(builtin)};
    else if (strcmp(name, "-") != 0 && access(name, F_OK) != 0 && errno == ENOENT)
        code = no_such_rules(who, name);
    else
        code = open_file(who, name, &file, &text);
    if (code == DONE && rf_rules_from_json(rf_allocator_default(), schema, text, out, &error) != RF_OK)
        code = text_error(who, name, text, &error);
    input_close(file);
    return code;
}

int world_setup_make(const world_setup *setup, const char *who, rf_schema *schema, rf_world **out) {
    rf_world_def def = rf_world_def_default();
    rf_status status;
    int code;
    *out = NULL;
    def.schema = schema;
    def.hash_seed = random_seed();
    def.history = 1; // so that deleted entities are soon forgotten
    code = load_rules(setup->rules, who, schema, &def.rules);
    if (code == DONE) {
        status = rf_world_new(&def, out);
        if (status != RF_OK) code = complain(who, FAILED, "%s", rf_status_message(status));
    }
    if (def.rules) rf_rules_release(def.rules);
    return code;
}
