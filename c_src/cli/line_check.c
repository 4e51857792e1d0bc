#include "line_check.h"

// After so many lines it starts with an empty world, so that its memory does not grow with the log.
#define LINES 65536

static rf_status make_world(line_check *check) {
    rf_world_def def = rf_world_def_default();
    rf_status status = rf_schema_new(def.allocator, NULL, 0, &check->schema, NULL);
    def.schema = check->schema;
    def.history = 1;
    def.max_value_bytes = UINT32_C(1) << 30;
    def.max_undeclared = 65536;
    return status == RF_OK ? rf_world_new(&def, &check->world) : status;
}

void line_check_free(line_check *check) {
    rf_fold_free(check->fold);
    if (check->fold) rf_report_free(&check->report);
    rf_world_free(check->world);
    rf_schema_release(check->schema);
    *check = (line_check){0};
}

static rf_status start_anew(line_check *check) {
    rf_status status;
    line_check_free(check);
    rf_report_init(&check->report, rf_allocator_default());
    status = make_world(check);
    return status == RF_OK ? rf_fold_new(check->world, &check->report, &check->fold) : status;
}

static rf_status fold(line_check *check, journal *log) {
    rf_report_free(&check->report);
    return journal_fold(log, check->fold);
}

rf_status line_check_fold(line_check *check, journal *log) {
    const rf_json_batch before = log->batch;
    rf_status status = check->fold && ++check->lines < LINES ? RF_OK : start_anew(check);
    if (status == RF_OK) status = fold(check, log);
    if (status != RF_OK || check->report.stale == 0) return status;
    // Of a stale event nothing is looked at; in an empty world none is.
    log->batch = before;
    status = start_anew(check);
    return status == RF_OK ? fold(check, log) : status;
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

bool line_check_offence(const line_check *check, const journal *log, const changes *line, offence *out) {
    for (uint32_t i = 0; i < check->report.rejected_len; i++) {
        const rf_rejection *entry = &check->report.rejected[i];
        if (!counts(entry, line)) continue;
        offence_of(entry, journal_text(log), log->event, check->schema, out);
        return true;
    }
    return false;
}
