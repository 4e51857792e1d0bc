// value_json.h: reads values from JSON text straight into the current draft: one pass, no tree. Values that nobody
// wants are checked and skipped. False, everywhere: the scan has the error; if memory ran out, fold->no_memory is set
// too.
#ifndef RF_CORE_VALUE_JSON_H
#define RF_CORE_VALUE_JSON_H

#include "draft.h"
#include "json/scan.h"

// Reads any value. depth: the open lists and maps around it, including the event.
bool rf_value_json_any(rf_fold *fold, rf_scan *scan, unsigned depth);
// Skips any value.
bool rf_value_json_skip(rf_fold *fold, rf_scan *scan, unsigned depth);
// Skips a number, checking only its form; for a room also that a term can hold it.
bool rf_value_json_skip_number(const rf_fold *fold, rf_scan *scan);
// Roughly the end of the value that starts at `at`: the next comma or bracket of the same level; NULL if there is none.
// In text that is not JSON the result can be anything.
const char *rf_value_json_end(const char *at, const char *end);

// Reads a key, without its colon; *start is where it begins.
bool rf_value_json_key(rf_fold *fold, rf_scan *scan, rf_str *key, const char **start);
// Registers a key that began at `start`; fails if it is a duplicate.
bool rf_value_json_add_key(rf_fold *fold, rf_scan *scan, rf_str key, const char *start);

// The parts of rf_value_json_read, which is inline because most values of an event are read by it.
bool rf_value_json_numbers(rf_fold *fold, rf_scan *scan, unsigned count, unsigned depth);
bool rf_value_json_scalar(rf_fold *fold, rf_scan *scan);

static inline bool rf_value_json_string(rf_fold *fold, rf_scan *scan, rf_str *out) {
    if (rf_scan_string(scan, &fold->arena, out)) return true;
    if (scan->status == RF_NO_MEMORY) fold->no_memory = true;
    return false;
}

// Reads a value that is usually of the form that is wanted.
static inline bool rf_value_json_read(rf_fold *fold, rf_scan *scan, rf_want want, unsigned depth) {
    rf_str string;
    rf_scan_space(scan);
    if (want.kind == RF_WANT_NUMBERS) return rf_value_json_numbers(fold, scan, want.count, depth);
    if (scan->at >= scan->end || *scan->at == '{' || *scan->at == '[') return rf_value_json_any(fold, scan, depth);
    if (*scan->at == '"') {
        if (!rf_value_json_string(fold, scan, &string)) return false;
        if (fold->current) rf_draft_string(fold, string);
        return true;
    }
    if (!fold->current && (unsigned)(*scan->at - '1') < 9) return rf_value_json_skip_number(fold, scan);
    return rf_value_json_scalar(fold, scan);
}

#endif
