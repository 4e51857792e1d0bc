// event_terms.h: folds events that are terms.
#ifndef ROOMFOLD_PORT_EVENT_TERMS_H
#define ROOMFOLD_PORT_EVENT_TERMS_H

#include "term.h"

// Folds the event {name, payload} and moves past it. Any other term is reported. Fails with RF_NO_MEMORY only.
rf_status port_event_fold(rf_fold *fold, port_reader *reader);
// Folds a create, update or delete with a map of components, which a delete ignores.
rf_status port_event_fold_entity(rf_fold *fold, rf_entity_op op, rf_str id, port_reader components);

#endif
