// progress.h: shows progress on a terminal.
#ifndef RF_CLI_PROGRESS_H
#define RF_CLI_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

typedef struct progress {
    bool wanted, shown;
    uint64_t next; // the event after which to read the clock again, which costs more than an event
    double at;     // seconds
} progress;

// Progress is shown only if standard error is a terminal.
void progress_start(progress *bar);
// share: of the input, 0 to 1; negative if unknown.
void progress_show(progress *bar, uint64_t events, double share);
void progress_end(progress *bar);

static inline bool progress_due(const progress *bar, uint64_t events) {
    return bar->wanted && events >= bar->next;
}

#endif
