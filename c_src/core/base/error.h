// error.h: sets an rf_error.
#ifndef RF_CORE_ERROR_H
#define RF_CORE_ERROR_H

#include <roomfold/status.h>
#include <string.h>

// Sets *error unless it is NULL, and returns the status.
static inline rf_status rf_error_set(rf_error *error, rf_status status, uint64_t offset, rf_str about) {
    if (error) {
        size_t len = about.len < sizeof error->about - 1 ? about.len : sizeof error->about - 1;
        error->status = status;
        error->offset = offset;
        if (len > 0) memcpy(error->about, about.data, len);
        error->about[len] = '\0';
    }
    return status;
}

#endif
