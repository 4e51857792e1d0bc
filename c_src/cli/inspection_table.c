// inspection_table.c: prints an inspection as a table.
#include "inspection.h"
#include "printable.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#define ROWS 20   // of a list, at most
#define SLICES 16 // of time, at most
#define BAR 24    // columns of the longest bar
#define NAME 28   // columns for a name

// 1234567 as 1,234,567.
static const char *grouped(char out[32], uint64_t value) {
    char digits[24];
    size_t count = (size_t)snprintf(digits, sizeof digits, "%llu", (unsigned long long)value), at = 0;
    for (size_t i = 0; i < count; i++) {
        if (i > 0 && (count - i) % 3 == 0) out[at++] = ',';
        out[at++] = digits[i];
    }
    out[at] = '\0';
    return out;
}

static void name(output *out, const char *text, size_t len) {
    char *shown = output_room(out, len);
    size_t width = 0, count = shown ? printable((rf_str){text, len}, shown, len) : 0;
    out->len += count;
    for (size_t i = 0; i < count; i++) width += ((unsigned char)shown[i] & 0xc0) != 0x80;
    for (; width < NAME; width++) output_text(out, " ");
}

static void list(output *out, const char *title, const tally *of, uint64_t all) {
    char count[32];
    if (of->count == 0) return;
    output_format(out, "\n%-*s  %12s   share\n", NAME, title, "count");
    for (size_t i = 0; i < of->count && i < ROWS; i++) {
        const tally_entry *entry = &of->entries[i];
        output_text(out, "  ");
        name(out, entry->text, entry->len);
        output_format(out, "%12s  %5.1f %%\n", grouped(count, entry->count),
                      100.0 * (double)entry->count / (double)all);
    }
    if (of->count > ROWS) {
        output_format(out, "  and %s more", grouped(count, of->count - ROWS));
        output_text(out, of->others > 0 ? ", and more that are not counted by themselves\n" : "\n");
    }
}

static const char *utc(char out[40], double ms) {
    time_t seconds = (time_t)(ms / 1000);
    struct tm parts;
    if (ms > 2e14 || !gmtime_r(&seconds, &parts) || strftime(out, 40, "%Y-%m-%d %H:%M:%S UTC", &parts) == 0)
        snprintf(out, 40, "%.0f ms", ms);
    return out;
}

static void over_time(output *out, timeline *time) {
    double start = time->start, most = 0;
    char first[32], second[32], when[40];
    if (time->count == 0) return;
    timeline_shrink(time, SLICES);
    for (size_t i = 0; i < time->count; i++)
        if ((double)time->slices[i].events > most) most = (double)time->slices[i].events;
    output_format(out, "\n%-*s  %12s  %10s  %10s\n", 16, "seconds", "events", "per second", "entities");
    for (size_t i = 0; i < time->count; i++) {
        const timeline_slice *slice = &time->slices[i];
        double length = i + 1 < time->count ? time->width : time->end - start - (double)i * time->width;
        int bar = (int)((double)slice->events / most * BAR + 0.5);
        if (length < 1000) length = 1000;
        output_format(out, "  %-14.0f  %12s  %10.1f  %10s  %.*s\n", (double)i * time->width / 1000,
                      grouped(first, slice->events), (double)slice->events * 1000 / length,
                      grouped(second, slice->entities), bar, "########################");
    }
    output_format(out, "  from %s, %.1f s; at most %s events in one second\n", utc(when, start),
                  (time->end - start) / 1000, grouped(first, time->peak));
    if (time->earlier > 0)
        output_format(out, "  %s events are earlier than the first one, and counted with it\n",
                      grouped(first, time->earlier));
    if (time->untimed > 0) output_format(out, "  %s events have no time\n", grouped(first, time->untimed));
}

static void line(output *out, const char *what, uint64_t value, const char *more) {
    char count[32];
    output_format(out, "  %-*s%12s%s\n", NAME, what, grouped(count, value), more);
}

void inspection_table(output *out, inspection *in, const rf_report *report, const char *path) {
    output_format(out, "%s\n", path);
    line(out, "events", in->events, "");
    line(out, "first seq", in->first_seq, "");
    line(out, "last seq", in->last_seq, "");
    line(out, "folded", report->folded, "");
    line(out, "orphaned operations", report->orphaned, "   on entities that did not exist");
    if (report->stale > 0) line(out, "stale", report->stale, "   seqs that had been");
    if (report->gaps > 0) line(out, "gaps", report->gaps, "   jumps of seq");
    if (report->rejected_count > 0) line(out, "rejected", report->rejected_count, "   roomfold validate says where");
    if (in->several > 0) line(out, "of several entities", in->several, "   by component or by kind, without a name");
    if (in->unreadable > 0) line(out, "unreadable", in->unreadable, "   no JSON object with a name");
    line(out, "entities at the end", in->entities, "");
    line(out, "most entities at a time", in->peak, "");
    list(out, "events by name", &in->names, in->events);
    list(out, "events by producer", &in->producers, in->events);
    list(out, "entities by kind", &in->kinds, in->entities);
    over_time(out, &in->time);
}
