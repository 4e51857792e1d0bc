// status.h: status codes, and errors with a location. reasons.inl lists all codes; docs/errors.md is made from it.
//
//     if (status != RF_OK) fprintf(stderr, "%s\n", rf_status_message(status));
#ifndef ROOMFOLD_STATUS_H
#define ROOMFOLD_STATUS_H

#include <roomfold/base.h>

RF_BEGIN

typedef enum rf_status {
    RF_OK = 0,
#define X(name, atom, message) RF_##name,
#include <roomfold/reasons.inl>
#undef X
    RF_STATUS_COUNT
} rf_status;

#define RF_NOWHERE UINT64_MAX

// An error with a location: the byte offset in a text or frame, or RF_NOWHERE, and what it is about (a component, a
// field, a rule): a zero-terminated string, cut between characters to at most 255 bytes, perhaps empty. Set only by a
// call that fails.
typedef struct rf_error {
    rf_status status;
    uint64_t offset;
    char about[256];
} rf_error;

// The name of a status ("unexpected_byte"). Never NULL.
RF_API const char *rf_status_name(rf_status status);
// A sentence for people. Never NULL.
RF_API const char *rf_status_message(rf_status status);

RF_END

#endif
