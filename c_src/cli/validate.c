// validate.c: the command validate: checks the events of a log.
#include "command.h"
#include "facts.h"
#include "offence.h"
#include "options.h"
#include "output.h"
#include "player.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

typedef struct validation {
    world_setup setup;
    uint64_t first; // rejections to print, at most
    const char *file;
    uint64_t offences;
    output out;
    player play;
} validation;

static int read_options(int argc, char **argv, validation *out) {
    const option known[] = {
        {"--rules", OPTION_TEXT, &out->setup.rules, NULL},
        {"--schema", OPTION_TEXT, &out->setup.schema, NULL},
        {"--first", OPTION_NUMBER, &out->first, NULL},
        {"--room", OPTION_TEXT, &out->setup.room, NULL},
    };
    int code = options_read("validate", argc, argv, known, sizeof known / sizeof *known, &out->file);
    if (code == DONE && !out->file)
        code = complain("validate", MISUSED, "a file is missing (- is standard input); see roomfold validate --help");
    if (out->first > RF_REPORT_MAX) out->first = RF_REPORT_MAX;
    return code;
}

static void tell(validation *v, place at, const char *what, rf_str about) {
    bool told = v->offences++ < v->first;
    if (!told) return;
    progress_end(&v->play.bar);
    output_format(&v->out, "%s:%" PRIu64 ":%" PRIu64 ": %s", v->file, at.line, at.column, what);
    if (about.len > 0) {
        output_text(&v->out, " (");
        output_bytes(&v->out, about);
        output_text(&v->out, ")");
    }
    output_text(&v->out, "\n");
}

static void tell_rejected(validation *v, uint32_t i) {
    const player *play = &v->play;
    offence why;
    if (v->offences >= v->first) {
        v->offences++;
        return;
    }
    offence_of(&play->report.rejected[i], journal_text(&play->log), play->log.event, play->schema, &why);
    tell(v, journal_place(&v->play.log, why.at), why.what, (rf_str){why.about, why.about_len});
}

static void check_stamps(validation *v, const facts *of, uint64_t before, bool gap, bool stale) {
    char about[64];
    if (gap || stale) {
        int len = snprintf(about, sizeof about, "%.0f after %" PRIu64, of->seq.number, before);
        tell(v, journal_place(&v->play.log, of->seq.offset),
             gap ? "seqs are missing before this one" : "this seq is not above the one before",
             (rf_str){about, (size_t)len});
    }
    if (of->at.state == FACT_WRONG)
        tell(v, journal_place(&v->play.log, of->at.offset), "at must be a number of milliseconds, below 2^53",
             (rf_str){0});
    if (of->by.state == FACT_WRONG)
        tell(v, journal_place(&v->play.log, of->by.offset), "by must be a string of 1 to 255 bytes", (rf_str){0});
}

// One wrong field can cause several rejections.
static bool same(const rf_rejection *a, const rf_rejection *b) {
    return a->status == b->status && a->offset == b->offset && a->about_len == b->about_len &&
           (a->about_len == 0 || memcmp(a->about, b->about, a->about_len) == 0);
}

static rf_status check_event(validation *v) {
    player *play = &v->play;
    rf_report before = play->report, *report = &play->report;
    uint64_t seq = rf_world_seq(play->world), hidden;
    facts of;
    rf_status status = facts_read(journal_text(&play->log), &of);
    if (status == RF_OK) status = player_fold(play);
    if (status != RF_OK) return status;
    for (uint32_t i = before.rejected_len; i < report->rejected_len; i++)
        if (i == before.rejected_len || !same(&report->rejected[i], &report->rejected[i - 1])) tell_rejected(v, i);
    // After the first 1,000, the report only counts.
    hidden = (report->rejected_count - before.rejected_count) - (report->rejected_len - before.rejected_len);
    v->offences += hidden;
    check_stamps(v, &of, seq, report->gaps > before.gaps && play->events > 1, report->stale > before.stale);
    return RF_OK;
}

static int run(int argc, char **argv) {
    validation v = {.first = 20};
    rf_status status = RF_OK;
    int code = read_options(argc, argv, &v), wrote;
    if (code != DONE) return code;
    output_open(&v.out);
    code = player_open(&v.play, "validate", v.file, &v.setup);
    if (code == DONE) {
        while (status == RF_OK && player_next(&v.play)) status = check_event(&v);
        if (v.offences > v.first) output_format(&v.out, "... and %" PRIu64 " more\n", v.offences - v.first);
        output_format(&v.out, "%s: %" PRIu64 " event%s, %" PRIu64 " offence%s\n", v.file, v.play.events,
                      v.play.events == 1 ? "" : "s", v.offences, v.offences == 1 ? "" : "s");
        code = player_end(&v.play, status);
        if (v.offences > 0) code = FAILED;
    }
    player_close(&v.play);
    wrote = output_close(&v.out, "validate");
    return code == DONE ? wrote : code;
}

const command validate_command = {
    .name = "validate",
    .summary = "check every event of a log against the event model",
    .help =
        "usage: roomfold validate FILE|- [--rules FILE] [--schema FILE] [--room ID] [--first N]\n\n"
        "Checks every event of a log against the event model (docs/event-model.md): JSON, names, ids, the components'\n"
        "types, what the rules say, seqs that neither repeat nor leave one out, at and by. Prints the first offences,\n"
        "one a line, as FILE:LINE:COLUMN: what is wrong; then how many there are. Columns are bytes, from 1.\n\n"
        "FILE holds JSON Lines of events or one array of them, or packed frames (docs/cli.md), plain or .gz, or is "
        "the\n"
        "SQLite log of rooms; - is standard input. Of the last two, the line is the event's number, and the column "
        "that\n"
        "in its JSON text (roomfold convert). A log may begin at any seq.\n\n"
        "  --rules FILE   what domain events do: a JSON file, or xr or doom, which are built in, or none: no domain\n"
        "                 events. Without it: doom, which contains xr. Rules written in Elixir become a file by\n"
        "                 File.write!(\"rules.json\", Roomfold.Rules.to_json(rules))\n"
        "  --schema FILE  the components' types; without it the log's own (packed), or the default schema\n"
        "  --room ID      which room of an SQLite log; without it the only one, or a list of them\n"
        "  --first N      tell the first N offences (20; at most 1,000)\n\n"
        "Exit codes: 0 no offence; 1 offences, or the file can't be read to its end; 2 wrong usage.",
    .run = run,
};
