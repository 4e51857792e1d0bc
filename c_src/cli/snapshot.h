// snapshot.h: writes a world as JSON. Numbers of f32 components are written as their exact binary64 value.
#ifndef RF_CLI_SNAPSHOT_H
#define RF_CLI_SNAPSHOT_H

#include "output.h"

// Writes one line (docs/event-model.md, "Snapshots"). Fails with RF_NO_MEMORY only.
rf_status snapshot_write(output *out, const rf_world *world, rf_by by);
// Writes the world as a line of a log, with its seq: the form "all there is" of docs/event-model.md. The key under
// which an entity is listed is not its kind.
void snapshot_write_line(output *out, const rf_world *world);

#endif
