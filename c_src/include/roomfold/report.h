// report.h: what a fold did, and what it left out and why.
#ifndef ROOMFOLD_REPORT_H
#define ROOMFOLD_REPORT_H

#include <roomfold/alloc.h>
#include <roomfold/status.h>

RF_BEGIN

#define RF_REPORT_MAX 1000 // entries that are kept; all are counted

typedef struct rf_rejection {
    uint64_t index;  // of the event in its batch, from 0
    uint64_t offset; // in the text, for syntax errors; else RF_NOWHERE
    rf_status status;
    uint32_t about_len;
    char *about; // the component or field, or NULL
} rf_rejection;

typedef struct rf_report {
    rf_allocator allocator;
    uint64_t folded;         // events not wholly rejected
    uint64_t orphaned;       // operations on entities that do not exist
    uint64_t stale;          // events at or below the world's seq
    uint64_t gaps;           // jumps of seq
    uint64_t rejected_count; // entries, also those beyond RF_REPORT_MAX
    rf_rejection *rejected;
    uint32_t rejected_len;
    uint32_t rejected_capacity;
} rf_report;

RF_API void rf_report_init(rf_report *report, rf_allocator allocator);
RF_API void rf_report_free(rf_report *report);

RF_END

#endif
