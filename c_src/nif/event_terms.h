// event_terms.h: folds events that are Erlang terms, without copying them.
#ifndef ROOMFOLD_NIF_EVENT_TERMS_H
#define ROOMFOLD_NIF_EVENT_TERMS_H

#include "map_shape.h"

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

// Events that are read but not folded yet: the core takes several at a time.
#define NIF_PENDING 16
#define NIF_PENDING_COMPONENTS (4 * NIF_PENDING)
#define NIF_PENDING_NUMBERS (16 * NIF_PENDING)

typedef struct nif_pending {
    uint32_t events_len, components_len, numbers_len;
    rf_entity_event events[NIF_PENDING];
    rf_numbers components[NIF_PENDING_COMPONENTS];
    double numbers[NIF_PENDING_NUMBERS];
} nif_pending;

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
    nif_pending pending;
} nif_events;

// For one NIF call; the world is the fold's.
void nif_events_start(nif_events *events, ErlNifEnv *env, rf_fold *fold, const rf_world *world);

// Folds {name, payload}, or reports what it is instead; perhaps only when nif_events_flush is called, which must be
// done in the end. If events->stopped is set then this event (all before it are done) is to be tried again, with more
// work to spend or on a dirty scheduler.
rf_status nif_events_fold(nif_events *events, ERL_NIF_TERM event);
// The same for a create, update or delete (which does not look at the components).
rf_status nif_events_fold_entity(nif_events *events, rf_entity_op op, rf_str id, ERL_NIF_TERM components);
rf_status nif_events_flush(nif_events *events);

#endif
