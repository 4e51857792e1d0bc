// event_terms.h: folds events that are Erlang terms, without copying them.
#ifndef ROOMFOLD_NIF_EVENT_TERMS_H
#define ROOMFOLD_NIF_EVENT_TERMS_H

#include "event_group.h"

// Caches the bytes of binaries by the term's machine word. Within a NIF call, equal words are the same term, and names
// in events are mostly literals, so this saves most calls of the VM.
#define NIF_SEEN 32

typedef struct nif_seen {
    ERL_NIF_TERM term; // 0, which is not a valid term: empty
    rf_str text;
} nif_seen;

// Domain events that only set numbers are read as fast as entity events. This caches their names:
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
    int64_t work;          // left on a normal scheduler (NIF_WORK)
    bool may_stop;         // running on a normal scheduler
    bool stopped;          // the work ran out in the middle of an event, which was not folded
    ERL_NIF_TERM empty_list;
    nif_seen seen[NIF_SEEN];
    nif_shapes payloads, components; // of entity events
    nif_kind kinds[NIF_KINDS];       // of domain events
    nif_group group;
} nif_events;

// Valid for one NIF call. world: the fold's.
void nif_events_start(nif_events *events, ErlNifEnv *env, rf_fold *fold, const rf_world *world);

// Folds the next events of a list, reporting elements that are not {name, payload}. *list becomes the rest of the list,
// and *done the number of events, 0 at the end. Pass the list as the previous call left it. If events->stopped is set,
// retry from *list with more work or on a dirty scheduler: its first event has not been folded, all before it have.
rf_status nif_events_fold_list(nif_events *events, ERL_NIF_TERM *list, uint32_t *done);
// Folds a create, update or delete. A delete ignores the components.
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

// An integer as a double; false for other terms and for integers beyond RF_EXACT_INTEGER_MAX.
bool nif_integer(ErlNifEnv *env, ERL_NIF_TERM term, double *out);

static inline bool nif_number(ErlNifEnv *env, ERL_NIF_TERM term, double *out) {
    return enif_get_double(env, term, out) || nif_integer(env, term, out);
}

#endif
