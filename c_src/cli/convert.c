// convert.c: the command convert: rewrites a log in another form.
#include "command.h"
#include "facts.h"
#include "journal.h"
#include "line_check.h"
#include "options.h"
#include "packed_writer.h"
#include "progress.h"
#include "shape_writer.h"
#include "world_setup.h"

#include <inttypes.h>
#include <string.h>
#include <unistd.h>

// The target of a conversion: a shape of lines, or packed frames.
enum { TO_PACKED = SHAPE_KIND + 1 };

typedef struct conversion {
    shape_writer writer;
    int from, to; // from: the shape plus one; 0: each line's own
    world_setup setup;
    const char *file;
    uint64_t lines, domain, whole; // whole: lines that say all there is, and became changes
    changes line;
    output out;
    output events; // the events of one line, to be packed
    packed_writer packed;
    rf_schema *schema;
    journal log;
    line_check check;
    bool more; // the journal is at a line that has not been converted
    progress bar;
} conversion;

static int read_options(int argc, char **argv, conversion *c) {
    static const char *const from[] = {"auto", "events", "component", "kind", "packed", NULL};
    int code;
    const option known[] = {
        {"--from", OPTION_CHOICE, &c->from, from},          {"--to", OPTION_CHOICE, &c->to, from + 1},
        {"--create", OPTION_FLAG, &c->writer.create, NULL}, {"--lossless", OPTION_FLAG, &c->writer.lossless, NULL},
        {"--schema", OPTION_TEXT, &c->setup.schema, NULL},  {"--room", OPTION_TEXT, &c->setup.room, NULL},
    };
    static const shape shapes[] = {SHAPE_EVENTS, SHAPE_COMPONENT, SHAPE_KIND, SHAPE_EVENTS};
    c->to = -1;
    code = options_read("convert", argc, argv, known, sizeof known / sizeof *known, &c->file);
    if (code != DONE) return code;
    if (!c->file)
        return complain("convert", MISUSED, "a file is missing (- is standard input); see roomfold convert --help");
    if (c->to < 0) return complain("convert", MISUSED, "--to is needed: events, component, kind or packed");
    c->writer.to = shapes[c->to];
    if (c->to == TO_PACKED && isatty(STDOUT_FILENO) == 1)
        return complain("convert", MISUSED, "--to packed: frames are bytes, for a file or a pipe, not for a terminal");
    return DONE;
}

static int refuse(conversion *c, const offence *why) {
    place where = journal_place(&c->log, why->at);
    progress_end(&c->bar);
    return complain("convert", FAILED, "%s:%" PRIu64 ":%" PRIu64 ": %s%s%.*s%s", c->file, where.line, where.column,
                    why->what, why->about_len > 0 ? " (" : "", (int)why->about_len, why->about,
                    why->about_len > 0 ? ")" : "");
}

static int refuse_for(conversion *c, const rf_error *error, size_t at) {
    offence why;
    offence_of_error(error, at, &why);
    return refuse(c, &why);
}

static int out_of_memory(void) {
    return complain("convert", FAILED, "%s", rf_status_message(RF_NO_MEMORY));
}

// A line that only deletes is of either shape of several entities.
static bool has_form(const conversion *c) {
    if (c->log.begins && c->lines == 0) return true;
    if (c->from == 0 || c->from == TO_PACKED + 1) return true;
    switch (c->line.form) {
    case LINE_ENTITY:
    case LINE_DOMAIN:
        return c->from == 1;
    case LINE_COMPONENT:
        return c->from == 2;
    case LINE_KIND:
        return c->from == 3 || (c->from == 2 && c->line.set.count == 0);
    }
    return false;
}

static int pack(conversion *c, rf_str event, bool whole_line) {
    rf_error error;
    if (packed_writer_add(&c->packed, event, &error) == RF_OK) return DONE;
    return refuse_for(c, &error, whole_line && error.offset < event.len ? (size_t)error.offset : 0);
}

