// space.c: makes and frees spaces.
#include "space_state.h"

#include "base/grow.h"
#include <math.h>

#define COOKIE UINT32_C(0x52465350)
#define MAX_ITEMS (UINT32_C(1) << 24)
#define MAX_STATES 4096

rf_space_def rf_space_def_default(void) {
    return (rf_space_def){.cookie = COOKIE,
                          .allocator = rf_allocator_default(),
                          .simd = RF_SIMD_AUTO,
                          .max_targets = UINT32_C(1) << 20,
                          .max_statics = UINT32_C(1) << 20,
                          .history_ms = 1000,
                          .history_states = 128};
}

rf_status rf_space_new(const rf_space_def *def, rf_space **out) {
    const rf_bvh_ops *ops;
    rf_space *space;
    *out = NULL;
    if (def->cookie != COOKIE || !def->allocator.resize || def->max_targets > MAX_ITEMS ||
        def->max_statics > MAX_ITEMS || !(def->history_ms >= 0 && isfinite(def->history_ms)) ||
        def->history_states == 0 || def->history_states > MAX_STATES)
        return RF_INVALID_ARGUMENT;
    ops = rf_bvh_ops_for(def->simd);
    if (!ops) return RF_INVALID_ARGUMENT;
    space = rf_alloc_zero(def->allocator, sizeof *space);
    if (!space) return RF_NO_MEMORY;
    space->mem = (rf_mem){.allocator = def->allocator, .used = sizeof *space};
    space->max_targets = def->max_targets;
    space->max_statics = def->max_statics;
    space->simd = def->simd == RF_SIMD_AUTO ? rf_simd_best() : def->simd;
    space->ops = ops;
    space->past.length = def->history_ms;
    space->past.capacity = def->history_states;
    *out = space;
    return RF_OK;
}

void rf_space_free(rf_space *space) {
    rf_mem *mem;
    if (!space) return;
    mem = &space->mem;
    rf_past_free(&space->past, mem);
    rf_targets_free(&space->targets, mem);
    rf_statics_free(&space->statics, mem);
    rf_free(mem->allocator, space);
}

size_t rf_space_memory(const rf_space *space) {
    return space->mem.used;
}

rf_simd rf_space_simd(const rf_space *space) {
    return space->simd;
}
