// watch.h: ends this process when its parent has ended, even while it is computing or blocked.
#ifndef ROOMFOLD_PORT_WATCH_H
#define ROOMFOLD_PORT_WATCH_H

#include <stdbool.h>

// Starts a thread that ends the process GRACE_SECONDS after the input was closed, unless the main thread reads to its
// end first. On Linux, the process also ends as soon as its parent does. False if the watch cannot be started.
bool port_watch_start(void);

#endif
