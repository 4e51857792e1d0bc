// snapshot.h: a world as JSON for people: numbers of f32 components are the exact binary64 of the binary32.
#ifndef RF_CLI_SNAPSHOT_H
#define RF_CLI_SNAPSHOT_H

#include "output.h"

// One line (docs/event-model.md, Snapshots). RF_NO_MEMORY is the only failure.
rf_status snapshot_write(output *out, const rf_world *world, rf_by by);

#endif
