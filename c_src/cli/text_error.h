// text_error.h: prints what is wrong with a file that is read as a whole: the rules, the schema, a level.
#ifndef RF_CLI_TEXT_ERROR_H
#define RF_CLI_TEXT_ERROR_H

#include <roomfold/roomfold.h>

// By line and column, if the error has a byte. Returns FAILED.
int text_error(const char *who, const char *path, rf_str text, const rf_error *error);

#endif
