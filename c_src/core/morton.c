#include "morton.h"

#include <math.h>

#define CELLS 1024
#define DIGIT_BITS 10
#define DIGITS (1 << DIGIT_BITS)

float rf_morton_middle(float low, float high) {
    float middle = low * 0.5F + high * 0.5F;
    if (middle - middle == 0) return middle;
    return low - low == 0 ? low : high - high == 0 ? high : 0;
}

void rf_morton_grid_init(rf_morton_grid *grid) {
    for (int i = 0; i < 3; i++) {
        grid->low[i] = INFINITY;
        grid->high[i] = -INFINITY;
    }
}

void rf_morton_grid_add(rf_morton_grid *grid, uint32_t axis, float low, float high) {
    float middle = rf_morton_middle(low, high);
    if (middle < grid->low[axis]) grid->low[axis] = middle;
    if (middle > grid->high[axis]) grid->high[axis] = middle;
}

void rf_morton_grid_finish(rf_morton_grid *grid) {
    float extent = 0;
    for (int i = 0; i < 3; i++) extent = fmaxf(extent, grid->high[i] - grid->low[i]);
    grid->scale = extent > 0 ? CELLS / extent : 0;
}

// Two zeros between each of the lowest ten bits.
static uint32_t spread(uint32_t bits) {
    bits = (bits | bits << 16) & 0x030000FF;
    bits = (bits | bits << 8) & 0x0300F00F;
    bits = (bits | bits << 4) & 0x030C30C3;
    return (bits | bits << 2) & 0x09249249;
}

uint32_t rf_morton_code(const rf_morton_grid *grid, const float middle[3]) {
    uint32_t out = 0;
    for (int i = 0; i < 3; i++) {
        float at = (middle[i] - grid->low[i]) * grid->scale;
        uint32_t cell = at >= CELLS - 1 ? CELLS - 1 : at > 0 ? (uint32_t)at : 0;
        out |= spread(cell) << i;
    }
    return out;
}

void rf_morton_sort(rf_morton_item *items, rf_morton_item *spare, uint32_t count) {
    rf_morton_item *from = items, *to = spare;
    for (uint32_t shift = 0; shift < 30; shift += DIGIT_BITS) {
        uint32_t starts[DIGITS] = {0}, sum = 0;
        rf_morton_item *swap = from;
        for (uint32_t i = 0; i < count; i++) starts[from[i].code >> shift & (DIGITS - 1)]++;
        for (uint32_t i = 0; i < DIGITS; i++) {
            uint32_t size = starts[i];
            starts[i] = sum;
            sum += size;
        }
        for (uint32_t i = 0; i < count; i++) to[starts[from[i].code >> shift & (DIGITS - 1)]++] = from[i];
        from = to;
        to = swap;
    }
    for (uint32_t i = 0; i < count; i++) items[i] = spare[i]; // three passes end there
}
