// fold_json.c: folds JSON text, JSON Lines or an array, a batch of events at a time.
#include <roomfold/fold.h>

#include "draft.h"
#include "event_json.h"

enum { MODE_UNKNOWN, MODE_LINES, MODE_ARRAY_FIRST, MODE_ARRAY };

// Reads a value of the text, which should be an event. False: it cannot be read; the scan has the error.
static bool read_event(rf_fold *fold, rf_scan *scan, rf_event_form *form) {
    const char *start = scan->at;
    rf_key_set_reset(&fold->keys);
    rf_arena_reset(&fold->arena);
    *form = RF_FORM_OTHER;
    if (*start == '{') *form = rf_template_read(fold, scan);
    if (*form != RF_FORM_OTHER) return true;
    if (!rf_event_json_read(fold, scan)) return false;
    if (*start != '{') return true;
    *form = fold->unusable == RF_INVALID_NAME ? RF_FORM_NAMELESS : RF_FORM_DRAFTED;
    fold->object = (rf_str){start, (size_t)(scan->at - start)};
    return true;
}

// Whether the current event, which began at `start`, is too large for this call (rf_json_batch.large).
static bool must_wait(const rf_fold *fold, rf_json_batch *batch, rf_scan *scan, const char *start, rf_event_form form) {
    if (form != RF_FORM_NAMELESS || batch->large == 0 || fold->object.len <= batch->large) return false;
    scan->at = start;
    batch->stopped = true;
    return true;
}

static rf_status finish_event(rf_fold *fold, rf_event_form form) {
    switch (form) {
    case RF_FORM_PLAIN:
        return rf_fold_entity(fold, &fold->plain.event);
    case RF_FORM_DRAFTED:
        return rf_event_end(fold);
    case RF_FORM_NAMELESS:
        return rf_fold_changes(fold, fold->object);
    case RF_FORM_OTHER:
        break;
    }
    return rf_event_unreadable(fold, RF_NOT_AN_EVENT);
}

static rf_status unreadable(rf_fold *fold, const rf_scan *scan) {
    if (fold->no_memory || scan->status == RF_NO_MEMORY) {
        fold->no_memory = false;
        return RF_NO_MEMORY;
    }
    rf_fold_unreadable(fold, scan->status, (uint64_t)(scan->error_at - scan->begin));
    fold->index++;
    return RF_OK;
}

// ---- JSON Lines ---------------------------------------------------------------------------------

// After a value there may only be white space up to the end of its line.
static bool end_of_line(rf_scan *scan) {
    while (scan->at < scan->end && (*scan->at == ' ' || *scan->at == '\t' || *scan->at == '\r')) scan->at++;
    return scan->at == scan->end || *scan->at == '\n' || rf_scan_unexpected(scan, scan->at);
}

static rf_status next_line(rf_fold *fold, rf_json_batch *batch, rf_scan *scan) {
    const char *start;
    rf_event_form form;
    rf_status status;
    rf_scan_space(scan);
    if (scan->at == scan->end) {
        batch->done = true;
        return RF_OK;
    }
    start = scan->at;
    if (read_event(fold, scan, &form) && end_of_line(scan)) {
        if (must_wait(fold, batch, scan, start, form)) return RF_OK;
        status = finish_event(fold, form);
    } else {
        const char *feed = memchr(start, '\n', (size_t)(scan->end - start));
        status = unreadable(fold, scan);
        scan->at = feed ? feed + 1 : scan->end;
    }
    return status;
}

// ---- an array -----------------------------------------------------------------------------------

static rf_status end_array(rf_fold *fold, rf_json_batch *batch, rf_scan *scan) {
    scan->at++;
    batch->done = true;
    rf_scan_space(scan);
    if (scan->at == scan->end) return RF_OK;
    rf_scan_unexpected(scan, scan->at);
    return unreadable(fold, scan);
}

static rf_status next_element(rf_fold *fold, rf_json_batch *batch, rf_scan *scan) {
    bool first = batch->mode == MODE_ARRAY_FIRST;
    const char *start = scan->at;
    rf_event_form form;
    rf_scan_space(scan);
    if (scan->at < scan->end && *scan->at == ']') return end_array(fold, batch, scan);
    if (!first && !rf_scan_expect(scan, ',')) goto broken;
    batch->mode = MODE_ARRAY;
    rf_scan_space(scan);
    if (scan->at >= scan->end) {
        rf_scan_unexpected(scan, scan->at);
        goto broken;
    }
    if (!read_event(fold, scan, &form)) goto broken;
    if (must_wait(fold, batch, scan, start, form)) {
        if (first) batch->mode = MODE_ARRAY_FIRST;
        return RF_OK;
    }
    return finish_event(fold, form);
broken:
    batch->done = true;
    return unreadable(fold, scan);
}

// ---- the batch ----------------------------------------------------------------------------------

rf_status rf_fold_json(rf_fold *fold, rf_json_batch *batch, size_t max_events) {
    const char *begin = batch->text.data ? batch->text.data : "";
    rf_scan scan = {.begin = begin, .at = begin + batch->at, .end = begin + batch->text.len};
    rf_status status = RF_OK;
    batch->stopped = false;
    if (batch->mode == MODE_UNKNOWN) {
        rf_scan_space(&scan);
        batch->mode = scan.at < scan.end && *scan.at == '[' ? MODE_ARRAY_FIRST : MODE_LINES;
        scan.at += batch->mode == MODE_ARRAY_FIRST;
    }
    for (size_t i = 0; i < max_events && !batch->done && !batch->stopped && status == RF_OK; i++) {
        scan.status = RF_OK;
        status = batch->mode == MODE_LINES ? next_line(fold, batch, &scan) : next_element(fold, batch, &scan);
    }
    batch->at = (size_t)(scan.at - begin);
    return status;
}
