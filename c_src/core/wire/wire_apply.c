// wire_apply.c: loads packed snapshots and applies packed diffs.
#include <roomfold/wire.h>

#include "base/bits.h"
#include "base/key_set.h"
#include "schema/schema_state.h"
#include "wire_masks.h"
#include "wire_value_in.h"
#include "wire_words.h"
#include "world/change.h"

typedef struct handles {
    uint32_t *items; // ascending
    size_t count, capacity;
} handles;

typedef struct applier {
    rf_world *world;
    const rf_schema *schema;
    rf_wire_in in;
    bool commit;     // otherwise the frame is only checked
    uint64_t listed; // handles read
    handles deleted, created;
    handles owners;     // existing entities with the ids of creates
    rf_key_set ids;     // of the creates
    rf_arena id_arena;  // their bytes
    rf_arena arena;     // values of the current entity
    rf_assign *assigns; // of the current entity
    size_t assign_count, assign_capacity;
} applier;

static bool fail(applier *a, rf_status status) {
    return rf_wire_fail(&a->in, status);
}

// Fails at the start of an item.
static bool fail_at(applier *a, uint64_t at, rf_status status) {
    return rf_wire_fail_at(&a->in, at, status);
}

static bool reading(const applier *a) {
    return a->in.status == RF_OK;
}

// ---- an entity --------------------------------------------------------------------------------------

static rf_assign *add_assign(applier *a) {
    if (a->assign_count == a->assign_capacity) {
        rf_allocator allocator = a->arena.allocator;
        size_t capacity = a->assign_capacity ? a->assign_capacity * 2 : RF_SCHEMA_MAX;
        rf_assign *assigns = allocator.resize(allocator.context, a->assigns, capacity * sizeof *assigns);
        if (!assigns) {
            fail(a, RF_NO_MEMORY);
            return NULL;
        }
        a->assigns = assigns;
        a->assign_capacity = capacity;
    }
    a->assigns[a->assign_count] = (rf_assign){0};
    return &a->assigns[a->assign_count++];
}

static void get_values(applier *a, uint64_t mask, uint64_t removed, uint32_t handle, bool update) {
    for (; mask != 0 && reading(a); mask &= mask - 1) {
        uint32_t i = rf_low_bit(mask);
        rf_assign *assign = add_assign(a);
        if (!assign) return;
        assign->column = (int)i;
        assign->remove = removed >> i & 1;
        if (!assign->remove) assign->image = rf_wire_get_value(&a->in, a->world, i, handle, update, &a->arena);
    }
}

static bool valid_name(const applier *a, rf_str name) {
    return name.len >= 1 && name.len <= RF_NAME_MAX && !rf_str_eq(name, RF_LIT("id")) &&
           rf_schema_lookup(a->schema, name) < 0;
}

// undeclared: the entity's current ones.
static void get_undeclared(applier *a, const rf_undeclared_list *undeclared, bool update) {
    uint64_t count = rf_wire_get_nib(&a->in), live = undeclared ? undeclared->live : 0;
    rf_str last = {0};
    if (count == 0) fail(a, RF_INVALID_FRAME);
    for (uint64_t i = 0; i < count && reading(a); i++) {
        rf_assign *assign = add_assign(a);
        uint64_t start = a->in.at;
        bool found, present;
        uint32_t at;
        if (!assign) return;
        assign->column = -1;
        assign->name = rf_words_get_name(&a->in, a->schema, &a->arena);
        if (!reading(a)) return;
        if (!valid_name(a, assign->name) || (i > 0 && rf_str_cmp(last, assign->name) >= 0)) {
            fail_at(a, start, RF_INVALID_FRAME);
            return;
        }
        last = assign->name;
        assign->remove = update && rf_wire_get(&a->in, 1);
        if (!assign->remove) assign->image = rf_words_get_term(&a->in, a->schema, a->world->max_value_bytes, &a->arena);
        at = rf_undeclared_find(undeclared, assign->name, &found);
        present = found && undeclared->items[at]->present;
        live = live + (!assign->remove && !present) - (assign->remove && present);
    }
    if (reading(a) && live > a->world->max_undeclared) fail(a, RF_TOO_MANY_COMPONENTS);
}

