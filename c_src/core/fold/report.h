// report.h: adds rejections to a report.
#ifndef RF_CORE_REPORT_H
#define RF_CORE_REPORT_H

#include <roomfold/report.h>

// Counts a rejection, and keeps it while there is room. about may be empty.
void rf_report_add(rf_report *report, uint64_t index, rf_status status, uint64_t offset, rf_str about);

#endif
