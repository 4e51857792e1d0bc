// event_json.h: reads one event from JSON text: in full, or by the template that an earlier one left (template.h). Both
// give the same events.
#ifndef RF_CORE_EVENT_JSON_H
#define RF_CORE_EVENT_JSON_H

#include "fold_state.h"
#include "json/scan.h"

// How a value of the text was read.
typedef enum rf_event_form {
    RF_FORM_OTHER,    // it is no event; of a template: it does not match
    RF_FORM_DRAFTED,  // in the draft
    RF_FORM_NAMELESS, // an object that may change several entities
    RF_FORM_PLAIN,    // in fold->plain
} rf_event_form;

// Reads the value at the scan: drafts an object as an event, and leaves a template of it; skips anything else. False:
// it is not JSON, or memory ran out.
bool rf_event_json_read(rf_fold *fold, rf_scan *scan);
// Reads the object at the scan with any of the templates (template_read.c). RF_FORM_OTHER: none matches, and nothing
// has been read.
rf_event_form rf_template_read(rf_fold *fold, rf_scan *scan);

#endif
