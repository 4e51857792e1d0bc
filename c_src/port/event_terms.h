// event_terms.h: events as terms, handed to a fold.
#ifndef ROOMFOLD_PORT_EVENT_TERMS_H
#define ROOMFOLD_PORT_EVENT_TERMS_H

#include "term.h"

// Folds one event, {name, payload}, and goes behind it. Whatever the term, it counts as an event. Fails with
// RF_NO_MEMORY only.
rf_status port_event_fold(rf_fold *fold, port_reader *reader);
// The same for one entity with a map of components (not looked at for a delete).
rf_status port_event_fold_entity(rf_fold *fold, rf_entity_op op, rf_str id, port_reader components);

#endif
