// player.h: folds a log into a world, event by event.
#ifndef RF_CLI_PLAYER_H
#define RF_CLI_PLAYER_H

#include "journal.h"
#include "progress.h"
#include "world_setup.h"

typedef struct player {
    const char *who, *path;
    rf_schema *schema; // of the world
    rf_world *world;
    rf_fold *fold;
    rf_report report;
    journal log;
    progress bar;
    uint64_t events; // folded or not, so far
} player;

// Returns an exit code. Call player_close even after a failure.
int player_open(player *play, const char *who, const char *path, const world_setup *setup);
void player_close(player *play);

// Moves to the next event without folding it; false at the end.
bool player_next(player *play);
// Folds the current event. Fails with RF_NO_MEMORY only.
rf_status player_fold(player *play);
// Returns an exit code; prints the error if not everything could be read.
int player_end(player *play, rf_status status);

#endif
