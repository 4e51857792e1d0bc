// statics.h: walls between sectors, boxes and triangles. They never move; the heights of sectors do.
#ifndef RF_CORE_STATICS_H
#define RF_CORE_STATICS_H

#include "base/alloc.h"
#include "bvh.h"
#include "sweep.h"
#include <roomfold/hit.h>

typedef struct rf_static_box {
    rf_round_box box;
    uint32_t layers;
} rf_static_box;

typedef struct rf_static_triangle {
    double corners[3][3];
    uint32_t layers;
} rf_static_triangle;

typedef struct rf_statics {
    struct {
        rf_sector *items;
        uint32_t count, capacity;
    } sectors;
    struct {
        rf_wall *items;
        uint32_t count, capacity;
    } walls;
    struct {
        rf_static_box *items;
        uint32_t count, capacity;
    } boxes;
    struct {
        rf_static_triangle *items;
        uint32_t count, capacity;
    } triangles;
    rf_bvh index; // of all walls, then all boxes, then all triangles
    bool indexed;
    uint32_t cleared; // how often all was removed
} rf_statics;

void rf_statics_free(rf_statics *statics, rf_mem *mem);
// Updates the index; false when out of memory.
bool rf_statics_index(rf_statics *statics, rf_mem *mem);

static inline uint32_t rf_statics_count(const rf_statics *statics) {
    return statics->walls.count + statics->boxes.count + statics->triangles.count;
}

// The thing that an item of the index is.
typedef struct rf_static_name {
    rf_hit_kind kind;
    uint32_t number;
} rf_static_name;
rf_static_name rf_statics_name(const rf_statics *statics, uint32_t item);
uint32_t rf_statics_layers(const rf_statics *statics, rf_static_name name);

// sides: the heights of the wall's front and back sector.
bool rf_wall_hit(const rf_wall *wall, const rf_sector sides[2], const rf_sweep *sweep, rf_contact *out);

#endif