// The next handle of a list; false at its end.
static inline bool get_handle(applier *a, int64_t *last, uint32_t *out) {
    uint64_t start = a->in.at, step = rf_wire_get_nib(&a->in);
    if (!reading(a) || step == 0) return false;
    if (step > a->world->max_entities || *last + (int64_t)step >= (int64_t)a->world->max_entities)
        return fail_at(a, start, RF_WORLD_FULL);
    a->listed++;
    *last += (int64_t)step;
    *out = (uint32_t)*last;
    return true;
}

static bool alive(const rf_world *world, uint32_t handle) {
    return handle < world->handles && rf_world_handle_alive(world, handle);
}

static void next_entity(applier *a) {
    rf_arena_reset(&a->arena);
    a->assign_count = 0;
}

static bool listed(const handles *list, uint32_t handle) {
    size_t low = 0, high = list->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (list->items[middle] < handle)
            low = middle + 1;
        else
            high = middle;
    }
    return low < list->count && list->items[low] == handle;
}

static bool add_handle(applier *a, handles *list, uint32_t handle) {
    if (list->count == list->capacity) {
        rf_allocator allocator = a->arena.allocator;
        size_t capacity = list->capacity ? list->capacity * 2 : 64;
        uint32_t *items = allocator.resize(allocator.context, list->items, capacity * sizeof *items);
        if (!items) return fail(a, RF_NO_MEMORY);
        list->items = items;
        list->capacity = capacity;
    }
    list->items[list->count++] = handle;
    return true;
}

// ---- the lists --------------------------------------------------------------------------------------

static void remove_entity(applier *a, uint32_t handle) {
    rf_world *world = a->world;
    rf_str id = rf_entity_id_str(&rf_world_slot(world, handle)->id);
    rf_status status = rf_change_delete(world, handle, rf_hash(id, world->hash_seed));
    if (status != RF_OK) fail(a, status);
}

static void get_deletes(applier *a) {
    int64_t last = -1;
    uint32_t handle;
    while (get_handle(a, &last, &handle)) {
        if (a->commit) {
            remove_entity(a, handle);
        } else {
            if (!alive(a->world, handle)) fail(a, RF_INVALID_FRAME);
            if (reading(a)) add_handle(a, &a->deleted, handle);
        }
    }
}

// An id may be taken over only from an entity that this frame deletes; that is checked after all creates are read
// (owners).
static void check_id(applier *a, rf_str id, uint64_t start) {
    uint32_t owner;
    rf_status status = rf_key_set_add(&a->ids, id);
    if (status == RF_DUPLICATE_KEY) fail_at(a, start, RF_INVALID_FRAME);
    if (status == RF_NO_MEMORY) fail(a, RF_NO_MEMORY);
    owner = rf_world_lookup(a->world, id, rf_hash(id, a->world->hash_seed));
    // Creates can also replace the owner, so this is checked later.
    if (reading(a) && owner != RF_NO_HANDLE && !listed(&a->deleted, owner)) add_handle(a, &a->owners, owner);
}

static void get_whole(applier *a, uint32_t handle, rf_wire_masks *known) {
    uint64_t start = a->in.at, mask;
    rf_str id = rf_words_get_name(&a->in, a->schema, a->commit ? &a->arena : &a->id_arena);
    rf_world *world = a->world;
    bool undeclared;
    if (reading(a) && (id.len == 0 || id.len > RF_NAME_MAX)) fail_at(a, start, RF_INVALID_FRAME);
    mask = rf_wire_get_mask(&a->in, (unsigned)a->schema->count, known);
    undeclared = rf_wire_get(&a->in, 1);
    get_values(a, mask, 0, handle, false);
    if (undeclared) get_undeclared(a, NULL, false);
    if (!reading(a)) return;
    if (a->commit) {
        rf_status status = RF_INVALID_FRAME;
        if (rf_world_lookup(world, id, rf_hash(id, world->hash_seed)) == RF_NO_HANDLE)
            status = rf_change_create_at(world, handle, id, rf_hash(id, world->hash_seed), a->assigns, a->assign_count);
        if (status != RF_OK) fail(a, status);
    } else {
        check_id(a, id, start);
        if (listed(&a->deleted, handle)) fail_at(a, start, RF_INVALID_FRAME);
        if (reading(a)) add_handle(a, &a->created, handle);
    }
}

