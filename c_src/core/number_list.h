// number_list.h: lists of numbers as programs write them, the bulk of most events.
#ifndef RF_CORE_NUMBER_LIST_H
#define RF_CORE_NUMBER_LIST_H

#include "scan.h"

// [n,n,n], exactly `count` numbers that are finite (integers within +-2^53), without white space: then scan->at is
// behind it. false: it is something else, or ends too close to the end of the text. Fast for up to seven digits,
// perhaps a point and up to seven more.
bool rf_number_list(rf_scan *scan, unsigned count, double *out);

#endif
