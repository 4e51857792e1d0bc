// timeline.h: counts events and entities over time, in slices of equal length, which doubles as the time grows.
#ifndef RF_CLI_TIMELINE_H
#define RF_CLI_TIMELINE_H

#include <stddef.h>
#include <stdint.h>

#define TIMELINE_SLICES 1024 // at most; when they are full, two become one

typedef struct timeline_slice {
    uint64_t events;
    uint32_t entities; // at its end; without events, as in the slice before
} timeline_slice;

typedef struct timeline {
    double start, end; // ms: the first and the greatest time
    double width;      // ms
    size_t count;
    timeline_slice slices[TIMELINE_SLICES];
    uint64_t untimed; // events without a time
    uint64_t earlier; // than the first one: the clock was set back
    int64_t second;   // of the last event, counted from the start
    uint64_t in_second, peak;
} timeline;

void timeline_start(timeline *line);
// at: ms, below 2^53; negative: the event has no time. Earlier times than the first one count in the first slice.
void timeline_add(timeline *line, double at, uint32_t entities);
// Merges pairs of slices until there are at most `slices`.
void timeline_shrink(timeline *line, size_t slices);

#endif