static void get_wholes(applier *a) {
    rf_wire_masks known = {0};
    int64_t last = -1;
    uint32_t handle;
    while (get_handle(a, &last, &handle)) {
        next_entity(a);
        get_whole(a, handle, &known);
    }
    for (size_t i = 0; i < a->owners.count && reading(a); i++)
        if (!listed(&a->created, a->owners.items[i])) fail(a, RF_INVALID_FRAME);
}

static uint64_t get_removed(applier *a, uint64_t mask) {
    uint64_t removed = 0;
    for (uint32_t i = 0; i < a->schema->count; i++)
        if (mask >> i & 1) removed |= (uint64_t)rf_wire_get(&a->in, 1) << i;
    return removed;
}

static void get_change(applier *a, uint32_t handle, rf_wire_masks *known) {
    uint64_t mask = rf_wire_get_mask(&a->in, (unsigned)a->schema->count, known), removed = 0;
    uint32_t flags = rf_wire_get(&a->in, 1) ? rf_wire_get(&a->in, 2) : 0;
    if (flags & 1) removed = get_removed(a, mask);
    get_values(a, mask, removed, handle, true);
    if (flags & 2) get_undeclared(a, rf_world_slot(a->world, handle)->undeclared, true);
    if (reading(a) && a->commit) {
        rf_status status = rf_change_update(a->world, handle, a->assigns, a->assign_count);
        if (status != RF_OK) fail(a, status);
    }
}

static void get_changes(applier *a) {
    rf_wire_masks known = {0};
    int64_t last = -1;
    uint32_t handle;
    while (get_handle(a, &last, &handle)) {
        next_entity(a);
        if (!alive(a->world, handle) || (!a->commit && (listed(&a->deleted, handle) || listed(&a->created, handle)))) {
            fail(a, RF_INVALID_FRAME);
            return;
        }
        get_change(a, handle, &known);
    }
}

// Checks that the stream of bits ends with this byte.
static void get_end(applier *a) {
    unsigned left = (unsigned)(7 & (0 - a->in.at));
    if (reading(a) && rf_wire_get(&a->in, left) != 0) fail(a, RF_INVALID_FRAME);
    if (reading(a) && a->in.at != a->in.size) fail(a, RF_INVALID_FRAME);
}

// ---- the frames -------------------------------------------------------------------------------------

static void start(applier *a, rf_world *world, rf_str frame) {
    rf_allocator allocator = world->mem.allocator;
    *a = (applier){.world = world, .schema = world->schema, .in = rf_wire_read(frame)};
    rf_arena_init(&a->arena, allocator);
    rf_arena_init(&a->id_arena, allocator);
    rf_key_set_init(&a->ids, allocator, world->hash_seed);
    rf_key_set_push(&a->ids);
}

static rf_status end(applier *a, rf_error *error) {
    rf_allocator allocator = a->arena.allocator;
    rf_free(allocator, a->deleted.items);
    rf_free(allocator, a->created.items);
    rf_free(allocator, a->owners.items);
    rf_free(allocator, a->assigns);
    rf_key_set_free(&a->ids);
    rf_arena_free(&a->id_arena);
    rf_arena_free(&a->arena);
    return a->in.status == RF_OK ? RF_OK : rf_wire_error(&a->in, error);
}

