#include "plain_text.h"

size_t plain_text(char *out, rf_str text) {
    size_t len = 0;
    for (size_t i = 0; i < text.len; i++) {
        unsigned char byte = (unsigned char)text.data[i];
        bool c1 = byte == 0xc2 && i + 1 < text.len && (unsigned char)text.data[i + 1] < 0xa0; // U+0080 to U+009F
        out[len++] = byte < 0x20 || byte == 0x7f || c1 ? '?' : (char)byte;
        i += c1;
    }
    return len;
}
