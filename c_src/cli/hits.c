// hits.c: the command hits: casts the shots of a recording again.
#include "command.h"
#include "input.h"
#include "options.h"
#include "recording.h"
#include "text_error.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

typedef struct hits_options {
    const char *level, *recording;
    bool projectiles;
} hits_options;

#define TOLD 10 // invalid lines are printed, at most

typedef struct tally {
    unsigned long shots, agree, hits, hits_agree, unusable;
} tally;

static int fail(const char *path, const char *why) {
    return complain("hits", FAILED, "%s: %s", path, why);
}

static int read_options(int argc, char **argv, hits_options *out) {
    const char *rays = NULL, *projectiles = NULL, *file = NULL;
    const option known[] = {
        {"--rays", OPTION_TEXT, &rays, NULL},
        {"--projectiles", OPTION_TEXT, &projectiles, NULL},
        {"--level", OPTION_TEXT, &out->level, NULL},
    };
    int code;
    *out = (hits_options){0};
    code = options_read("hits", argc, argv, known, sizeof known / sizeof *known, &file);
    if (code != DONE) return code;
    out->projectiles = projectiles != NULL;
    out->recording = projectiles ? projectiles : rays;
    if (file) return complain("hits", MISUSED, "%s: files are named by --rays, --projectiles and --level", file);
    if (!out->level || !out->recording || (rays && projectiles))
        return complain("hits", MISUSED, "--level and one of --rays and --projectiles are needed");
    if (strcmp(out->level, "-") == 0 && strcmp(out->recording, "-") == 0)
        return complain("hits", MISUSED, "standard input (-) can be only one of the recording and the level");
    return DONE;
}

static int load_level(const char *path, scene *out) {
    input *from = input_open(path);
    rf_str text = {0};
    rf_error error;
    int code = DONE;
    if (!from) return fail(path, strerror(errno));
    text.data = input_rest(from, &text.len);
    if (!text.data) {
        code = fail(path, input_error(from));
    } else if (scene_new(out, text, &error) != RF_OK) {
        code = text_error("hits", path, text, &error);
    }
    input_close(from);
    return code;
}

// Prints an invalid line; the other lines are still compared.
static void tell(const hits_options *options, const input *from, tally *sum, int column, const char *what) {
    unsigned long long line = input_line_number(from);
    if (++sum->unusable > TOLD) return;
    if (column > 0)
        complain("hits", FAILED, "%s:%llu:%d: %s", options->recording, line, column, what);
    else
        complain("hits", FAILED, "%s:%llu: this can't be used: %s", options->recording, line, what);
}

static void judge_line(const hits_options *options, scene *in, const input *from, rf_str text, tally *sum) {
    json_error_t error;
    json_t *line = json_loadb(text.data, text.len, JSON_REJECT_DUPLICATES, &error);
    verdict found = {0};
    problem what;
    if (!line) {
        tell(options, from, sum, error.column > 0 ? error.column : 1, error.text);
        return;
    }
    what = options->projectiles ? judge_projectile(in, line, &found) : judge_ray(in, line, &found);
    json_decref(line);
    if (what) {
        tell(options, from, sum, 0, what);
        return;
    }
    sum->shots++;
    sum->agree += found.agree;
    sum->hits += found.hit;
    sum->hits_agree += found.hit && found.agree;
}

static bool blank(rf_str text) {
    for (size_t i = 0; i < text.len; i++)
        if (!memchr(" \t\r", text.data[i], 3)) return false;
    return true;
}

static rf_str without_mark(rf_str text) {
    bool marked = text.len >= 3 && memcmp(text.data, "\xef\xbb\xbf", 3) == 0;
    return marked ? (rf_str){text.data + 3, text.len - 3} : text;
}

static int judge_all(const hits_options *options, scene *in, tally *sum) {
    input *from = input_open(options->recording);
    rf_str text;
    int code = DONE;
    if (!from) return fail(options->recording, strerror(errno));
    while ((text.data = input_line(from, &text.len)) != NULL) {
        if (input_line_number(from) == 1) text = without_mark(text);
        if (!blank(text)) judge_line(options, in, from, text, sum);
    }
    if (sum->unusable > 0)
        code = complain("hits", FAILED, "%s: %lu line%s can't be used", options->recording, sum->unusable,
                        sum->unusable == 1 ? "" : "s");
    if (input_error(from))
        code = complain("hits", FAILED, "%s:%llu: %s", options->recording,
                        (unsigned long long)input_line_number(from) + 1, input_error(from));
    input_close(from);
    return code;
}

static int run(int argc, char **argv) {
    hits_options options;
    scene in = {0};
    tally sum = {0};
    int code = read_options(argc, argv, &options);
    bool judged = false;
    if (code == DONE) code = load_level(options.level, &in);
    if (code == DONE) {
        code = judge_all(&options, &in, &sum);
        judged = code == DONE || sum.shots + sum.unusable > 0;
    }
    scene_free(&in);
    if (!judged) return code;
    printf("{\"%s\": %lu, \"agree\": %lu, \"hits\": %lu, \"hits_agree\": %lu}\n",
           options.projectiles ? "projectiles" : "rays", sum.shots, sum.agree, sum.hits, sum.hits_agree);
    if (fflush(stdout) == 0) return code;
    return errno == EPIPE ? FAILED : complain("hits", FAILED, "standard output: %s", strerror(errno));
}

const command hits_command = {
    .name = "hits",
    .summary = "judge recorded shots again, and say how often the answer is the same",
    .help =
        "usage: roomfold hits --rays FILE --level FILE\n"
        "       roomfold hits --projectiles FILE --level FILE\n\n"
        "Casts every shot of a recording against the targets and the level it was fired at, and prints one JSON\n"
        "object: {\"rays\": n, \"agree\": n, \"hits\": n, \"hits_agree\": n}, or \"projectiles\" for \"rays\".\n\n"
        "  agree       shots that hit the same target as in the recording, or nobody both times\n"
        "  hits        shots that hit somebody in the recording\n"
        "  hits_agree  those of them that agree\n\n"
        "Files may be plain or .gz, - is standard input. docs/hits.md says what the lines of a recording hold. A line\n"
        "that can't be used is told, the others are counted, and the exit code is 1.",
    .run = run,
};
