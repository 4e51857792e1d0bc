// watch.h: the end of whoever started this process, also while it computes, and also where it stands still.
#ifndef ROOMFOLD_PORT_WATCH_H
#define ROOMFOLD_PORT_WATCH_H

#include <stdbool.h>

// Ends the process GRACE after the other side has closed our input, in case that nobody reads to its end before; and
// where the system can, as soon as the parent ends. False if there can be no watch.
bool port_watch_start(void);

#endif
