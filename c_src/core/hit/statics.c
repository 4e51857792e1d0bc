#include "space_state.h"

#include "base/grow.h"
#include <math.h>

void rf_statics_free(rf_statics *statics, rf_mem *mem) {
    rf_mem_free(mem, statics->sectors.items, statics->sectors.capacity * sizeof *statics->sectors.items);
    rf_mem_free(mem, statics->walls.items, statics->walls.capacity * sizeof *statics->walls.items);
    rf_mem_free(mem, statics->boxes.items, statics->boxes.capacity * sizeof *statics->boxes.items);
    rf_mem_free(mem, statics->triangles.items, statics->triangles.capacity * sizeof *statics->triangles.items);
    rf_bvh_free(&statics->index, mem);
    *statics = (rf_statics){0};
}

rf_static_name rf_statics_name(const rf_statics *statics, uint32_t item) {
    uint32_t boxes = statics->walls.count, triangles = boxes + statics->boxes.count;
    if (item < boxes) return (rf_static_name){RF_HIT_WALL, item};
    if (item < triangles) return (rf_static_name){RF_HIT_BOX, item - boxes};
    return (rf_static_name){RF_HIT_TRIANGLE, item - triangles};
}

uint32_t rf_statics_layers(const rf_statics *statics, rf_static_name name) {
    if (name.kind == RF_HIT_WALL) return statics->walls.items[name.number].layers;
    if (name.kind == RF_HIT_BOX) return statics->boxes.items[name.number].layers;
    return statics->triangles.items[name.number].layers;
}

static void static_bounds(const rf_statics *statics, rf_static_name name, double low[3], double high[3]) {
    if (name.kind == RF_HIT_WALL) {
        const rf_wall *wall = &statics->walls.items[name.number];
        low[0] = fmin(wall->x1, wall->x2);
        high[0] = fmax(wall->x1, wall->x2);
        low[1] = wall->bottom;
        high[1] = wall->top;
        low[2] = fmin(wall->z1, wall->z2);
        high[2] = fmax(wall->z1, wall->z2);
    } else if (name.kind == RF_HIT_BOX) {
        const rf_round_box *box = &statics->boxes.items[name.number].box;
        memcpy(low, box->low, sizeof box->low);
        memcpy(high, box->high, sizeof box->high);
    } else {
        const rf_static_triangle *triangle = &statics->triangles.items[name.number];
        for (int i = 0; i < 3; i++) {
            low[i] = fmin(fmin(triangle->corners[0][i], triangle->corners[1][i]), triangle->corners[2][i]);
            high[i] = fmax(fmax(triangle->corners[0][i], triangle->corners[1][i]), triangle->corners[2][i]);
        }
    }
}

static void bounds(const void *context, const uint32_t *items, uint32_t count, float *rows) {
    const rf_statics *statics = context;
    for (uint32_t lane = 0; lane < count; lane++) {
        double low[3], high[3];
        static_bounds(statics, rf_statics_name(statics, items[lane]), low, high);
        rf_bvh_lane(rows, lane, low, high);
    }
}

bool rf_statics_index(rf_statics *statics, rf_mem *mem) {
    rf_bvh_source source = {.bounds = bounds, .context = statics};
    if (statics->indexed) return true;
    statics->indexed = rf_bvh_build(&statics->index, mem, rf_statics_count(statics), source);
    return statics->indexed;
}

// --- the public part

static bool sector_valid(rf_sector sector) {
    return rf_coordinates_valid(&sector.floor, 1) && rf_coordinates_valid(&sector.ceiling, 1);
}

rf_status rf_space_add_sector(rf_space *space, rf_sector sector, uint32_t *number) {
    rf_statics *statics = &space->statics;
    if (!sector_valid(sector)) return RF_NUMBER_OUT_OF_RANGE;
    if (statics->sectors.count >= space->max_statics) return RF_TOO_LARGE;
    if (!RF_GROW(&space->mem, &statics->sectors, statics->sectors.count + UINT64_C(1))) return RF_NO_MEMORY;
    if (number) *number = statics->sectors.count;
    statics->sectors.items[statics->sectors.count++] = sector;
    return RF_OK;
}

