// scene.h: a level with targets in it, in the units and numbers of the recordings.
#ifndef RF_CLI_SCENE_H
#define RF_CLI_SCENE_H

#include <jansson.h>
#include <roomfold/roomfold.h>

typedef struct scene {
    rf_space *space;
    rf_level *level;
    rf_hits hits;
    uint32_t targets; // keys 0 to targets - 1 are taken
} scene;

// What a line of a recording is about, for messages; NULL if it is fine.
typedef const char *problem;

rf_status scene_new(scene *out, rf_str level, rf_error *error);
void scene_free(scene *in);

// All sectors as the level has them, then those of [[sector, floor, ceil], ...]; NULL or null: none.
problem scene_set_sectors(scene *in, const json_t *sectors);
// floor and ceil may be null: as they are.
problem scene_set_sector(scene *in, const json_t *number, const json_t *floor, const json_t *ceil);
// [[id, x, y, z, r, h, ...], ...] replaces all targets: boxes of half-width r and height h. NULL or null: none.
problem scene_set_targets(scene *in, const json_t *targets);

// A target's id is a number or a string; null, or no value at all, is nobody.
bool scene_is_id_or_none(const json_t *id);
// x, y, z, z up, in map units, to metres with y up; false if that is not a list of three numbers.
bool scene_read_point(const json_t *list, double out[3]);
// The number of a list's item; false if it isn't one.
bool scene_read_number(const json_t *number, double *out);

// The place in the list of targets that is hit: -1 where nobody is, or the level comes first. wall may be NULL.
problem scene_cast(scene *in, const rf_shot *shot, long *target, bool *wall);

#endif
