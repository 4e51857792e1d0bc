// event_members.h: an event in JSON text as a list of its keys with their values, which are terms.
#ifndef RF_CORE_EVENT_MEMBERS_H
#define RF_CORE_EVENT_MEMBERS_H

#include "json/builder.h"
#include <roomfold/status.h>

// A key with its value: as offsets in the growing pools, or, once everything is read, as bytes.
typedef struct rf_member {
    size_t key_at, key_len, value_at, value_len;
    rf_str key, value;
} rf_member;

typedef struct rf_members {
    rf_allocator allocator;
    rf_builder values; // terms, one after the other
    rf_buf keys;
    rf_buf list; // rf_member, sorted by key
    // The value of "components" may have a level more than a term, since it is a map of terms: the offset of the first
    // bracket that opens this level; 0: it does not have it.
    size_t too_deep_at;
} rf_members;

void rf_members_init(rf_members *members, rf_allocator allocator);
void rf_members_free(rf_members *members);
// Reads an object, in place of the one before. RF_NOT_AN_EVENT: it is something else. RF_DUPLICATE_KEY, RF_NO_MEMORY,
// and the errors of JSON.
rf_status rf_members_read(rf_members *members, rf_str text, rf_error *error);
// The entry of this key; NULL: there is none.
const rf_member *rf_members_find(const rf_members *members, rf_str key);

// The items of a list of rf_member.
static inline rf_member *rf_members_of(const rf_buf *list, size_t *count) {
    *count = list->len / sizeof(rf_member);
    return (rf_member *)(void *)list->data;
}

#endif
