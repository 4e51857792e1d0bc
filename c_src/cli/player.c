#include "player.h"
#include "command.h"
#include "facts.h"

#include <string.h>

// A room's log does not name its rules, and wrong rules give a wrong world without an error. So this is printed.
static void tell_rules(const player *play) {
    complain(
        play->who, DONE,
        "%s: folded with the rules doom, as there is no --rules; its rooms may have had others: roomfold %s --help",
        play->path, play->who);
}

int player_open(player *play, const char *who, const char *path, const world_setup *setup) {
    rf_schema *schema = NULL, *own;
    int code;
    *play = (player){.who = who, .path = path};
    rf_report_init(&play->report, rf_allocator_default());
    code = world_setup_check(setup, who, path);
    if (code == DONE) code = world_setup_schema(setup, who, &schema);
    if (code == DONE) code = journal_open(&play->log, who, &(log_place){path, setup->room, schema});
    own = code == DONE && !setup->schema ? journal_schema(&play->log) : NULL;
    if (code == DONE) play->schema = rf_schema_retain(own ? own : schema);
    if (code == DONE) code = world_setup_make(setup, who, play->schema, &play->world);
    if (code == DONE && rf_fold_new(play->world, &play->report, &play->fold) != RF_OK)
        code = complain(who, FAILED, "there is not enough memory");
    if (code == DONE && play->log.database && !setup->rules) tell_rules(play);
    if (schema) rf_schema_release(schema);
    progress_start(&play->bar);
    return code;
}

void player_close(player *play) {
    journal_close(&play->log);
    rf_fold_free(play->fold);
    rf_report_free(&play->report);
    rf_world_free(play->world);
    rf_schema_release(play->schema);
}

bool player_next(player *play) {
    if (progress_due(&play->bar, play->events)) progress_show(&play->bar, play->events, input_share(play->log.from));
    if (journal_next(&play->log)) return true;
    progress_end(&play->bar);
    return false;
}

rf_status player_fold(player *play) {
    uint64_t gaps = play->report.gaps;
    bool first = play->events++ == 0;
    facts of = {0};
    rf_status status = first ? facts_read(journal_text(&play->log), &of) : RF_OK;
    if (status == RF_OK) status = journal_fold(&play->log, play->fold);
    // Before a first line that says all there is nothing is missing.
    if (first && of.form == FACTS_ALL) play->report.gaps = gaps;
    return status;
}

int player_end(player *play, rf_status status) {
    const char *error = journal_error(&play->log);
    progress_end(&play->bar);
    if (status != RF_OK) return complain(play->who, FAILED, "%s: %s", play->path, rf_status_message(status));
    if (!error) return DONE;
    return complain(play->who, FAILED, "%s: %s; what came before was used: %llu event%s", play->path, error,
                    (unsigned long long)play->events, play->events == 1 ? "" : "s");
}
