// checkpoint.c: free handles, and who came to be when, out and in.
#include <roomfold/checkpoint.h>

#include "world_state.h"

uint32_t rf_world_next_free(const rf_world *world, uint32_t handle1) {
    if (handle1 > world->handles || (handle1 > 0 && rf_world_handle_alive(world, handle1 - 1))) return 0;
    if (!world->mirror) return handle1 == 0 ? world->free1 : rf_world_slot(world, handle1 - 1)->since;
    while (handle1 < world->handles && rf_world_handle_alive(world, handle1)) handle1++;
    return handle1 < world->handles ? handle1 + 1 : 0;
}

static bool make_pages(rf_world *world, uint32_t count) {
    if (count == 0) return true;
    world->pages = rf_mem_zero(&world->mem, count * sizeof *world->pages);
    if (!world->pages) return false;
    world->pages_capacity = count;
    for (uint32_t i = 0; i < count; i++) {
        world->pages[i] = rf_mem_zero(&world->mem, sizeof **world->pages);
        if (!world->pages[i]) return false;
    }
    return true;
}

rf_status rf_world_set_free(rf_world *world, const uint32_t *handles1, uint32_t count) {
    const uint32_t unlinked = UINT32_MAX;
    if (world->pages_capacity > 0) return RF_INVALID_ARGUMENT;
    if (count > world->max_entities) return RF_WORLD_FULL;
    if (!make_pages(world, (count + RF_PAGE_SIZE - 1) / RF_PAGE_SIZE)) return RF_NO_MEMORY;
    for (uint32_t handle = 0; handle < count; handle++) rf_world_slot(world, handle)->since = unlinked;
    for (uint32_t i = 0; i < count; i++) {
        if (handles1[i] == 0 || handles1[i] > count || rf_world_slot(world, handles1[i] - 1)->since != unlinked)
            return RF_INVALID_ARGUMENT;
        rf_world_slot(world, handles1[i] - 1)->since = i + 1 < count ? handles1[i + 1] : 0;
    }
    world->handles = count;
    world->free1 = count > 0 ? handles1[0] : 0;
    return RF_OK;
}

bool rf_world_mirrors(const rf_world *world) {
    return world->mirror;
}

uint64_t rf_world_oldest(const rf_world *world) {
    uint64_t oldest = world->seq > world->history.length ? world->seq - world->history.length : 0;
    if (oldest < world->oldest) oldest = world->oldest;
    return oldest > world->history.forgotten ? oldest : world->history.forgotten;
}

uint64_t rf_world_since(const rf_world *world, rf_entity entity) {
    uint64_t seq = rf_history_seq(&world->history, rf_world_slot(world, entity.handle1 - 1)->since);
    return seq > rf_world_oldest(world) ? seq : rf_world_oldest(world);
}

void rf_world_resume(rf_world *world, bool mirror) {
    world->start = world->seq;
    world->mirror = mirror;
}
