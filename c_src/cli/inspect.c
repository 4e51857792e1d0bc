// inspect.c: the command inspect: statistics of a log.
#include "inspection.h"

#include "command.h"
#include "options.h"
#include "player.h"

static int read_options(int argc, char **argv, world_setup *setup, bool *json, const char **file) {
    const option known[] = {
        {"--rules", OPTION_TEXT, &setup->rules, NULL},
        {"--schema", OPTION_TEXT, &setup->schema, NULL},
        {"--json", OPTION_FLAG, json, NULL},
        {"--room", OPTION_TEXT, &setup->room, NULL},
    };
    int code = options_read("inspect", argc, argv, known, sizeof known / sizeof *known, file);
    if (code == DONE && !*file)
        code = complain("inspect", MISUSED, "a file is missing (- is standard input); see roomfold inspect --help");
    return code;
}

static rf_status look_at(inspection *in, player *play, facts *of) {
    rf_status status = facts_read(journal_text(&play->log), of);
    if (status == RF_OK) status = player_fold(play);
    if (status == RF_OK) status = inspection_add(in, of, rf_world_seq(play->world), rf_world_count(play->world));
    return status;
}

static int print(inspection *in, const player *play, bool json) {
    output out;
    rf_status status = inspection_end(in, play->world);
    int code;
    if (status != RF_OK) return complain("inspect", FAILED, "%s", rf_status_message(status));
    output_open(&out);
    if (json)
        inspection_json(&out, in, &play->report);
    else
        inspection_table(&out, in, &play->report, play->path);
    code = output_close(&out, "inspect");
    return code;
}

static int run(int argc, char **argv) {
    static inspection in; // large
    world_setup setup = {0};
    const char *file = NULL;
    bool json = false;
    player play;
    facts of;
    int code = read_options(argc, argv, &setup, &json, &file), printed;
    if (code != DONE) return code;
    inspection_start(&in);
    code = player_open(&play, "inspect", file, &setup);
    if (code == DONE) {
        rf_status status = RF_OK;
        while (status == RF_OK && player_next(&play)) status = look_at(&in, &play, &of);
        code = player_end(&play, status);
        if (code == DONE && in.events > 0 && in.unreadable == in.events)
            code = complain("inspect", FAILED, "%s: nothing in it could be used", play.path);
        printed = print(&in, &play, json);
        if (code == DONE) code = printed;
    }
    inspection_free(&in);
    player_close(&play);
    return code;
}

const command inspect_command = {
    .name = "inspect",
    .summary = "say what is in a log: events by name, by producer and over time",
    .help = "usage: roomfold inspect FILE|- [--json] [--rules FILE] [--schema FILE] [--room ID]\n\n"
            "Says what is in a log: its seqs and times; events by name and by producer (the key \"by\"); events per "
            "second\n"
            "and entities over time; entities by kind at the end.\n\n"
            "FILE holds JSON Lines of events or one array of them, or packed frames (docs/cli.md), plain or .gz, or is "
            "the\n"
            "SQLite log of rooms; - is standard input.\n\n"
            "  --json         one JSON object, with up to 1,024 slices of time; else a table, with up to 16\n"
            "  --rules FILE   what domain events do: a JSON file, or xr or doom, which are built in, or none. Without\n"
            "                 it: doom, which contains xr. Rules written in Elixir become a file by\n"
            "                 File.write!(\"rules.json\", Roomfold.Rules.to_json(rules))\n"
            "  --schema FILE  the components' types; without it the log's own (packed), or the default schema\n"
            "  --room ID      which room of an SQLite log; without it the only one, or a list of them\n\n"
            "Exit codes: 0; 1 if the file can't be read to its end (what came before is told), or nothing in it is an "
            "event;\n"
            "2 wrong usage.",
    .run = run,
};
