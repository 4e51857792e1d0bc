#include "timeline.h"

#include <math.h>

#define SECOND 1000.0

void timeline_start(timeline *line) {
    *line = (timeline){.start = -1, .width = SECOND};
}

static void halve(timeline *line) {
    for (size_t i = 0; i < line->count; i += 2) {
        timeline_slice *slice = &line->slices[i / 2];
        *slice = (timeline_slice){
            .events = line->slices[i].events + (i + 1 < line->count ? line->slices[i + 1].events : 0),
            .entities = line->slices[i + 1 < line->count ? i + 1 : i].entities,
        };
    }
    line->count = (line->count + 1) / 2;
    line->width *= 2;
}

// Events are counted in the order of the log: a second that occurs again starts a new count.
static void count_second(timeline *line, double since) {
    int64_t second = (int64_t)floor(since / SECOND);
    if (second != line->second) line->in_second = 0;
    line->second = second;
    line->in_second++;
    if (line->in_second > line->peak) line->peak = line->in_second;
}

void timeline_add(timeline *line, double at, uint32_t entities) {
    double since;
    size_t slice;
    if (at < 0) {
        line->untimed++;
        return;
    }
    if (line->start < 0) line->start = line->end = at;
    if (at > line->end) line->end = at;
    since = at - line->start;
    count_second(line, since);
    if (since < 0) {
        line->earlier++;
        since = 0;
    }
    while (since / line->width >= TIMELINE_SLICES) halve(line);
    slice = (size_t)(since / line->width);
    for (; line->count <= slice; line->count++)
        line->slices[line->count] =
            (timeline_slice){.entities = line->count > 0 ? line->slices[line->count - 1].entities : 0};
    line->slices[slice].events++;
    line->slices[slice].entities = entities;
}

void timeline_shrink(timeline *line, size_t slices) {
    while (line->count > slices) halve(line);
}
