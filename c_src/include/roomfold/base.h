// base.h: included by every public header: visibility, extern "C", and strings with a length.
#ifndef ROOMFOLD_BASE_H
#define ROOMFOLD_BASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#if defined(__GNUC__)
#define RF_API __attribute__((visibility("default")))
#else
#define RF_API
#endif

#ifdef __cplusplus
#define RF_BEGIN extern "C" {
#define RF_END }
#else
#define RF_BEGIN
#define RF_END
#endif

RF_BEGIN

// A view of bytes that are owned elsewhere. Not zero-terminated.
typedef struct rf_str {
    const char *data;
    size_t len;
} rf_str;

RF_END

#endif
