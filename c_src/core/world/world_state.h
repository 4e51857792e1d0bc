// world_state.h: the contents of a world, for the core's own files.
#ifndef RF_CORE_WORLD_STATE_H
#define RF_CORE_WORLD_STATE_H

#include "column.h"
#include "base/hash.h"
#include "history.h"
#include "id_table.h"
#include "undeclared.h"
#include "stamps.h"
#include "base/str.h"
#include <roomfold/world.h>

// An entity, apart from its declared components. The slot of a free handle keeps only its generation and, in `since`,
// the handle that was freed before it, plus one.
typedef struct rf_slot {
    rf_entity_id id;
    rf_undeclared_list *undeclared;
    uint32_t generation;
    uint32_t since; // revision of its creation
} rf_slot;

// 64 slots. Their change and creation revisions are in arrays, so that all 64 are compared at once.
typedef struct rf_slot_page {
    uint64_t alive;
    uint64_t with_undeclared;          // a bit per slot: it has an rf_undeclared_list
    uint32_t created, changed;         // the latest of these:
    uint32_t changed_at[RF_PAGE_SIZE]; // revision of the last change
    uint32_t created_at[RF_PAGE_SIZE]; // revision of its creation or replacement
    rf_slot slots[RF_PAGE_SIZE];
} rf_slot_page;

struct rf_world {
    rf_mem mem;
    rf_schema *schema;
    rf_rules *rules;
    uint64_t seq, start;
    uint64_t hash_seed;
    uint32_t max_entities, max_value_bytes, max_undeclared;
    uint32_t count;   // alive
    uint32_t handles; // assigned so far, in use or free
    uint32_t free1;   // the handle freed last, plus one
    bool mirror;      // the handles are another world's: free1 is unused, pages may be missing
    uint32_t pages_capacity;
    rf_slot_page **pages;
    rf_id_table ids;
    rf_history history;
    uint32_t column_count;
    rf_column *columns; // as many as the schema has
    uint64_t oldest;    // whose handles packed events may refer to; below `start` if made from a checkpoint
};

static inline rf_slot_page *rf_world_page(const rf_world *world, uint32_t handle) {
    return world->pages[handle / RF_PAGE_SIZE];
}

// A bit per entity of this handle's page: it is alive.
static inline uint64_t rf_world_alive_on(const rf_world *world, uint32_t handle) {
    const rf_slot_page *page = rf_world_page(world, handle);
    return page ? page->alive : 0;
}

// Whether this handle, which is below world->handles, is a living entity's.
static inline bool rf_world_handle_alive(const rf_world *world, uint32_t handle) {
    return rf_world_alive_on(world, handle) >> (handle % RF_PAGE_SIZE) & 1;
}

static inline rf_slot *rf_world_slot(const rf_world *world, uint32_t handle) {
    return &rf_world_page(world, handle)->slots[handle % RF_PAGE_SIZE];
}

// The living entity with this handle.
static inline rf_entity rf_world_entity(const rf_world *world, uint32_t handle) {
    return (rf_entity){.handle1 = handle + 1, .generation = rf_world_slot(world, handle)->generation};
}

// Living entities that changed at or after `since`.
static inline uint64_t rf_slot_page_changed(const rf_slot_page *page, uint32_t since) {
    return page->changed < since ? 0 : page->alive & rf_stamps_since(page->changed_at, since);
}

// Living entities that were created or replaced at or after `since`.
static inline uint64_t rf_slot_page_created(const rf_slot_page *page, uint32_t since) {
    return page->created < since ? 0 : page->alive & rf_stamps_since(page->created_at, since);
}

// Records a change of the entity at this position.
static inline void rf_slot_page_touch(rf_slot_page *page, uint32_t place, uint32_t revision) {
    page->changed_at[place] = page->changed = revision;
}

// The handle of a living entity, or RF_NO_HANDLE.
static inline uint32_t rf_world_lookup(const rf_world *world, rf_str id, uint64_t hash) {
    const rf_id_table *ids = &world->ids;
    uint32_t tag = rf_id_table_tag(hash), at;
    if (!ids->entries) return RF_NO_HANDLE;
    for (at = tag & ids->mask; ids->entries[at] != 0; at = (at + 1) & ids->mask) {
        if ((uint32_t)(ids->entries[at] >> 32) == tag) {
            uint32_t handle = (uint32_t)ids->entries[at] - 1;
            if (rf_str_eq(rf_entity_id_str(&rf_world_slot(world, handle)->id), id)) return handle;
        }
    }
    return RF_NO_HANDLE;
}

// rf_world_advance for any seq, and when revisions run out.
void rf_world_advance_far(rf_world *world, uint64_t seq);

// Begins a new revision with this seq.
static inline void rf_world_advance(rf_world *world, uint64_t seq) {
    if (seq != world->seq + 1 || world->history.revision == UINT32_MAX - 1) {
        rf_world_advance_far(world, seq);
    } else {
        world->seq = seq;
        world->history.revision++;
    }
}

// Whether packed events may refer to the handles of this seq, which must not be above the world's.
static inline bool rf_world_remembers_handles(const rf_world *world, uint64_t seq) {
    return seq >= world->oldest && seq >= world->history.forgotten && world->seq - seq <= world->history.length;
}

// Whether a diff can start at this seq, which must not be above the world's.
static inline bool rf_world_remembers(const rf_world *world, uint64_t seq) {
    return seq >= world->start && rf_world_remembers_handles(world, seq);
}

#endif