rf_status rf_space_set_sector(rf_space *space, uint32_t number, rf_sector sector) {
    if (number >= space->statics.sectors.count) return RF_INVALID_ARGUMENT;
    if (!sector_valid(sector)) return RF_NUMBER_OUT_OF_RANGE;
    space->statics.sectors.items[number] = sector;
    return RF_OK;
}

uint32_t rf_space_sectors(const rf_space *space) {
    return space->statics.sectors.count;
}

uint32_t rf_space_walls(const rf_space *space) {
    return space->statics.walls.count;
}

bool rf_space_indexed(const rf_space *space) {
    return space->statics.indexed || rf_statics_count(&space->statics) == 0;
}

bool rf_space_sector(const rf_space *space, uint32_t number, rf_sector *out) {
    if (number >= space->statics.sectors.count) return false;
    *out = space->statics.sectors.items[number];
    return true;
}

static bool height_valid(double height) {
    return rf_coordinates_valid(&height, 1) || isinf(height);
}

rf_status rf_space_add_wall(rf_space *space, const rf_wall *wall, uint32_t *number) {
    rf_statics *statics = &space->statics;
    double plan[4] = {wall->x1, wall->z1, wall->x2, wall->z2};
    uint32_t sectors = statics->sectors.count;
    if (!rf_coordinates_valid(plan, 4) || !height_valid(wall->bottom) || !height_valid(wall->top))
        return RF_NUMBER_OUT_OF_RANGE;
    if (!(wall->bottom <= wall->top)) return RF_INVALID_ARGUMENT;
    if (wall->back != RF_NO_SECTOR && (wall->back >= sectors || wall->front >= sectors)) return RF_INVALID_ARGUMENT;
    if (statics->walls.count >= space->max_statics) return RF_TOO_LARGE;
    if (!RF_GROW(&space->mem, &statics->walls, statics->walls.count + UINT64_C(1))) return RF_NO_MEMORY;
    if (number) *number = statics->walls.count;
    statics->walls.items[statics->walls.count++] = *wall;
    statics->indexed = false;
    return RF_OK;
}

rf_status rf_space_add_box(rf_space *space, const double low[3], const double high[3], uint32_t layers,
                           uint32_t *number) {
    rf_statics *statics = &space->statics;
    rf_static_box box = {.layers = layers};
    if (!rf_coordinates_valid(low, 3) || !rf_coordinates_valid(high, 3)) return RF_NUMBER_OUT_OF_RANGE;
    for (int i = 0; i < 3; i++)
        if (low[i] > high[i]) return RF_INVALID_ARGUMENT;
    if (statics->boxes.count >= space->max_statics) return RF_TOO_LARGE;
    if (!RF_GROW(&space->mem, &statics->boxes, statics->boxes.count + UINT64_C(1))) return RF_NO_MEMORY;
    memcpy(box.box.low, low, sizeof box.box.low);
    memcpy(box.box.high, high, sizeof box.box.high);
    if (number) *number = statics->boxes.count;
    statics->boxes.items[statics->boxes.count++] = box;
    statics->indexed = false;
    return RF_OK;
}

rf_status rf_space_add_triangle(rf_space *space, const double corners[3][3], uint32_t layers, uint32_t *number) {
    rf_statics *statics = &space->statics;
    rf_static_triangle triangle = {.layers = layers};
    if (!rf_coordinates_valid(corners[0], 9)) return RF_NUMBER_OUT_OF_RANGE;
    if (statics->triangles.count >= space->max_statics) return RF_TOO_LARGE;
    if (!RF_GROW(&space->mem, &statics->triangles, statics->triangles.count + UINT64_C(1))) return RF_NO_MEMORY;
    memcpy(triangle.corners, corners, sizeof triangle.corners);
    if (number) *number = statics->triangles.count;
    statics->triangles.items[statics->triangles.count++] = triangle;
    statics->indexed = false;
    return RF_OK;
}

void rf_space_clear_statics(rf_space *space) {
    uint32_t cleared = space->statics.cleared + 1;
    rf_statics_free(&space->statics, &space->mem);
    space->statics.cleared = cleared;
    rf_past_forget_sectors(&space->past, &space->mem);
}
