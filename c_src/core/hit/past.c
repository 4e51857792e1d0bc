#include "space_state.h"

#include <math.h>

rf_state *rf_past_state(const rf_past *past, uint32_t number) {
    return &past->states[(past->first + number) % past->capacity];
}

static void state_free(rf_state *state, rf_mem *mem) {
    for (uint32_t i = 0; i < state->count; i++) rf_profile_release(state->profiles[i], mem);
    rf_mem_free(mem, state->positions, state->count * sizeof *state->positions);
    rf_mem_free(mem, state->profiles, state->count * sizeof *state->profiles);
    rf_mem_free(mem, state->match, state->count * sizeof *state->match);
    rf_mem_free(mem, state->sectors, state->sectors_count * sizeof *state->sectors);
    rf_bvh_free(&state->index, mem);
    *state = (rf_state){0};
}

void rf_past_clear(rf_past *past, rf_mem *mem) {
    for (uint32_t i = 0; i < past->count; i++) state_free(rf_past_state(past, i), mem);
    past->first = past->count = 0;
}

void rf_past_free(rf_past *past, rf_mem *mem) {
    rf_past_clear(past, mem);
    rf_mem_free(mem, past->states, past->capacity * sizeof *past->states);
    past->states = NULL;
}

void rf_past_forget_sectors(rf_past *past, rf_mem *mem) {
    for (uint32_t i = 0; i < past->count; i++) {
        rf_state *state = rf_past_state(past, i);
        rf_mem_free(mem, state->sectors, state->sectors_count * sizeof *state->sectors);
        state->sectors = NULL;
        state->sectors_count = 0;
    }
}

uint32_t rf_past_find_seq(const rf_past *past, uint64_t seq) {
    uint32_t low = 0, high = past->count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (rf_past_state(past, middle)->seq <= seq)
            low = middle + 1;
        else
            high = middle;
    }
    return low - 1;
}

uint32_t rf_past_find_time(const rf_past *past, double time) {
    uint32_t low = 0, high = past->count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (rf_past_state(past, middle)->time <= time)
            low = middle + 1;
        else
            high = middle;
    }
    return low - 1;
}

// Copies the current state; on failure the state is empty.
static bool state_take(rf_state *state, rf_mem *mem, const rf_targets *targets, const rf_statics *statics) {
    uint32_t count = targets->count, sectors = statics->sectors.count, at = 0;
    state->positions = rf_mem_alloc(mem, count * sizeof *state->positions);
    state->profiles = rf_mem_alloc(mem, count * sizeof *state->profiles);
    state->match = rf_mem_zero(mem, count * sizeof *state->match);
    state->sectors = rf_mem_alloc(mem, sectors * sizeof *state->sectors);
    if ((count > 0 && (!state->positions || !state->profiles || !state->match)) || (sectors > 0 && !state->sectors)) {
        rf_mem_free(mem, state->positions, count * sizeof *state->positions);
        rf_mem_free(mem, state->profiles, count * sizeof *state->profiles);
        rf_mem_free(mem, state->match, count * sizeof *state->match);
        rf_mem_free(mem, state->sectors, sectors * sizeof *state->sectors);
        *state = (rf_state){0};
        return false;
    }
    if (sectors > 0) memcpy(state->sectors, statics->sectors.items, sectors * sizeof *state->sectors);
    for (uint32_t key = 0; at < count; key++) {
        uint32_t place = targets->places[key];
        if (place == 0) continue;
        memcpy(state->positions[at], targets->bodies[place - 1].position, sizeof state->positions[at]);
        state->profiles[at] = targets->profiles[place - 1];
        state->profiles[at]->users++;
        at++;
    }
    state->count = count;
    state->sectors_count = sectors;
    return true;
}

// The oldest state that is still needed is the last one at or before the start of the window.
static void forget_old(rf_past *past, rf_mem *mem, double now) {
    while (past->count > 1 && rf_past_state(past, 1)->time <= now - past->length) {
        state_free(rf_past_state(past, 0), mem);
        past->first = (past->first + 1) % past->capacity;
        past->count--;
    }
}

rf_status rf_space_commit(rf_space *space, uint64_t seq, double time_ms) {
    rf_past *past = &space->past;
    rf_mem *mem = &space->mem;
    rf_state taken = {.seq = seq, .time = time_ms}, *newest = NULL;
    if (!isfinite(time_ms)) return RF_NUMBER_OUT_OF_RANGE;
    if (past->count > 0) newest = rf_past_state(past, past->count - 1);
    if (newest && (seq < newest->seq || time_ms < newest->time)) return RF_INVALID_ARGUMENT;
    if (newest && time_ms == newest->time && seq == newest->seq) return RF_OK;
    if (!past->states) {
        past->states = rf_mem_zero(mem, past->capacity * sizeof *past->states);
        if (!past->states) return RF_NO_MEMORY;
    }
    if (!state_take(&taken, mem, &space->targets, &space->statics)) return RF_NO_MEMORY;
    if (newest) newest->indexed = false; // its index must include the paths to the new state
    if (past->count == past->capacity) {
        state_free(rf_past_state(past, 0), mem);
        past->first = (past->first + 1) % past->capacity;
        past->count--;
    }
    *rf_past_state(past, past->count++) = taken;
    forget_old(past, mem, time_ms);
    return RF_OK;
}

void rf_space_forget(rf_space *space) {
    rf_past_clear(&space->past, &space->mem);
}

bool rf_space_span(const rf_space *space, rf_span *out) {
    const rf_past *past = &space->past;
    const rf_state *first, *last;
    if (past->count == 0) return false;
    first = rf_past_state(past, 0);
    last = rf_past_state(past, past->count - 1);
    *out = (rf_span){.first_seq = first->seq, .last_seq = last->seq, .first_ms = first->time, .last_ms = last->time};
    return true;
}