// A line of another shape is converted to events first.
static int pack_line(conversion *c) {
    int code = DONE;
    if (c->line.form == LINE_ENTITY || c->line.form == LINE_DOMAIN) return pack(c, c->line.line, true);
    c->events.len = 0;
    if (shape_write(&c->writer, &c->events, &c->line) != RF_OK || c->events.error) return out_of_memory();
    for (size_t at = 0, end; at < c->events.len && code == DONE; at = end + 1) {
        const char *line = c->events.data + at;
        end = at + (size_t)((const char *)memchr(line, '\n', c->events.len - at) - line);
        code = pack(c, (rf_str){line, end - at}, false);
    }
    return code;
}

static int write_line(conversion *c) {
    if (c->to == TO_PACKED) return pack_line(c);
    return shape_write(&c->writer, &c->out, &c->line) == RF_OK ? DONE : out_of_memory();
}

// Reads the line if any fold takes it.
static int read_line(conversion *c) {
    offence why = {.at = 0};
    bool fine = changes_read(&c->line, journal_text(&c->log)), found;
    if (line_check_next(&c->check, &c->log, fine ? &c->line : NULL, &found, &why) != RF_OK) return out_of_memory();
    if (found) return refuse(c, &why);
    if (!fine) {
        why = (offence){.at = c->line.error_at, .what = c->line.error};
        return refuse(c, &why);
    }
    return has_form(c) ? DONE : refuse(c, &(offence){.what = "this line is of another shape than --from says"});
}

static int convert_line(conversion *c) {
    int code = read_line(c);
    if (code != DONE) return code;
    c->lines++;
    c->domain += c->line.form == LINE_DOMAIN;
    c->whole += c->line.all && !c->writer.create;
    code = write_line(c);
    return code == DONE && c->out.error ? FAILED : code;
}

// Of lines, the first may say all there is.
static int find_begin(conversion *c, bool *found) {
    facts of;
    rf_status status;
    *found = c->log.begins;
    if (c->log.begins || c->writer.create) return DONE;
    status = facts_read(journal_text(&c->log), &of);
    *found = status == RF_OK && of.form == FACTS_ALL;
    return status == RF_OK ? DONE : out_of_memory();
}

static int read_begin(conversion *c, rf_str *begin) {
    bool found;
    int code = find_begin(c, &found);
    if (code != DONE || !found) return code;
    code = read_line(c);
    *begin = c->line.line;
    return code;
}

// Writes the snapshot that a log starts from. Events could not replace it, since they would take seqs; so the line is
// kept, and in packed form it is a snapshot.
static int write_begin(conversion *c) {
    rf_str begin = {0};
    rf_schema *own = c->setup.schema ? NULL : journal_schema(&c->log);
    rf_schema *schema = own ? own : c->schema;
    rf_status status;
    offence why;
    int code = DONE;
    c->check.schema = schema;
    c->more = journal_next(&c->log);
    if (c->more) code = read_begin(c, &begin);
    if (code != DONE) return code;
    if (c->to == TO_PACKED) {
        status = packed_writer_open(&c->packed, &c->out, schema, begin, &why);
        if (status != RF_OK && why.what) return refuse(c, &why);
        if (status != RF_OK) return complain("convert", FAILED, "%s: %s", c->file, rf_status_message(status));
    } else if (begin.len > 0) {
        shape_copy(&c->out, &c->line);
    }
    if (begin.len > 0) c->more = journal_next(&c->log);
    return DONE;
}

static int open_all(conversion *c) {
    int code = world_setup_check(&c->setup, "convert", c->file);
    if (code == DONE) code = world_setup_schema(&c->setup, "convert", &c->schema);
    if (code == DONE) code = journal_open(&c->log, "convert", &(log_place){c->file, c->setup.room, c->schema});
    if (code == DONE && c->from == TO_PACKED + 1 && !c->log.packed)
        code = complain("convert", FAILED, "%s: this is not a log of packed frames", c->file);
    return code == DONE ? write_begin(c) : code;
}

