// change.c: changes of a world: made by a call, and repeated when a lost world is recreated.
#include "call.h"

#include <string.h>

static const port_change changes[] = {
    {"fold", port_fold, true},
    {"apply_diff", port_apply_diff, true},
    {"load", port_load, true},
    {"apply_packed", port_apply_packed, true},
    {"load_packed", port_load_packed, true},
    {"open_hits", port_open_hits, false},
    {"mark", port_mark, false},
};

const port_change *port_change_find(const char *name) {
    for (size_t i = 0; i < sizeof changes / sizeof *changes; i++)
        if (strcmp(changes[i].name, name) == 0) return &changes[i];
    return NULL;
}

// {folded, orphaned, stale, gaps, rejected_count, [{index, reason, about, offset}]}
static void put_report(port_answer *out, const rf_report *report) {
    size_t mark;
    port_put_tuple(out, 6);
    port_put_uint(out, report->folded);
    port_put_uint(out, report->orphaned);
    port_put_uint(out, report->stale);
    port_put_uint(out, report->gaps);
    port_put_uint(out, report->rejected_count);
    mark = port_begin(out);
    for (uint32_t i = 0; i < report->rejected_len; i++) {
        const rf_rejection *rejection = &report->rejected[i];
        port_put_tuple(out, 4);
        port_put_uint(out, rejection->index);
        port_put_atom(out, rf_status_name(rejection->status));
        if (rejection->about)
            port_put_binary(out, (rf_str){rejection->about, rejection->about_len});
        else
            port_put_atom(out, "nil");
        port_put_offset(out, rejection->offset);
    }
    port_end_list(out, mark, report->rejected_len);
}

// If memory runs out halfway, the world's state is unknown: it is removed, to be recreated.
static rf_status apply(port_worlds *worlds, port_world *world, const port_change *change, port_reader *argument,
                       rf_report *report, rf_error *error) {
    rf_status status = change->run(world, argument, report, error);
    if (status == RF_OK && change->raises) port_worlds_raise(worlds, world);
    if (status == RF_NO_MEMORY) port_worlds_remove(worlds, world->number);
    return status;
}

rf_status port_change_run(port_call *call, const port_change *change) {
    rf_report report;
    rf_status status;
    rf_report_init(&report, rf_allocator_default());
    status = apply(call->worlds, call->world, change, &call->argument, &report, &call->error);
    if (status == RF_OK) {
        port_put_tuple(call->out, 3);
        port_put_ok(call);
        port_put_uint(call->out, call->world->version);
        put_report(call->out, &report);
        // Without an answer the caller does not know of the change: the world is recreated without it.
        if (call->out->status != RF_OK) port_worlds_remove(call->worlds, call->number);
    }
    rf_report_free(&report);
    return status;
}

// Repeats {version, name, argument}, and moves past it.
static rf_status again(port_call *call, port_reader *reader) {
    port_reader next = *reader, argument;
    char name[PORT_ATOM_MAX + 1];
    const port_change *change;
    uint64_t version;
    rf_report report;
    rf_status status = RF_OK;
    if (!port_read_tuple(&next, 3) || !port_read_uint(&next, &version) || !port_read_atom(&next, name) ||
        !(change = port_change_find(name)))
        return RF_INVALID_ARGUMENT;
    argument = next;
    port_skip(reader);
    call->lost = call->world->version < version;
    if (call->lost) return RF_FOLDED_ON;
    if (call->world->version > version) return RF_OK;
    rf_report_init(&report, rf_allocator_default());
    status = apply(call->worlds, call->world, change, &argument, &report, &call->error);
    rf_report_free(&report);
    return status;
}

rf_status port_world_replay(port_call *call) {
    port_reader reader = call->argument;
    rf_status status = RF_OK;
    int count;
    if (!port_read_list(&reader, &count)) return RF_INVALID_ARGUMENT;
    call->world = port_worlds_find(call->worlds, call->number);
    call->lost = !call->world;
    if (call->lost) return RF_FOLDED_ON;
    for (int i = 0; i < count && status == RF_OK; i++) status = again(call, &reader);
    if (status != RF_OK) return status;
    port_put_tuple(call->out, 2);
    port_put_ok(call);
    port_put_uint(call->out, call->world->version);
    return RF_OK;
}
