// buf.h: a growing buffer of bytes.
#ifndef RF_CORE_BUF_H
#define RF_CORE_BUF_H

#include "alloc.h"

typedef struct rf_buf {
    rf_allocator allocator;
    uint8_t *data;
    size_t len, capacity;
    bool failed; // memory has run out; stays set. What was to be added is missing
} rf_buf;

static inline void rf_buf_init(rf_buf *buf, rf_allocator allocator) {
    *buf = (rf_buf){.allocator = allocator};
}

static inline void rf_buf_free(rf_buf *buf) {
    rf_free(buf->allocator, buf->data);
    *buf = (rf_buf){.allocator = buf->allocator};
}

bool rf_buf_grow(rf_buf *buf, size_t more);

// Reserves `more` bytes at the end; false when out of memory.
static inline bool rf_buf_reserve(rf_buf *buf, size_t more) {
    return buf->capacity - buf->len >= more || rf_buf_grow(buf, more);
}

// Reserves exactly this size in an empty buffer.
bool rf_buf_reserve_exactly(rf_buf *buf, size_t size);

static inline void rf_buf_byte(rf_buf *buf, uint8_t byte) {
    if (rf_buf_reserve(buf, 1)) buf->data[buf->len++] = byte;
}

static inline void rf_buf_bytes(rf_buf *buf, const void *bytes, size_t len) {
    if (len > 0 && rf_buf_reserve(buf, len)) {
        memcpy(buf->data + buf->len, bytes, len);
        buf->len += len;
    }
}

#endif
