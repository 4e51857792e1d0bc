// status.h: what a call answers, and errors that say where.
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

// An error that can say where: a byte offset into a text (or RF_NOWHERE), and what it is about (a
// component, a field, a rule), as a string that is cut after 255 bytes.
typedef struct rf_error {
    rf_status status;
    uint64_t offset;
    char about[256];
} rf_error;

// The reason's name ("unexpected_byte"), and a sentence for a person. Never NULL.
RF_API const char *rf_status_name(rf_status status);
RF_API const char *rf_status_message(rf_status status);

RF_END

#endif
