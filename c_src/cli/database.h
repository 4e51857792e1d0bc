// database.h: reads a room's log in a SQLite database (docs/event-log.md) as JSON Lines. Without SQLite, the program is
// built with no_database.c instead of database.c; it then reports what to install.
#ifndef RF_CLI_DATABASE_H
#define RF_CLI_DATABASE_H

#include "input.h"

// Opens the log of a room; room NULL: of the only room. If its first records have been trimmed, the first line is the
// snapshot that replaces them, and *begins is set. Returns an exit code. Prints errors; if there are several rooms,
// also their names.
int database_open(const char *who, const char *path, const char *room, input **out, bool *begins);

#endif
