#include "progress.h"

#include <stdio.h>
#include <time.h>
#include <unistd.h>

#define STEP 8192    // events between two readings of the clock
#define INTERVAL 0.2 // seconds

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec * 1e-9;
}

void progress_start(progress *bar) {
    *bar = (progress){.wanted = isatty(STDERR_FILENO) == 1, .next = STEP};
    if (bar->wanted) bar->at = now();
}

void progress_show(progress *bar, uint64_t events, double share) {
    double time = now();
    bar->next = events + STEP;
    if (time - bar->at < INTERVAL) return;
    bar->at = time;
    bar->shown = true;
    fprintf(stderr, "\r%llu events", (unsigned long long)events);
    if (share >= 0) fprintf(stderr, ", %.0f %%", share * 100);
    fputs("\033[K", stderr);
}

void progress_end(progress *bar) {
    if (bar->shown) fputs("\r\033[K", stderr);
    bar->shown = false;
}
