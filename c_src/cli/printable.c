#include "printable.h"

#include <stdbool.h>

size_t printable(rf_str text, char *out, size_t size) {
    size_t len = 0;
    for (size_t i = 0; i < text.len && len < size; i++) {
        unsigned char byte = (unsigned char)text.data[i];
        bool c1 = byte == 0xc2 && i + 1 < text.len && (unsigned char)text.data[i + 1] < 0xa0;
        out[len++] = byte < 0x20 || byte == 0x7f || c1 ? '?' : text.data[i];
        i += c1;
    }
    return len;
}
