// wall.c: a moving shape against a wall with an opening.
#include "statics.h"

#include <math.h>

static bool either(const rf_sweep *sweep, const rf_panel panels[2], int count, rf_contact *out) {
    rf_contact contact;
    bool hit = false;
    for (int i = 0; i < count; i++) {
        if (!rf_sweep_panel(sweep, &panels[i], &contact)) continue;
        if (!hit || contact.t < out->t) *out = contact;
        hit = true;
    }
    return hit;
}

// Tests the parts of the wall below and above the opening. A part is absent if the two sectors have the same height
// there.
bool rf_wall_hit(const rf_wall *wall, const rf_sector sides[2], const rf_sweep *sweep, rf_contact *out) {
    rf_panel panels[2], whole = {.x1 = wall->x1,
                                 .z1 = wall->z1,
                                 .x2 = wall->x2,
                                 .z2 = wall->z2,
                                 .low_edge = true,
                                 .high_edge = true,
                                 .low = wall->bottom,
                                 .high = wall->top};
    int count = 0;
    if (wall->back == RF_NO_SECTOR) return rf_sweep_panel(sweep, &whole, out);
    if (sides[0].floor != sides[1].floor) {
        double high = fmax(sides[0].floor, sides[1].floor);
        panels[count] = whole;
        if (high <= whole.high) {
            panels[count].high = high;
            panels[count].high_edge = false;
        }
        count += panels[count].low < panels[count].high;
    }
    if (sides[0].ceiling != sides[1].ceiling) {
        double low = fmin(sides[0].ceiling, sides[1].ceiling);
        panels[count] = whole;
        if (low >= whole.low) {
            panels[count].low = low;
            panels[count].low_edge = false;
        }
        count += panels[count].low < panels[count].high;
    }
    return either(sweep, panels, count, out);
}
