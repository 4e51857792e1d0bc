// inspection.h: what a log holds, as numbers, as a table and as JSON.
#ifndef RF_CLI_INSPECTION_H
#define RF_CLI_INSPECTION_H

#include "facts.h"
#include "output.h"
#include "tally.h"
#include "timeline.h"

typedef struct inspection {
    uint64_t events, several;      // several: without a name, as they are of several entities
    uint64_t unreadable;           // no object, or neither
    uint64_t first_seq, last_seq;  // first_seq: after the first event
    uint32_t entities, peak;       // at the end, and the most there were
    tally names, producers, kinds; // kinds: of the entities at the end
    timeline time;
} inspection;

void inspection_start(inspection *in);
void inspection_free(inspection *in);
// An event that has been folded. RF_NO_MEMORY is the only failure, here and below.
rf_status inspection_add(inspection *in, const facts *of, uint64_t seq, uint32_t entities);
rf_status inspection_end(inspection *in, const rf_world *world);

void inspection_json(output *out, const inspection *in, const rf_report *report);
void inspection_table(output *out, inspection *in, const rf_report *report, const char *path);

#endif
