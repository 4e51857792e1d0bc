// plain_text.h: text from outside (names, ids, rules, paths) for a terminal.
#ifndef RF_CLI_PLAIN_TEXT_H
#define RF_CLI_PLAIN_TEXT_H

#include <roomfold/roomfold.h>

// Copies the text; a terminal does what control characters say, so they become question marks. Returns how many bytes
// it wrote, at most text.len. `out` may be where the text is.
size_t plain_text(char *out, rf_str text);

#endif