static int convert_all(conversion *c) {
    int code = open_all(c);
    rf_status status;
    progress_start(&c->bar);
    while (code == DONE && c->more) {
        if (progress_due(&c->bar, c->lines)) progress_show(&c->bar, c->lines, input_share(c->log.from));
        code = convert_line(c);
        c->more = code == DONE && journal_next(&c->log);
    }
    progress_end(&c->bar);
    if (code == DONE && journal_error(&c->log))
        code = complain("convert", FAILED, "%s: %s; what came before was converted: %" PRIu64 " lines", c->file,
                        journal_error(&c->log), c->lines);
    status = c->packed.packer ? packed_writer_end(&c->packed) : RF_OK;
    if (code == DONE && status != RF_OK) code = complain("convert", FAILED, "%s", rf_status_message(status));
    if (code == DONE && c->domain > 0 && c->writer.to != SHAPE_EVENTS)
        complain("convert", DONE, "%" PRIu64 " domain event%s stayed %s", c->domain, c->domain == 1 ? "" : "s",
                 c->domain == 1 ? "an event" : "events");
    if (code == DONE && c->whole > 0)
        complain("convert", DONE, "%" PRIu64 " line%s of all there is became changes, which delete nothing", c->whole,
                 c->whole == 1 ? "" : "s");
    return code;
}

static int run(int argc, char **argv) {
    conversion c = {0};
    int code = read_options(argc, argv, &c), wrote;
    if (code != DONE) return code;
    output_open(&c.out);
    output_keep(&c.events);
    code = convert_all(&c);
    wrote = output_close(&c.out, "convert");
    line_check_free(&c.check);
    journal_close(&c.log);
    changes_free(&c.line);
    packed_writer_close(&c.packed);
    output_free(&c.events);
    if (c.schema) rf_schema_release(c.schema);
    return code == DONE ? wrote : code;
}

const command convert_command = {
    .name = "convert",
    .summary = "rewrite a log: events, component first, by kind, packed",
    .help = "usage: roomfold convert FILE|- --to SHAPE [--from SHAPE] [--create] [--lossless] [--schema FILE] [--room "
            "ID]\n\n"
            "Rewrites a log in another shape, JSON Lines a line at a time (docs/event-model.md):\n\n"
            "  events     {\"event\": \"update\", \"entity_id\": id, \"components\": {name: value}}\n"
            "  component  {name: {id: value}}\n"
            "  kind       {kind + \"s\": [components with \"id\"], \"deleted\": [id]}\n"
            "  packed     frames of events, each behind its length (docs/cli.md): a half to a third of the bytes\n\n"
            "FILE may be plain or .gz, or the SQLite log of rooms; - is standard input; an array of such objects is "
            "read too.\n"
            "What a log and a line is shows by itself: an event has a name, maps under the keys mean component, lists "
            "mean\n"
            "kind. Values keep their text; packed, components have the types of the schema. Domain events stay events, "
            "as it\n"
            "takes rules to say what they do. What is deleted stands under \"deleted\", by component too. An entity "
            "whose kind\n"
            "a line does not set stands under \"others\".\n\n"
            "  --to SHAPE     events, component, kind or packed\n"
            "  --from SHAPE   refuse logs and lines of other shapes; auto, the default, takes all\n"
            "  --create       where lines become events: create, not update\n"
            "  --lossless     by component and by kind also seq, at and by of the event, so that\n"
            "                 converting back gives the same log\n"
            "  --schema FILE  of what is packed; without it the log's own, or the default schema\n"
            "  --room ID      which room of an SQLite log; without it the only one, or a list of them\n\n"
            "The first line that no fold takes, whatever its rules and its schema, ends it. Exit codes: 0; 1 failed; 2 "
            "wrong "
            "usage.",
    .run = run,
};
