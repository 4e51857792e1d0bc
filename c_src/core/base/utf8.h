// utf8.h: validates UTF-8 strictly: no surrogates, no overlong forms, nothing beyond U+10FFFF.
#ifndef RF_CORE_UTF8_H
#define RF_CORE_UTF8_H

#include <roomfold/base.h>

// The length of the character at `at`, 1 to 4; 0 if it is ill-formed or cut off by `end`.
size_t rf_utf8_sequence(const char *at, const char *end);
// The offset of the first byte of the first ill-formed sequence; bytes.len if there is none.
size_t rf_utf8_check(rf_str bytes);

#endif
