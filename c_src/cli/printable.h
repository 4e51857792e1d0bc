// printable.h: names for a terminal. They may come from anywhere, and a terminal does what control characters say: they
// become question marks.
#ifndef RF_CLI_PRINTABLE_H
#define RF_CLI_PRINTABLE_H

#include <roomfold/roomfold.h>

// Writes at most `size` bytes to `out`, and returns how many.
size_t printable(rf_str text, char *out, size_t size);

#endif
