// player.h: a log, folded event by event into a world.
#ifndef RF_CLI_PLAYER_H
#define RF_CLI_PLAYER_H

#include "journal.h"
#include "progress.h"
#include "world_setup.h"

typedef struct player {
    const char *who, *path;
    rf_world *world;
    rf_fold *fold;
    rf_report report;
    journal log;
    progress bar;
    uint64_t events; // folded or not, so far
} player;

// An exit code. player_close also after a failure.
int player_open(player *play, const char *who, const char *path, const world_setup *setup);
void player_close(player *play);

// The next event is at hand, but not folded; false at the end.
bool player_next(player *play);
// Folds it. RF_NO_MEMORY is the only failure.
rf_status player_fold(player *play);
// What was rejected of the event that was folded last: entry i of the report (the report keeps the first 1,000).
place player_place(player *play, uint32_t i);
// Whether all could be read; else that is said.
int player_end(player *play, rf_status status);

#endif
