// diff.c: iterates over what changed in a world since a seq.
#include <roomfold/diff.h>

#include "base/bits.h"
#include "world_state.h"

struct rf_diff {
    const rf_world *world;
    rf_allocator allocator;
    uint32_t since;       // first revision after `from`
    uint32_t first, next; // the first handles of the current page and of the next one
    uint64_t left;        // a bit per entity of the page still to be returned
    uint32_t dead_next, dead_count;
    uint32_t dead[]; // tombstones of entities that were alive at `from`, by handle
};

// Whether the entity was alive before `since` and its id does not exist now.
static bool gone(const rf_world *world, const rf_tombstone *tombstone, uint32_t since) {
    rf_str id = rf_entity_id_str(&tombstone->id);
    return tombstone->since < since && tombstone->died >= since &&
           rf_world_lookup(world, id, rf_hash(id, world->hash_seed)) == RF_NO_HANDLE;
}

// Whether the tombstone has a lower handle.
static bool is_lower(const rf_history *history, const uint32_t *a, const uint32_t *b) {
    return rf_history_dead(history, *a)->handle < rf_history_dead(history, *b)->handle;
}

#define SORT_NAME sort_dead
#define SORT_ITEM uint32_t
#define SORT_CONTEXT const rf_history *
#define SORT_BEFORE is_lower
#include "base/heapsort.inl"

rf_status rf_diff_new(const rf_world *world, uint64_t from, rf_diff **out) {
    const rf_history *history = &world->history;
    uint32_t since;
    rf_diff *diff;
    *out = NULL;
    if (from > world->seq) return RF_SEQ_AHEAD;
    if (!rf_world_remembers(world, from)) return RF_HISTORY_GONE;
    since = rf_history_after(history, from);
    diff = rf_alloc(world->mem.allocator, sizeof *diff + history->dead_count * sizeof *diff->dead);
    if (!diff) return RF_NO_MEMORY;
    *diff = (rf_diff){.world = world, .allocator = world->mem.allocator, .since = since};
    for (uint32_t i = rf_history_dead_since(history, since); i < history->dead_count; i++)
        if (gone(world, rf_history_dead(history, i), since)) diff->dead[diff->dead_count++] = i;
    sort_dead(history, diff->dead, diff->dead_count);
    *out = diff;
    return RF_OK;
}

static void next_dead(rf_diff *diff, rf_change *out) {
    const rf_tombstone *tombstone = rf_history_dead(&diff->world->history, diff->dead[diff->dead_next++]);
    *out = (rf_change){.kind = RF_CHANGE_DELETE, .handle = tombstone->handle, .id = rf_entity_id_str(&tombstone->id)};
}

static bool next_living(rf_diff *diff, rf_change *out) {
    const rf_world *world = diff->world;
    const rf_slot_page *page;
    uint32_t place;
    while (diff->left == 0) {
        if (diff->next >= world->handles) return false;
        diff->first = diff->next;
        diff->next += RF_PAGE_SIZE;
        page = rf_world_page(world, diff->first);
        if (page) diff->left = rf_slot_page_changed(page, diff->since);
    }
    page = rf_world_page(world, diff->first);
    place = rf_low_bit(diff->left);
    diff->left &= diff->left - 1;
    *out = (rf_change){.kind = page->created_at[place] >= diff->since ? RF_CHANGE_CREATE : RF_CHANGE_UPDATE,
                       .handle = diff->first + place,
                       .id = rf_entity_id_str(&page->slots[place].id),
                       .components = {.world = world, .handle = diff->first + place}};
    if (out->kind == RF_CHANGE_UPDATE) out->components.since = diff->since;
    return true;
}

bool rf_diff_next(rf_diff *diff, rf_change *out) {
    if (diff->dead_next < diff->dead_count) {
        next_dead(diff, out);
        return true;
    }
    return next_living(diff, out);
}

void rf_diff_free(rf_diff *diff) {
    if (diff) rf_free(diff->allocator, diff);
}
