#include "report.h"

#include "base/alloc.h"

void rf_report_init(rf_report *report, rf_allocator allocator) {
    *report = (rf_report){.allocator = allocator};
}

void rf_report_free(rf_report *report) {
    for (uint32_t i = 0; i < report->rejected_len; i++) rf_free(report->allocator, report->rejected[i].about);
    rf_free(report->allocator, report->rejected);
    rf_report_init(report, report->allocator);
}

static bool grow(rf_report *report) {
    uint32_t capacity = report->rejected_capacity ? report->rejected_capacity * 2 : 8;
    rf_rejection *rejected =
        report->allocator.resize(report->allocator.context, report->rejected, capacity * sizeof *rejected);
    if (!rejected) return false;
    report->rejected = rejected;
    report->rejected_capacity = capacity;
    return true;
}

// Without memory, a rejection is only counted, or kept without `about`.
void rf_report_add(rf_report *report, uint64_t index, rf_status status, uint64_t offset, rf_str about) {
    rf_rejection entry = {.index = index, .offset = offset, .status = status};
    report->rejected_count++;
    if (report->rejected_len == RF_REPORT_MAX) return;
    if (report->rejected_len == report->rejected_capacity && !grow(report)) return;
    if (about.len > 0) entry.about = rf_alloc(report->allocator, about.len);
    if (entry.about) {
        memcpy(entry.about, about.data, about.len);
        entry.about_len = (uint32_t)about.len;
    }
    report->rejected[report->rejected_len++] = entry;
}
