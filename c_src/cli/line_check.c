#include "line_check.h"
#include "random_seed.h"

// After so many lines a world is made anew, so that its memory does not grow with the log.
#define LINES 65536

static void free_world(check_world *of) {
    rf_fold_free(of->fold);
    if (of->fold) rf_report_free(&of->report);
    rf_world_free(of->world);
    rf_schema_release(of->schema);
    *of = (check_world){0};
}

void line_check_free(line_check *check) {
    free_world(&check->usual);
    free_world(&check->any);
}

static rf_status start_anew(line_check *check, check_world *of) {
    rf_world_def def = rf_world_def_default();
    rf_status status = RF_OK;
    free_world(of);
    if (check->seed == 0) check->seed = random_seed();
    rf_report_init(&of->report, def.allocator);
    if (of == &check->usual)
        of->schema = rf_schema_retain(check->schema);
    else
        status = rf_schema_new(def.allocator, NULL, 0, &of->schema, NULL);
    def.schema = of->schema;
    def.hash_seed = check->seed;
    def.history = 1;
    def.max_value_bytes = UINT32_C(1) << 30;
    def.max_undeclared = 65536;
    if (status == RF_OK) status = rf_world_new(&def, &of->world);
    return status == RF_OK ? rf_fold_new(of->world, &of->report, &of->fold) : status;
}

static rf_status fold(check_world *of, journal *log) {
    rf_report_free(&of->report);
    return journal_fold(log, of->fold);
}

static rf_status fold_line(line_check *check, check_world *of, journal *log) {
    const rf_json_batch before = log->batch;
    rf_status status = of->fold && ++of->lines < LINES ? RF_OK : start_anew(check, of);
    if (status == RF_OK) status = fold(of, log);
    if (status != RF_OK || of->report.stale == 0) return status;
    // Of a stale event nothing is looked at; in an empty world none is.
    log->batch = before;
    status = start_anew(check, of);
    return status == RF_OK ? fold(of, log) : status;
}

// A domain event is known to the rules alone, and other worlds may have other limits.
static bool counts(const rf_rejection *entry, const changes *line) {
    switch (entry->status) {
    case RF_UNKNOWN_EVENT:
        return !line || line->form != LINE_DOMAIN;
    case RF_TOO_MANY_COMPONENTS:
    case RF_WORLD_FULL:
    case RF_TOO_LARGE:
        return false;
    default:
        return true;
    }
}

// The first rejection that counts, or NULL.
static const rf_rejection *first_of(const check_world *of, const changes *line) {
    for (uint32_t i = 0; i < of->report.rejected_len; i++)
        if (counts(&of->report.rejected[i], line)) return &of->report.rejected[i];
    return NULL;
}

rf_status line_check_next(line_check *check, journal *log, const changes *line, bool *found, offence *out) {
    const rf_json_batch before = log->batch;
    const rf_rejection *entry;
    rf_status status = fold_line(check, &check->usual, log);
    *found = status == RF_OK && first_of(&check->usual, line);
    if (!*found) return status;
    log->batch = before;
    status = fold_line(check, &check->any, log);
    entry = status == RF_OK ? first_of(&check->any, line) : NULL;
    *found = entry != NULL;
    if (entry) offence_of(entry, journal_text(log), log->event, check->any.schema, out);
    return status;
}
