// database.h: a room's log in a SQLite database (docs/event-log.md) as JSON Lines. A program that is built without
// SQLite has no_database.c in place of database.c, which says what to install.
#ifndef RF_CLI_DATABASE_H
#define RF_CLI_DATABASE_H

#include "input.h"

// The log of a room; room NULL: of the only one there is. Where the first records are gone, the snapshot that took
// their place is the first line, and *begins is set. An exit code; what is wrong is said, and which rooms there are if
// there are several.
int database_open(const char *who, const char *path, const char *room, input **out, bool *begins);

#endif
