// fold_port.c: folds a list of events, JSON text or a packed frame; loads packed snapshots and applies packed diffs.
#include "call.h"
#include "event_terms.h"

static rf_status fold_bytes(rf_fold *fold, rf_str bytes) {
    rf_status status = RF_OK;
    for (size_t i = 0; i < bytes.len && status == RF_OK; i++) status = rf_event_unreadable(fold, RF_NOT_AN_EVENT);
    return status;
}

static rf_status fold_list(rf_fold *fold, port_reader *reader) {
    rf_status status = RF_OK;
    rf_str bytes;
    int count;
    if (port_read_bytes(reader, &bytes)) return fold_bytes(fold, bytes); // a list of small integers
    if (!port_read_list(reader, &count)) return RF_INVALID_ARGUMENT;
    for (int i = 0; i < count && status == RF_OK; i++) status = port_event_fold(fold, reader);
    if (status != RF_OK || count == 0 || port_read_tail(reader)) return status;
    return rf_event_unreadable(fold, RF_NOT_AN_EVENT); // an improper tail is one more element
}

static rf_status fold_text(rf_fold *fold, rf_str text) {
    rf_json_batch batch = {.text = text};
    rf_status status = RF_OK;
    while (!batch.done && status == RF_OK) status = rf_fold_json(fold, &batch, SIZE_MAX);
    return status;
}

static rf_status fold_packed(rf_fold *fold, rf_str frame, bool plain, rf_error *error) {
    rf_packed_batch batch = {.frame = frame, .plain = plain};
    rf_status status = RF_OK;
    while (!batch.done && status == RF_OK) status = rf_fold_packed(fold, &batch, SIZE_MAX, error);
    return status;
}

static rf_status fold_input(rf_fold *fold, port_reader *input, rf_error *error) {
    port_reader events;
    rf_str bytes;
    if (port_read_this_atom(input, "json"))
        return port_read_binary(input, &bytes) ? fold_text(fold, bytes) : RF_INVALID_ARGUMENT;
    if (port_read_this_atom(input, "packed"))
        return port_read_binary(input, &bytes) ? fold_packed(fold, bytes, false, error) : RF_INVALID_ARGUMENT;
    if (port_read_this_atom(input, "plain"))
        return port_read_binary(input, &bytes) ? fold_packed(fold, bytes, true, error) : RF_INVALID_ARGUMENT;
    if (port_read_this_atom(input, "list") && port_read_inner(input, &events)) return fold_list(fold, &events);
    return RF_INVALID_ARGUMENT;
}

// argument: {:json, text}, {:packed, frame}, {:plain, frame} or {:list, events as a term in a binary}
rf_status port_fold(port_world *world, port_reader *argument, rf_report *report, rf_error *error) {
    rf_fold *fold = NULL;
    rf_status status;
    if (!port_read_tuple(argument, 2)) return RF_INVALID_ARGUMENT;
    status = rf_fold_new(world->world, report, &fold);
    if (status != RF_OK) return status;
    status = fold_input(fold, argument, error);
    rf_fold_free(fold);
    return status;
}

// A frame is checked and then applied completely, or not at all.
static rf_status take_frame(port_world *world, port_reader *argument, rf_error *error,
                            rf_status (*function)(rf_world *world, rf_str frame, rf_error *error)) {
    rf_str frame;
    rf_status status = RF_INVALID_ARGUMENT;
    if (port_read_binary(argument, &frame)) status = function(world->world, frame, error);
    return status;
}

rf_status port_apply_packed(port_world *world, port_reader *argument, rf_report *report, rf_error *error) {
    (void)report;
    return take_frame(world, argument, error, rf_apply_packed);
}

rf_status port_load_packed(port_world *world, port_reader *argument, rf_report *report, rf_error *error) {
    (void)report;
    return take_frame(world, argument, error, rf_load_packed);
}
