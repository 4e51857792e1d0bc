// inspection.h: statistics of a log, and their output as a table or as JSON.
#ifndef RF_CLI_INSPECTION_H
#define RF_CLI_INSPECTION_H

#include "facts.h"
#include "output.h"
#include "tally.h"
#include "timeline.h"

typedef struct inspection {
    uint64_t events, several;      // several: without a name, because they speak of several entities
    uint64_t unreadable;           // not an object, or neither of both
    uint64_t first_seq, last_seq;  // first_seq: the world's after the first event
    uint32_t entities, peak;       // at the end, and at most at any time
    tally names, producers, kinds; // kinds: of the entities at the end
    timeline time;
} inspection;

void inspection_start(inspection *in);
void inspection_free(inspection *in);
// Adds an event that has been folded. Here and below, the only failure is RF_NO_MEMORY.
rf_status inspection_add(inspection *in, const facts *of, uint64_t seq, uint32_t entities);
rf_status inspection_end(inspection *in, const rf_world *world);

void inspection_json(output *out, const inspection *in, const rf_report *report);
void inspection_table(output *out, inspection *in, const rf_report *report, const char *path);

#endif
