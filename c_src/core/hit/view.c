// view.c: the space at one moment: now, at a committed state, or between two.
#include "space_state.h"

#include <math.h>

static void shape_bounds(const rf_shape *shape, const double position[3], double low[3], double high[3]) {
    for (int i = 0; i < 3; i++) {
        double reach = shape->half[i] + shape->radius, centre = i == 1 ? position[1] + shape->lift : position[i];
        low[i] = centre - reach < low[i] ? centre - reach : low[i];
        high[i] = centre + reach > high[i] ? centre + reach : high[i];
    }
}

typedef struct span {
    const rf_state *state, *next;
} span;

static void bounds(const void *context, const uint32_t *items, uint32_t count, float *rows) {
    const span *between = context;
    for (uint32_t lane = 0; lane < count; lane++) {
        const rf_state *state = between->state;
        uint32_t item = items[lane], match = state->match[item];
        const rf_shape *shape = &state->profiles[item]->shape;
        double low[3] = {INFINITY, INFINITY, INFINITY}, high[3] = {-INFINITY, -INFINITY, -INFINITY};
        shape_bounds(shape, state->positions[item], low, high);
        if (match > 0) shape_bounds(shape, between->next->positions[match - 1], low, high);
        rf_bvh_lane(rows, lane, low, high);
    }
}

// Pairs each target with the same incarnation in the next state (match: its index + 1, 0: none). One merge pass: both
// are sorted by key.
static void find_matches(rf_state *state, const rf_state *next) {
    uint32_t other = 0;
    for (uint32_t i = 0; i < state->count; i++) {
        uint32_t key = state->profiles[i]->key;
        state->match[i] = 0;
        while (next && other < next->count && next->profiles[other]->key < key) other++;
        if (next && other < next->count && next->profiles[other]->key == key &&
            next->profiles[other]->incarnation == state->profiles[i]->incarnation)
            state->match[i] = other + 1;
    }
}

static bool index_state(rf_space *space, rf_state *state, const rf_state *next) {
    span between = {state, next};
    if (state->indexed) return true;
    find_matches(state, next);
    state->indexed =
        rf_bvh_build(&state->index, &space->mem, state->count, (rf_bvh_source){.bounds = bounds, .context = &between});
    return state->indexed;
}

static rf_status past_view(rf_space *space, rf_moment moment, rf_view *out) {
    const rf_past *past = &space->past;
    bool by_seq = moment.kind == RF_AT_SEQ;
    uint32_t number;
    rf_state *state, *next = NULL, *newest;
    if (!isfinite(moment.value) || (by_seq && (moment.value < 0 || moment.value >= 0x1p64)))
        return RF_NUMBER_OUT_OF_RANGE;
    if (past->count == 0) return RF_UNKNOWN_MOMENT;
    number = by_seq ? rf_past_find_seq(past, (uint64_t)moment.value) : rf_past_find_time(past, moment.value);
    newest = rf_past_state(past, past->count - 1);
    if (number == UINT32_MAX) return RF_UNKNOWN_MOMENT;
    if (by_seq ? moment.value > (double)newest->seq : moment.value > newest->time) return RF_UNKNOWN_MOMENT;
    state = rf_past_state(past, number);
    if (number + 1 < past->count) next = rf_past_state(past, number + 1);
    if (!index_state(space, state, next)) return RF_NO_MEMORY;
    *out = (rf_view){.space = space, .index = &state->index, .state = state};
    if (by_seq || !next || moment.value <= state->time) return RF_OK;
    out->next = next;
    out->blend = (moment.value - state->time) / (next->time - state->time);
    return RF_OK;
}

rf_status rf_view_at(rf_space *space, rf_moment moment, rf_view *out) {
    switch (moment.kind) {
    case RF_NOW:
        if (!rf_targets_index(&space->targets, &space->mem)) return RF_NO_MEMORY;
        *out = (rf_view){.space = space, .index = &space->targets.index};
        return RF_OK;
    case RF_AT_SEQ:
    case RF_AT_TIME:
        return past_view(space, moment, out);
    default:
        return RF_INVALID_ARGUMENT;
    }
}

static double blend(double from, double to, double share) {
    return from + (to - from) * share;
}

void rf_view_past_box(const rf_view *view, uint32_t item, rf_round_box *out) {
    const rf_state *state = view->state;
    const double *from = state->positions[item];
    uint32_t match = view->next ? state->match[item] : 0;
    double position[3];
    for (int i = 0; i < 3; i++)
        position[i] = match > 0 ? blend(from[i], view->next->positions[match - 1][i], view->blend) : from[i];
    rf_shape_at(&state->profiles[item]->shape, position, out);
}

rf_sector rf_view_sector(const rf_view *view, uint32_t number) {
    const rf_state *state = view->state, *next = view->next;
    rf_sector sector, then;
    if (!state || number >= state->sectors_count) return view->space->statics.sectors.items[number];
    sector = state->sectors[number];
    if (!next || number >= next->sectors_count) return sector;
    then = next->sectors[number];
    return (rf_sector){.floor = blend(sector.floor, then.floor, view->blend),
                       .ceiling = blend(sector.ceiling, then.ceiling, view->blend)};
}
