// replay.c: the command replay: folds a log and prints the world.
#include "command.h"
#include "facts.h"
#include "offence.h"
#include "options.h"
#include "player.h"
#include "snapshot.h"

#include <inttypes.h>
#include <stdio.h>

typedef struct replay_options {
    world_setup setup;
    uint64_t until;
    uint64_t errors; // rejections to print, at most
    int by;
    bool strict, quiet;
    const char *file;
} replay_options;

static int read_options(int argc, char **argv, replay_options *out) {
    static const char *const shapes[] = {"entity", "component", "kind", NULL};
    const option known[] = {
        {"--rules", OPTION_TEXT, &out->setup.rules, NULL}, {"--schema", OPTION_TEXT, &out->setup.schema, NULL},
        {"--until", OPTION_SEQ, &out->until, NULL},        {"--by", OPTION_CHOICE, &out->by, shapes},
        {"--errors", OPTION_NUMBER, &out->errors, NULL},   {"--strict", OPTION_FLAG, &out->strict, NULL},
        {"--quiet", OPTION_FLAG, &out->quiet, NULL},       {"--room", OPTION_TEXT, &out->setup.room, NULL},
    };
    int code;
    *out = (replay_options){.until = RF_SEQ_MAX, .errors = 10};
    code = options_read("replay", argc, argv, known, sizeof known / sizeof *known, &out->file);
    if (out->errors > RF_REPORT_MAX) out->errors = RF_REPORT_MAX;
    if (code == DONE && !out->file)
        code = complain("replay", MISUSED, "a file is missing (- is standard input); see roomfold replay --help");
    return code;
}

static bool goes_too_far(const player *play, const replay_options *options) {
    facts of;
    if (options->until == RF_SEQ_MAX) return false;
    if (rf_world_seq(play->world) >= options->until) return true;
    return facts_read(journal_text(&play->log), &of) == RF_OK && of.seq.number > (double)options->until;
}

static void tell_rejected(player *play, uint32_t from, const replay_options *options) {
    for (uint32_t i = from; i < play->report.rejected_len && i < options->errors; i++) {
        offence why;
        place at;
        offence_of(&play->report.rejected[i], journal_text(&play->log), play->log.event, play->schema, &why);
        at = journal_place(&play->log, why.at);
        progress_end(&play->bar);
        fprintf(stderr, "%s:%" PRIu64 ":%" PRIu64 ": %s%s%.*s%s\n", play->path, at.line, at.column, why.what,
                why.about_len > 0 ? " (" : "", (int)why.about_len, why.about, why.about_len > 0 ? ")" : "");
    }
}

static void tell_report(const player *play, const replay_options *options) {
    const rf_report *report = &play->report;
    if (report->rejected_count > options->errors)
        fprintf(stderr, "... and %" PRIu64 " more\n", report->rejected_count - options->errors);
    fprintf(stderr,
            "seq %" PRIu64 ", folded %" PRIu64 ", orphaned %" PRIu64 ", stale %" PRIu64 ", gaps %" PRIu64
            ", rejected %" PRIu64 "\n",
            rf_world_seq(play->world), report->folded, report->orphaned, report->stale, report->gaps,
            report->rejected_count);
}

static int fold_all(player *play, const replay_options *options) {
    rf_status status = RF_OK;
    while (status == RF_OK && player_next(play) && !goes_too_far(play, options)) {
        uint32_t rejected = play->report.rejected_len;
        status = player_fold(play);
        if (play->report.rejected_len > rejected && !options->quiet) tell_rejected(play, rejected, options);
    }
    return player_end(play, status);
}

// A log that begins with all there is at some seq does not say what was before.
static bool begins_later(const player *play, const replay_options *options, facts *of) {
    if (options->until == RF_SEQ_MAX || play->events > 0) return false;
    return facts_read(journal_text(&play->log), of) == RF_OK && of->form == FACTS_ALL &&
           of->seq.number > (double)options->until;
}

static int judge(const player *play, const replay_options *options) {
    const rf_report *report = &play->report;
    if (options->strict && (report->rejected_count > 0 || report->gaps > 0 || report->stale > 0)) return FAILED;
    if (report->rejected_count > 0 && report->folded == 0)
        return complain("replay", FAILED, "%s: nothing in it could be used", play->path);
    return DONE;
}

static int write_snapshot(output *out, const player *play, rf_by by) {
    rf_status status = snapshot_write(out, play->world, by);
    int code = output_close(out, "replay");
    return status == RF_OK ? code : complain("replay", FAILED, "%s", rf_status_message(status));
}

static int run(int argc, char **argv) {
    static const rf_by shapes[] = {RF_BY_ENTITY, RF_BY_COMPONENT, RF_BY_KIND};
    replay_options options;
    player play;
    output out;
    facts of;
    int code = read_options(argc, argv, &options);
    if (code != DONE) return code;
    output_open(&out);
    code = player_open(&play, "replay", options.file, &options.setup);
    if (code == DONE) {
        int wrote;
        code = fold_all(&play, &options);
        if (begins_later(&play, &options, &of)) {
            code = complain("replay", FAILED, "%s: this begins at seq %.0f; what was before is not in it", play.path,
                            of.seq.number);
            wrote = output_close(&out, "replay");
        } else {
            wrote = write_snapshot(&out, &play, shapes[options.by]);
            if (!options.quiet) tell_report(&play, &options);
            if (code == DONE) code = judge(&play, &options);
        }
        if (code == DONE) code = wrote;
    } else {
        output_close(&out, "replay");
    }
    player_close(&play);
    return code;
}

const command replay_command = {
    .name = "replay",
    .summary = "fold a log and print the state as JSON",
    .help =
        "usage: roomfold replay FILE|- [--rules FILE] [--schema FILE] [--room ID] [--until SEQ] [--by SHAPE]\n"
        "                       [--errors N] [--strict] [--quiet]\n\n"
        "Folds a log of events and prints the state it leads to on standard output, as one line of JSON:\n"
        "{id: components}. Numbers of f32 components are printed as the exact binary64 of the binary32.\n\n"
        "FILE holds JSON Lines of events or one array of them (docs/event-model.md), or packed frames (docs/cli.md),\n"
        "plain or .gz, or is the SQLite log of rooms; - is standard input. A log may be larger than memory, but an "
        "array\n"
        "may have 256 MB.\n\n"
        "  --rules FILE   what domain events do (docs/rules.md): a JSON file, or xr or doom, which are built in,\n"
        "                 or none: only create, update and delete. Without it: doom, which contains xr. Rules written\n"
        "                 in Elixir become a file by File.write!(\"rules.json\", Roomfold.Rules.to_json(rules))\n"
        "  --schema FILE  the components' types; without it the log's own (packed), or the default schema\n"
        "  --room ID      which room of an SQLite log; without it the only one, or a list of them\n"
        "  --until SEQ    the state at this seq: stops before the first event beyond it\n"
        "  --by SHAPE     entity: {id: components}; component: {name: {id: value}};\n"
        "                 kind: {kind + \"s\": [components with \"id\"]}. Without it: entity\n"
        "  --errors N     tell the first N events that were rejected (10; at most 1,000)\n"
        "  --strict       exit code 1 if anything was rejected, stale, or if a seq is missing\n"
        "  --quiet        no report\n\n"
        "The report is on standard error: what was rejected, by line and column, and the counts: seq, folded,\n"
        "orphaned (operations on entities that did not exist), stale, gaps, rejected. Exit codes: 0; 1 if the file\n"
        "could not be read to its end (what came before was folded and is printed), or nothing in it could be\n"
        "used; 2 wrong usage.",
    .run = run,
};
