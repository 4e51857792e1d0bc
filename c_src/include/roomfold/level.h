// level.h: a level's sectors and walls, from JSON.
#ifndef ROOMFOLD_LEVEL_H
#define ROOMFOLD_LEVEL_H

#include <roomfold/space.h>

RF_BEGIN

#define RF_LEVEL_DOOM_UNIT (1.0 / 32) // metres

typedef struct rf_level rf_level;

// {"sectors": [{"floor", "ceil"}, ...], "lines": [{"x1", "y1", "x2", "y2", "front", "back", "flags"}, ...]}, other keys
// are ignored; z up, y north: a line's (x, y) is at (x, -y) * unit here. Sectors and lines are numbered by their place.
// A line without a back sector, or without flag 4, has no opening. RF_INVALID_LEVEL says in error->about where.
RF_API rf_status rf_level_from_json(rf_allocator allocator, rf_str text, double unit, rf_level **out, rf_error *error);
RF_API void rf_level_free(rf_level *level);

RF_API size_t rf_level_sectors(const rf_level *level);
RF_API rf_sector rf_level_sector(const rf_level *level, size_t number);
RF_API size_t rf_level_walls(const rf_level *level);
RF_API rf_wall rf_level_wall(const rf_level *level, size_t number);

// Adds all sectors and walls, with these layers, behind what is there: the first ones get the numbers in *first_sector
// and *first_wall (which may be NULL).
RF_API rf_status rf_space_add_level(rf_space *space, const rf_level *level, uint32_t layers, uint32_t *first_sector,
                                    uint32_t *first_wall);

RF_END

#endif
