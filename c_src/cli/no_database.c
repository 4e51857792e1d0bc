// no_database.c: used instead of database.c if the program is built without SQLite.
#include "command.h"
#include "database.h"

#include <stddef.h>

int database_open(const char *who, const char *path, const char *room, input **out, bool *begins) {
    (void)room;
    *begins = false;
    *out = NULL;
    return complain(
        who, FAILED,
        "%s: this is an SQLite database, and this program was built without SQLite 3.20 or later; install it "
        "(Debian: apt install libsqlite3-dev pkg-config; macOS: brew install sqlite pkg-config) and build "
        "again: make program",
        path);
}
