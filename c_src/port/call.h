// call.h: runs a call: {operation, world's number, version, argument} -> {:ok, ...} or {:error, {reason, about,
// offset}}.
//
// In addition to the core's reasons there is `lost`: this process does not have the world, or has an older version of
// it. The caller then recreates the world from its checkpoint and changes.
#ifndef ROOMFOLD_PORT_CALL_H
#define ROOMFOLD_PORT_CALL_H

#include "frames.h"
#include "term.h"
#include "worlds.h"

typedef struct port_call {
    port_worlds *worlds;
    port_answer *out;
    uint64_t number, version;
    port_reader argument;
    port_world *world; // for operations that need one, at the requested version
    bool lost;         // the reason is `lost`
    rf_error error;    // details; the status is what the operation returns
} port_call;

// Puts the whole answer and returns RF_OK. With any other status, whatever it has put is dropped.
typedef rf_status port_operation(port_call *call);

// Runs the call in a frame. Puts exactly one answer, whatever the frame contains.
void port_run(port_worlds *worlds, rf_str term, uint32_t number, size_t limit, port_answer *out);

// --- for the operations

// The atom ok; the caller has put the tuple and puts the rest.
void port_put_ok(port_call *call);
// The `about` and `offset` of an error, or nil.
void port_put_about(port_answer *out, const char *about, size_t len);
void port_put_offset(port_answer *out, uint64_t offset);
// Reads a binary that contains a term, and checks the term.
bool port_read_inner(port_reader *reader, port_reader *out);

// Makes a world from the argument's {schema, rules | nil, limits}. seq: where it starts; PORT_OWN_SEQ: at the seq in
// the limits.
#define PORT_OWN_SEQ UINT64_MAX
rf_status port_read_world(port_call *call, uint64_t seq, rf_world **out);
// {:ok, version}, with the call's version.
rf_status port_put_version_of(port_call *call);

// Changes a world; can be repeated to recreate it. Folds fill the report.
typedef rf_status port_changing(port_world *world, port_reader *argument, rf_report *report, rf_error *error);

port_changing port_fold, port_apply_diff, port_load, port_apply_packed, port_load_packed, port_open_hits, port_mark;

typedef struct port_change {
    const char *name;
    port_changing *run;
    bool raises; // the version increases
} port_change;

// NULL: there is no change of this name.
const port_change *port_change_find(const char *name);
// {:ok, version, report}
rf_status port_change_run(port_call *call, const port_change *change);
// Repeats changes. argument: a list of {version, name, argument}; those below the world's version are skipped.
// {:ok, version}
port_operation port_world_replay;

port_operation port_ping, port_world_new, port_world_copy, port_world_free, port_world_info;
port_operation port_world_checkpoint, port_world_restore;
port_operation port_world_get, port_world_query, port_world_diff, port_world_snapshot;
port_operation port_world_encode, port_world_encode_packed, port_world_admit;
port_operation port_world_input_text, port_world_events_text;
port_operation port_hits_cast, port_hits_overlap;

#endif
