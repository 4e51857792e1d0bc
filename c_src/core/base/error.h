// error.h: sets an rf_error.
#ifndef RF_CORE_ERROR_H
#define RF_CORE_ERROR_H

#include <roomfold/status.h>
#include <string.h>

// How much of a text to show, at most so many bytes: not a part of a character at the end.
static inline size_t rf_error_cut(rf_str text, size_t most) {
    size_t len = text.len < most ? text.len : most;
    for (int i = 0; i < 3 && len < text.len && len > 0 && ((uint8_t)text.data[len] & 0xC0) == 0x80; i++) len--;
    return len;
}

// Sets *error unless it is NULL, and returns the status.
static inline rf_status rf_error_set(rf_error *error, rf_status status, uint64_t offset, rf_str about) {
    if (error) {
        size_t len = rf_error_cut(about, sizeof error->about - 1);
        error->status = status;
        error->offset = offset;
        if (len > 0) memcpy(error->about, about.data, len);
        error->about[len] = '\0';
    }
    return status;
}

#endif
