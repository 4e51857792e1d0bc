// utf8.h: strict UTF-8: no surrogates, nothing longer than it must be, nothing beyond U+10FFFF.
#ifndef RF_CORE_UTF8_H
#define RF_CORE_UTF8_H

#include <roomfold/base.h>

// The bytes of the character at `at`, 1 to 4; 0 if there is none that is well-formed before `end`.
size_t rf_utf8_sequence(const char *at, const char *end);
// The offset of the first byte of the first ill-formed sequence; bytes.len if there is none.
size_t rf_utf8_check(rf_str bytes);

#endif
