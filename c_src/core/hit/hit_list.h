// hit_list.h: a list of hits, and their order.
#ifndef RF_CORE_HIT_LIST_H
#define RF_CORE_HIT_LIST_H

#include <roomfold/hit.h>

// RF_NO_MEMORY, or RF_TOO_LARGE at the limit.
rf_status rf_hits_push(rf_hits *hits, const rf_hit *hit);

// By t; at the same t targets by id, then static things by kind and number.
bool rf_hit_before(const rf_hit *a, const rf_hit *b);
bool rf_hit_id_before(const rf_hit *a, const rf_hit *b);

void rf_hits_sort(rf_hit *hits, size_t count, bool (*before)(const rf_hit *, const rf_hit *));

#endif
