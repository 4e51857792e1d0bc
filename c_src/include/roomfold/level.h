// level.h: reads the sectors and walls of a level from JSON, and adds them to a space.
//
//     rf_level_from_json(allocator, text, RF_LEVEL_DOOM_UNIT, &level, &error);
//     rf_space_add_level(space, level, RF_LAYER_DEFAULT, NULL, NULL);
//     rf_level_free(level);
#ifndef ROOMFOLD_LEVEL_H
#define ROOMFOLD_LEVEL_H

#include <roomfold/space.h>

RF_BEGIN

#define RF_LEVEL_DOOM_UNIT (1.0 / 32) // metres per map unit

typedef struct rf_level rf_level;

// Reads {"sectors": [{"floor", "ceil"}, ...], "lines": [{"x1", "y1", "x2", "y2", "front", "back", "flags"}, ...]} and
// ignores other keys; front, back and flags may be missing. unit: metres per unit of the file, whose y points north: a
// line's point (x, y) becomes x * unit, z = -y * unit. Sectors and lines are numbered by their position in the lists. A
// line without a back sector, or without flag 4, has no opening.
//
// RF_INVALID_LEVEL: error->about says what is wrong. RF_INVALID_ARGUMENT: the unit is not above 0. JSON errors, with
// the byte. RF_NO_MEMORY.
RF_API rf_status rf_level_from_json(rf_allocator allocator, rf_str text, double unit, rf_level **out, rf_error *error);
// NULL is allowed.
RF_API void rf_level_free(rf_level *level);

// Counts, and items by number (below the count).
RF_API size_t rf_level_sectors(const rf_level *level);
RF_API rf_sector rf_level_sector(const rf_level *level, size_t number);
RF_API size_t rf_level_walls(const rf_level *level);
RF_API rf_wall rf_level_wall(const rf_level *level, size_t number);

// Adds all sectors and walls after those already in the space, or none if it fails. layers: of all walls. The first
// sector and the first wall get the numbers in *first_sector and *first_wall (either may be NULL). RF_TOO_LARGE: the
// space's max_statics. RF_NUMBER_OUT_OF_RANGE, RF_NO_MEMORY.
RF_API rf_status rf_space_add_level(rf_space *space, const rf_level *level, uint32_t layers, uint32_t *first_sector,
                                    uint32_t *first_wall);

RF_END

#endif
