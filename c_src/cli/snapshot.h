// snapshot.h: a world as JSON for people: numbers of f32 components are the exact binary64 of the binary32.
#ifndef RF_CLI_SNAPSHOT_H
#define RF_CLI_SNAPSHOT_H

#include "output.h"

// One line (docs/event-model.md, Snapshots). RF_NO_MEMORY is the only failure.
rf_status snapshot_write(output *out, const rf_world *world, rf_by by);
// All there is as one line of a log, with the world's seq (docs/event-model.md: by kind, all there is; but no kind is
// told by where an entity stands).
void snapshot_write_line(output *out, const rf_world *world);

#endif
