// event_terms.h: folds events that are Erlang terms, without copying them.
#ifndef ROOMFOLD_NIF_EVENT_TERMS_H
#define ROOMFOLD_NIF_EVENT_TERMS_H

#include "event_group.h"

// Recently seen binaries by the term's own word. Within one NIF call the same word is the same term, and names in
// events are mostly literals: so the bytes need not be asked for again.
#define NIF_SEEN 32

typedef struct nif_seen {
    ERL_NIF_TERM term; // 0: empty, which is no term
    rf_str text;
} nif_seen;

// Domain events that only set numbers are read as quickly as entity events are. Recently seen names of events:
#define NIF_KINDS 16

typedef struct nif_kind {
    rf_str name; // data NULL: empty
    bool plain;  // it only sets numbers
    nif_shapes payloads;
} nif_kind;

typedef struct nif_events {
    ErlNifEnv *env;
    rf_fold *fold;
    const rf_schema *schema;
    const rf_rules *rules; // or NULL
    int64_t work;          // what may still be done on a normal scheduler (NIF_WORK)
    bool may_stop;         // on a normal scheduler
    bool stopped;          // an event was given up half way, and nothing of it was folded
    ERL_NIF_TERM empty_list;
    nif_seen seen[NIF_SEEN];
    nif_shapes payloads, components; // of entity events
    nif_kind kinds[NIF_KINDS];       // of the others
    nif_group group;
} nif_events;

// For one NIF call; the world is the fold's.
void nif_events_start(nif_events *events, ErlNifEnv *env, rf_fold *fold, const rf_world *world);

// Folds the next events of a list, {name, payload} each, or reports what one is instead; *list is behind them then, and
// *done how many they were: 0 at its end. The list must be the one the call before left. If events->stopped is set then
// the event that *list begins with (all before it are done) is to be tried again, with more work to spend or on a dirty
// scheduler.
rf_status nif_events_fold_list(nif_events *events, ERL_NIF_TERM *list, uint32_t *done);
// Folds a create, update or delete (which does not look at the components).
rf_status nif_events_fold_entity(nif_events *events, rf_entity_op op, rf_str id, ERL_NIF_TERM components);

// ---- for event_group.c ------------------------------------------------------------------------------

// The bytes of a name or key; false if it is not a binary.
static inline bool nif_events_name(nif_events *events, ERL_NIF_TERM term, rf_str *out) {
    nif_seen *seen = &events->seen[(term >> 3) % NIF_SEEN];
    rf_str text;
    if (seen->term == term) {
        *out = seen->text;
        return true;
    }
    if (!nif_bytes(events->env, term, &text)) return false;
    seen->term = term;
    seen->text = text;
    *out = text;
    return true;
}

// An integer as a number; false for any other term, and for integers that a number can't hold.
bool nif_integer(ErlNifEnv *env, ERL_NIF_TERM term, double *out);

static inline bool nif_number(ErlNifEnv *env, ERL_NIF_TERM term, double *out) {
    return enif_get_double(env, term, out) || nif_integer(env, term, out);
}

#endif
