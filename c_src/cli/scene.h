// scene.h: a level with targets, in the units of the recordings.
#ifndef RF_CLI_SCENE_H
#define RF_CLI_SCENE_H

#include <jansson.h>
#include <roomfold/roomfold.h>

typedef struct scene {
    rf_space *space;
    rf_level *level;
    rf_hits hits;
    uint32_t targets; // keys 0 to targets - 1 are in use
} scene;

// The key of a recording's line that is wrong, for messages; NULL: none.
typedef const char *problem;

rf_status scene_new(scene *out, rf_str level, rf_error *error);
void scene_free(scene *in);

// Resets all sectors, then sets those of [[sector, floor, ceil], ...]; NULL or null: none.
problem scene_set_sectors(scene *in, const json_t *sectors);
// floor or ceil null: unchanged.
problem scene_set_sector(scene *in, const json_t *number, const json_t *floor, const json_t *ceil);
// [[id, x, y, z, r, h, ...], ...] replaces all targets: boxes of half-width r and height h. NULL or null: none.
problem scene_set_targets(scene *in, const json_t *targets);

// Whether this is a target's id (a number or a string) or none (null or absent).
bool scene_is_id_or_none(const json_t *id);
// Converts [x, y, z] in map units, z up, to metres, y up; false if it is not a list of three numbers.
bool scene_read_point(const json_t *list, double out[3]);
// Reads a number; false for anything else.
bool scene_read_number(const json_t *number, double *out);

// The index of the target that is hit; -1 if none, or if the level is hit first. wall may be NULL.
problem scene_cast(scene *in, const rf_shot *shot, long *target, bool *wall);

#endif
