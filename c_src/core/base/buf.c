#include "buf.h"

bool rf_buf_grow(rf_buf *buf, size_t more) {
    size_t capacity = buf->capacity < 64 ? 64 : buf->capacity;
    uint8_t *data;
    if (buf->failed || more > SIZE_MAX / 4 - buf->len) {
        buf->failed = true;
        return false;
    }
    while (capacity < buf->len + more) capacity *= 2;
    data = buf->allocator.resize(buf->allocator.context, buf->data, capacity);
    if (!data) {
        buf->failed = true;
        return false;
    }
    buf->data = data;
    buf->capacity = capacity;
    return true;
}

bool rf_buf_reserve_exactly(rf_buf *buf, size_t size) {
    if (buf->data || buf->failed) return !buf->failed;
    buf->data = rf_alloc(buf->allocator, size);
    buf->failed = !buf->data;
    if (buf->data) buf->capacity = size;
    return buf->data != NULL;
}
