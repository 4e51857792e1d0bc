// space_state.h: the contents of a space, for the core's own files.
#ifndef RF_CORE_SPACE_STATE_H
#define RF_CORE_SPACE_STATE_H

#include "base/alloc.h"
#include "bvh_ops.h"
#include "world/entity_id.h"
#include "past.h"
#include "shape.h"
#include "statics.h"
#include "base/str.h"
#include "targets.h"
#include <roomfold/hit.h>

struct rf_space {
    rf_mem mem;
    uint32_t max_targets, max_statics;
    rf_simd simd;
    const rf_bvh_ops *ops;
    rf_targets targets;
    rf_statics statics;
    rf_past past;
};

// The space at a moment: now (state is NULL), at a committed state, or between two.
typedef struct rf_view {
    const rf_space *space;
    const rf_bvh *index;
    const rf_state *state, *next; // next: to interpolate with, or NULL
    double blend;
} rf_view;

// RF_UNKNOWN_MOMENT, RF_NUMBER_OUT_OF_RANGE, RF_INVALID_ARGUMENT (an unknown kind) or RF_NO_MEMORY.
rf_status rf_view_at(rf_space *space, rf_moment moment, rf_view *out);

static inline const rf_profile *rf_view_profile(const rf_view *view, uint32_t item) {
    return view->state ? view->state->profiles[item] : view->space->targets.profiles[item];
}

static inline uint32_t rf_view_layers(const rf_view *view, uint32_t item) {
    return view->state ? view->state->profiles[item]->layers : view->space->targets.layers[item];
}

// A target's collider in a past view.
void rf_view_past_box(const rf_view *view, uint32_t item, rf_round_box *out);

static inline void rf_view_box(const rf_view *view, uint32_t item, rf_round_box *out) {
    const rf_body *body;
    if (view->state) {
        rf_view_past_box(view, item, out);
        return;
    }
    body = &view->space->targets.bodies[item];
    rf_shape_at(&body->shape, body->position, out);
}

rf_sector rf_view_sector(const rf_view *view, uint32_t number);

#endif
