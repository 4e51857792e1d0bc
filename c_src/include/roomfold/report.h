// report.h: counts what a fold did, and lists what it rejected and why.
#ifndef ROOMFOLD_REPORT_H
#define ROOMFOLD_REPORT_H

#include <roomfold/alloc.h>
#include <roomfold/status.h>

RF_BEGIN

#define RF_REPORT_MAX 1000 // rejections that are kept; further ones are only counted

// An event, or a component or operation of one, that was not applied.
typedef struct rf_rejection {
    uint64_t index;  // of the event in its batch, from 0
    uint64_t offset; // of a syntax error: bytes from the start of the text; otherwise RF_NOWHERE
    rf_status status;
    uint32_t about_len;
    char *about; // the component, field or event name (not zero-terminated), or NULL
} rf_rejection;

typedef struct rf_report {
    rf_allocator allocator;
    uint64_t folded;         // events that were not rejected as a whole
    uint64_t orphaned;       // operations on entities that do not exist
    uint64_t stale;          // events skipped, since their seq is not above the world's
    uint64_t gaps;           // times a seq was not the next one
    uint64_t rejected_count; // rejections, including those beyond RF_REPORT_MAX
    rf_rejection *rejected;
    uint32_t rejected_len;
    uint32_t rejected_capacity;
} rf_report;

// An empty report; allocates nothing yet.
RF_API void rf_report_init(rf_report *report, rf_allocator allocator);
// Frees the rejections. The report is then empty and can be used again.
RF_API void rf_report_free(rf_report *report);

RF_END

#endif
