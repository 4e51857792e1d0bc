#include "curve.h"

#include <math.h>

#define CELLS 1024
#define DIGIT_BITS 10
#define DIGITS (1 << DIGIT_BITS)

float rf_curve_middle(float low, float high) {
    float middle = low * 0.5F + high * 0.5F;
    if (middle - middle == 0) return middle;
    return low - low == 0 ? low : high - high == 0 ? high : 0;
}

void rf_curve_grid_init(rf_curve_grid *grid) {
    for (int i = 0; i < 3; i++) {
        grid->low[i] = INFINITY;
        grid->high[i] = -INFINITY;
    }
}

void rf_curve_grid_add(rf_curve_grid *grid, uint32_t axis, float low, float high) {
    float middle = rf_curve_middle(low, high);
    if (middle < grid->low[axis]) grid->low[axis] = middle;
    if (middle > grid->high[axis]) grid->high[axis] = middle;
}

void rf_curve_grid_finish(rf_curve_grid *grid) {
    float extent = 0;
    for (int i = 0; i < 3; i++) extent = fmaxf(extent, grid->high[i] - grid->low[i]);
    grid->scale = extent > 0 ? CELLS / extent : 0;
}

// Inserts two zeros after each of the lowest ten bits (Giesen, "Decoding Morton codes", 2009).
static uint32_t spread(uint32_t bits) {
    bits = (bits | bits << 16) & 0x030000FF;
    bits = (bits | bits << 8) & 0x0300F00F;
    bits = (bits | bits << 4) & 0x030C30C3;
    return (bits | bits << 2) & 0x09249249;
}

// Transforms a cell so that interleaving the bits of x, y and z gives its index on the curve (Skilling, Programming the
// Hilbert Curve, 2004).
static void hilbert(uint32_t cell[3]) {
    uint32_t flip = 0;
    for (uint32_t bit = CELLS / 2; bit > 1; bit >>= 1)
        for (int i = 0; i < 3; i++) {
            uint32_t swap = (cell[i] & bit) != 0 ? 0 : (cell[0] ^ cell[i]) & (bit - 1);
            cell[0] ^= (cell[i] & bit) != 0 ? bit - 1 : swap;
            cell[i] ^= swap;
        }
    cell[1] ^= cell[0];
    cell[2] ^= cell[1];
    for (uint32_t bit = CELLS / 2; bit > 1; bit >>= 1) flip ^= (cell[2] & bit) != 0 ? bit - 1 : 0;
    for (int i = 0; i < 3; i++) cell[i] ^= flip;
}

uint32_t rf_curve_code(const rf_curve_grid *grid, const float middle[3]) {
    uint32_t out = 0, cells[3];
    for (int i = 0; i < 3; i++) {
        float at = (middle[i] - grid->low[i]) * grid->scale;
        uint32_t cell = at >= CELLS - 1 ? CELLS - 1 : at > 0 ? (uint32_t)at : 0;
        cells[i] = cell;
    }
    hilbert(cells);
    for (int i = 0; i < 3; i++) out |= spread(cells[i]) << (2 - i);
    return out;
}

// Radix sort, the lowest digit first.
void rf_curve_sort(rf_curve_item *items, rf_curve_item *spare, uint32_t count) {
    rf_curve_item *from = items, *to = spare;
    for (uint32_t shift = 0; shift < 30; shift += DIGIT_BITS) {
        uint32_t starts[DIGITS] = {0}, sum = 0;
        rf_curve_item *swap = from;
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
    for (uint32_t i = 0; i < count; i++) items[i] = spare[i]; // the odd number of passes ends in spare
}
