#include "command.h"
#include "journal.h"
#include "options.h"
#include "progress.h"
#include "shape_writer.h"

#include <inttypes.h>

typedef struct conversion {
    shape_writer writer;
    int from; // 0: whatever a line is; else the shape plus one
    const char *file;
    uint64_t lines, domain;
    changes line;
    output out;
    journal log;
    progress bar;
} conversion;

static int read_options(int argc, char **argv, conversion *c) {
    static const char *const from[] = {"auto", "events", "component", "kind", NULL};
    int to = -1, code;
    const option known[] = {
        {"--from", OPTION_CHOICE, &c->from, from},
        {"--to", OPTION_CHOICE, &to, from + 1},
        {"--create", OPTION_FLAG, &c->writer.create, NULL},
        {"--lossless", OPTION_FLAG, &c->writer.lossless, NULL},
    };
    static const shape shapes[] = {SHAPE_EVENTS, SHAPE_COMPONENT, SHAPE_KIND};
    code = options_read("convert", argc, argv, known, sizeof known / sizeof *known, &c->file);
    if (code != DONE) return code;
    if (!c->file)
        return complain("convert", MISUSED, "a file is missing (- is standard input); see roomfold convert --help");
    if (to < 0) return complain("convert", MISUSED, "--to is needed: events, component or kind");
    c->writer.to = shapes[to];
    return DONE;
}

static int refuse(conversion *c, size_t at, const char *what, const char *about) {
    place where = journal_place(&c->log, at);
    progress_end(&c->bar);
    return complain("convert", FAILED, "%s:%" PRIu64 ":%" PRIu64 ": %s%s%s%s", c->file, where.line, where.column, what,
                    *about ? " (" : "", about, *about ? ")" : "");
}

// Of a line without lists and maps, {} for one, the shape does not show.
static bool has_form(const conversion *c) {
    switch (c->line.form) {
    case LINE_ENTITY:
    case LINE_DOMAIN:
        return c->from <= 1;
    case LINE_COMPONENT:
        return c->from == 0 || c->from == 2;
    case LINE_KIND:
        return c->from == 0 || c->from == 3 || (c->from == 2 && c->line.set.count == 0);
    }
    return false;
}

static int convert_line(conversion *c) {
    size_t at = 0;
    if (!changes_read(&c->line, journal_text(&c->log)))
        return refuse(c, c->line.error_at, c->line.error, c->line.about);
    if (!journal_skip(&c->log, c->line.line.len, &at)) return refuse(c, at, rf_status_message(RF_UNEXPECTED_BYTE), "");
    if (!has_form(c)) return refuse(c, 0, "this line is of another shape than --from says", "");
    c->lines++;
    c->domain += c->line.form == LINE_DOMAIN;
    if (shape_write(&c->writer, &c->out, &c->line) != RF_OK)
        return complain("convert", FAILED, "%s", rf_status_message(RF_NO_MEMORY));
    return c->out.error ? FAILED : DONE;
}

static int convert_all(conversion *c) {
    int code = journal_open(&c->log, "convert", c->file);
    progress_start(&c->bar);
    while (code == DONE && journal_next(&c->log)) {
        if (progress_due(&c->bar, c->lines)) progress_show(&c->bar, c->lines, input_share(c->log.from));
        code = convert_line(c);
    }
    progress_end(&c->bar);
    if (code == DONE && journal_error(&c->log))
        code = complain("convert", FAILED, "%s: %s; what came before was converted: %" PRIu64 " lines", c->file,
                        journal_error(&c->log), c->lines);
    if (code == DONE && c->domain > 0 && c->writer.to != SHAPE_EVENTS)
        complain("convert", DONE, "%" PRIu64 " domain events stayed events", c->domain);
    return code;
}

static int run(int argc, char **argv) {
    conversion c = {0};
    int code = read_options(argc, argv, &c), wrote;
    if (code != DONE) return code;
    output_open(&c.out);
    code = convert_all(&c);
    wrote = output_close(&c.out, "convert");
    journal_close(&c.log);
    changes_free(&c.line);
    return code == DONE ? wrote : code;
}

const command convert_command = {
    .name = "convert",
    .summary = "rewrite a log: events, component first, by kind",
    .help =
        "usage: roomfold convert FILE|- --to SHAPE [--from SHAPE] [--create] [--lossless]\n\n"
        "Rewrites JSON Lines, a line at a time, in another shape (docs/event-model.md):\n\n"
        "  events     {\"event\": \"update\", \"entity_id\": id, \"components\": {name: value}}\n"
        "  component  {name: {id: value}}\n"
        "  kind       {kind + \"s\": [components with \"id\"], \"deleted\": [id]}\n\n"
        "FILE may be plain or .gz; - is standard input; an array of such objects is read too. What a line is shows by\n"
        "itself: an event has a name, maps under the keys mean component, lists mean kind. Values keep their text.\n"
        "Domain events stay events, as it takes rules to say what they do. What is deleted stands under \"deleted\",\n"
        "by component too. An entity whose kind a line does not set stands under \"others\".\n\n"
        "  --to SHAPE     events, component or kind\n"
        "  --from SHAPE   refuse lines of other shapes; auto, the default, takes all\n"
        "  --create       where lines become events: create, not update\n"
        "  --lossless     by component and by kind also seq, at and by of the event, so that\n"
        "                 converting back gives the same log\n\n"
        "The first line that can't be read ends it. Exit codes: 0; 1 failed; 2 wrong usage.",
    .run = run,
};
