// number_list.h: lists of numbers as programs write them, the bulk of most events.
#ifndef RF_CORE_NUMBER_LIST_H
#define RF_CORE_NUMBER_LIST_H

#include "scan.h"

// [n,n,n], exactly `count` of them, without white space and each of up to seven digits, perhaps a point and up to seven
// more: then scan->at is behind it. false: it is something else, or stands too close to the end of the text.
bool rf_number_list(rf_scan *scan, unsigned count, double *out);

#endif