static void get_head(rf_wire_in *in, rf_wire_frame kind) {
    uint8_t head = rf_wire_get_u8(in);
    if (in->status != RF_OK || head == RF_WIRE_HEAD(kind)) return;
    in->at = 0;
    rf_wire_fail(in, RF_UNKNOWN_VERSION);
}

static uint64_t get_seq(rf_wire_in *in) {
    uint64_t start_at = in->at, seq = rf_wire_get_varint(in);
    if (in->status == RF_OK && seq > RF_SEQ_MAX) {
        in->at = start_at;
        rf_wire_fail(in, RF_INVALID_FRAME);
    }
    return seq;
}

rf_status rf_packed_start(rf_allocator allocator, rf_str frame, uint64_t *seq, rf_schema **schema, rf_error *error) {
    rf_wire_in in = rf_wire_read(frame), part;
    rf_str bytes;
    *schema = NULL;
    get_head(&in, RF_WIRE_SNAPSHOT);
    *seq = get_seq(&in);
    bytes = rf_wire_get_bytes(&in);
    if (in.status != RF_OK) return rf_wire_error(&in, error);
    part = rf_wire_read(bytes);
    if (rf_schema_unpack(allocator, &part, schema) == RF_OK) return RF_OK;
    part.error_at += (uint64_t)(bytes.data - frame.data);
    return rf_wire_error(&part, error);
}

// Checks the seq and schema before the entities against the world's.
static void get_start(applier *a) {
    uint64_t seq = get_seq(&a->in);
    rf_str schema;
    if (reading(a) && (seq != a->world->seq || a->world->handles != 0)) fail(a, RF_SEQ_MISMATCH);
    schema = rf_wire_get_bytes(&a->in);
    if (reading(a) && !rf_str_eq(schema, (rf_str){(const char *)a->schema->packed, a->schema->packed_len}))
        fail(a, RF_SCHEMA_MISMATCH);
}

// Loads into a copy, which replaces the world at the end.
rf_status rf_load_packed(rf_world *world, rf_str frame, rf_error *error) {
    applier a;
    rf_world *copy = NULL;
    start(&a, world, frame);
    get_head(&a.in, RF_WIRE_SNAPSHOT);
    get_start(&a);
    if (reading(&a) && rf_world_copy(world, &copy) != RF_OK) fail(&a, RF_NO_MEMORY);
    if (reading(&a)) {
        a.world = copy;
        a.commit = copy->mirror = true;
        get_wholes(&a);
        get_end(&a);
    }
    if (reading(&a)) {
        rf_world empty = *world;
        *world = *copy;
        *copy = empty;
    }
    rf_world_free(copy);
    return end(&a, error);
}

static void get_lists(applier *a) {
    get_deletes(a);
    for (size_t i = 0; a->commit && reading(a) && i < a->created.count; i++)
        if (alive(a->world, a->created.items[i])) remove_entity(a, a->created.items[i]);
    get_wholes(a);
    get_changes(a);
    get_end(a);
}

rf_status rf_apply_packed(rf_world *world, rf_str frame, rf_error *error) {
    applier a;
    uint64_t seq, back, body;
    start(&a, world, frame);
    get_head(&a.in, RF_WIRE_DIFF);
    seq = get_seq(&a.in);
    back = get_seq(&a.in);
    if (reading(&a) && (back > seq || seq - back != world->seq))
        fail(&a, back > seq ? RF_INVALID_FRAME : RF_SEQ_MISMATCH);
    if (rf_wire_get_u8(&a.in) != a.schema->tag) fail(&a, RF_SCHEMA_MISMATCH);
    body = a.in.at;
    get_lists(&a);
    if (reading(&a) && back == 0 && a.listed > 0) {
        a.in.at = body;
        fail(&a, RF_INVALID_FRAME);
    }
    if (reading(&a) && back > 0) {
        a.in.at = body;
        a.commit = world->mirror = true;
        rf_world_advance(world, seq);
        get_lists(&a);
    }
    return end(&a, error);
}
