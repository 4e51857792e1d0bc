#include "change.h"

#include "base/bits.h"

// ---- preparing: everything that can fail --------------------------------------------------------

static bool prepare_blob(rf_mem *mem, rf_assign *assign, rf_blob *old) {
    if (old && old->len == assign->image.len &&
        (old->len == 0 || memcmp(old->bytes, assign->image.data, old->len) == 0)) {
        assign->same = true;
        return true;
    }
    if (old && old->capacity >= assign->image.len && old->capacity <= 2 * assign->image.len + 16) return true;
    return (assign->fresh = rf_blob_new(mem, assign->image)) != NULL;
}

static bool prepare_declared(rf_world *world, uint32_t handle, rf_assign *assign) {
    rf_column *column = &world->columns[assign->column];
    rf_column_page *page = rf_column_page_of(column, handle);
    bool present = rf_column_has(page, handle);
    uint8_t *cell;
    if (assign->remove) {
        assign->same = !present;
        return true;
    }
    if (!page) {
        if (!rf_column_reserve(column, &world->mem, handle)) return false;
        page = rf_column_page_of(column, handle);
    }
    cell = rf_column_cell(column, page, handle);
    if (column->blobs) return prepare_blob(&world->mem, assign, present ? *rf_cell_blob(column, cell) : NULL);
    assign->same = present && memcmp(cell + column->value_offset, assign->image.data, column->value_size) == 0;
    return true;
}

static bool prepare_undeclared(rf_world *world, rf_slot *slot, rf_assign *assign) {
    bool found;
    uint32_t at = rf_undeclared_find(slot->undeclared, assign->name, &found);
    rf_undeclared *old = found ? slot->undeclared->items[at] : NULL;
    if (assign->remove) {
        assign->same = !old || !old->present;
        return true;
    }
    if (old && old->present && rf_str_eq(rf_undeclared_value(old), assign->image)) {
        assign->same = true;
        return true;
    }
    if (old && old->capacity >= assign->image.len && old->capacity <= 2 * assign->image.len + 16) return true;
    return (assign->fresh = rf_undeclared_new(&world->mem, assign->name, assign->image)) != NULL;
}

static void drop_fresh(rf_world *world, rf_assign *assigns, size_t count) {
    for (size_t i = 0; i < count; i++) {
        if (assigns[i].column >= 0)
            rf_blob_free(&world->mem, assigns[i].fresh);
        else
            rf_undeclared_free(&world->mem, assigns[i].fresh);
        assigns[i].fresh = NULL;
    }
}

// slot: the entity's, existing or future.
static rf_status prepare(rf_world *world, uint32_t handle, rf_slot *slot, rf_assign *assigns, size_t count) {
    uint32_t undeclared = 0;
    bool ok = true;
    if (slot->undeclared) rf_undeclared_purge(slot->undeclared, &world->mem, rf_history_oldest(&world->history) + 1);
    for (size_t i = 0; i < count && ok; i++) {
        assigns[i].same = false;
        assigns[i].fresh = NULL;
        if (assigns[i].column >= 0) {
            ok = prepare_declared(world, handle, &assigns[i]);
        } else {
            undeclared += !assigns[i].remove;
            ok = prepare_undeclared(world, slot, &assigns[i]);
        }
        if (!ok) drop_fresh(world, assigns, i);
    }
    if (ok && undeclared > 0) {
        ok = rf_undeclared_reserve(&slot->undeclared, &world->mem, undeclared);
        if (slot->undeclared) rf_world_page(world, handle)->with_undeclared |= UINT64_C(1) << (handle % RF_PAGE_SIZE);
        if (!ok) drop_fresh(world, assigns, count);
    }
    return ok ? RF_OK : RF_NO_MEMORY;
}

static void drop_undeclared(rf_world *world, uint32_t handle) {
    rf_slot *slot = rf_world_slot(world, handle);
    rf_undeclared_list_free(slot->undeclared, &world->mem);
    slot->undeclared = NULL;
    rf_world_page(world, handle)->with_undeclared &= ~(UINT64_C(1) << (handle % RF_PAGE_SIZE));
}

// ---- committing: nothing here can fail ----------------------------------------------------------

static void commit_declared(rf_world *world, uint32_t handle, rf_assign *assign) {
    rf_column *column = &world->columns[assign->column];
    rf_column_page *page = rf_column_page_of(column, handle);
    uint64_t bit = UINT64_C(1) << (handle % RF_PAGE_SIZE);
    uint8_t *cell = rf_column_cell(column, page, handle);
    rf_cell_set_stamp(cell, world->history.revision);
    if (column->blobs) {
        rf_blob **blob = rf_cell_blob(column, cell);
        if (assign->remove || assign->fresh) {
            rf_blob_free(&world->mem, *blob);
            *blob = assign->fresh;
        } else if (!assign->same) {
            (*blob)->len = (uint32_t)assign->image.len;
            if (assign->image.len > 0) memcpy((*blob)->bytes, assign->image.data, assign->image.len);
        }
    } else if (!assign->remove) {
        memcpy(cell + column->value_offset, assign->image.data, column->value_size);
    }
    page->present = assign->remove ? page->present & ~bit : page->present | bit;
    page->changed = world->history.revision;
    if (assign->remove) page->removed = world->history.revision;
}

static void commit_undeclared(rf_world *world, rf_slot *slot, rf_assign *assign) {
    bool found;
    uint32_t at = rf_undeclared_find(slot->undeclared, assign->name, &found);
    rf_undeclared *other;
    if (assign->fresh) {
        if (found) rf_undeclared_erase(slot->undeclared, &world->mem, at);
        rf_undeclared_insert(slot->undeclared, at, assign->fresh);
    }
    other = slot->undeclared->items[at];
    other->stamp = world->history.revision;
    if (assign->fresh) return;
    slot->undeclared->live += (uint32_t)!assign->remove - (uint32_t)other->present;
    other->present = !assign->remove;
    if (!assign->remove && !assign->same) {
        other->value_len = (uint32_t)assign->image.len;
        memcpy(other->bytes + other->name_len, assign->image.data, assign->image.len);
    }
}

static void commit(rf_world *world, uint32_t handle, rf_slot *slot, rf_assign *assign) {
    if (assign->column >= 0)
        commit_declared(world, handle, assign);
    else
        commit_undeclared(world, slot, assign);
}

static void touch(rf_world *world, uint32_t handle) {
    rf_slot_page_touch(rf_world_page(world, handle), handle % RF_PAGE_SIZE, world->history.revision);
}

static void touch_created(rf_world *world, uint32_t handle) {
    rf_slot_page *page = rf_world_page(world, handle);
    page->created_at[handle % RF_PAGE_SIZE] = page->created = world->history.revision;
    touch(world, handle);
}

// Fast path: most updates set numbers that are present already, which takes one pass and cannot fail. False: another
// kind of update; nothing has been done.
static bool update_in_place(rf_world *world, uint32_t handle, const rf_assign *assigns, size_t count) {
    uint8_t *cells[RF_SCHEMA_MAX];
    bool changed = false;
    if (count > RF_SCHEMA_MAX) return false;
    for (size_t i = 0; i < count; i++) {
        const rf_column *column = assigns[i].column >= 0 ? &world->columns[assigns[i].column] : NULL;
        rf_column_page *page;
        if (!column || assigns[i].remove || column->blobs) return false;
        page = rf_column_page_of(column, handle);
        if (!rf_column_has(page, handle)) return false;
        cells[i] = rf_column_cell(column, page, handle);
    }
    for (size_t i = 0; i < count; i++) {
        rf_column *column = &world->columns[assigns[i].column];
        uint8_t *value = cells[i] + column->value_offset;
        if (memcmp(value, assigns[i].image.data, column->value_size) == 0) continue;
        rf_column_remember(column, handle, cells[i], world->history.revision);
        memcpy(value, assigns[i].image.data, column->value_size);
        rf_cell_set_stamp(cells[i], world->history.revision);
        changed = true;
    }
    if (changed) touch(world, handle);
    return true;
}

// Remembers the old value of a quantised component, for diffs.
static void remember(rf_world *world, uint32_t handle, const rf_assign *assign) {
    rf_column *column = assign->column >= 0 ? &world->columns[assign->column] : NULL;
    rf_column_page *page;
    if (!column || column->log.length == 0) return;
    page = rf_column_page_of(column, handle);
    if (rf_column_has(page, handle))
        rf_column_remember(column, handle, rf_column_cell(column, page, handle), world->history.revision);
}

rf_status rf_change_update(rf_world *world, uint32_t handle, rf_assign *assigns, size_t count) {
    rf_slot *slot = rf_world_slot(world, handle);
    bool changed = false;
    rf_status status;
    if (update_in_place(world, handle, assigns, count)) return RF_OK;
    status = prepare(world, handle, slot, assigns, count);
    if (status != RF_OK) return status;
    for (size_t i = 0; i < count; i++) {
        if (assigns[i].same) continue;
        remember(world, handle, &assigns[i]);
        commit(world, handle, slot, &assigns[i]);
        changed = true;
    }
    if (changed) touch(world, handle);
    return RF_OK;
}

// ---- create -------------------------------------------------------------------------------------

static bool assigned(const rf_assign *assigns, size_t count, int column, rf_str name) {
    for (size_t i = 0; i < count; i++)
        if (!assigns[i].remove && assigns[i].column == column && (column >= 0 || rf_str_eq(assigns[i].name, name)))
            return true;
    return false;
}

static void drop_declared(rf_world *world, rf_column *column, uint32_t handle) {
    rf_column_page *page = rf_column_page_of(column, handle);
    if (!rf_column_has(page, handle)) return;
    page->present &= ~(UINT64_C(1) << (handle % RF_PAGE_SIZE));
    if (column->blobs) {
        rf_blob **blob = rf_cell_blob(column, rf_column_cell(column, page, handle));
        rf_blob_free(&world->mem, *blob);
        *blob = NULL;
    }
}

// Removes the components that a replacing create does not set.
static void drop_rest(rf_world *world, uint32_t handle, rf_slot *slot, const rf_assign *assigns, size_t count) {
    for (uint32_t i = 0; i < world->column_count; i++)
        if (!assigned(assigns, count, (int)i, (rf_str){0})) drop_declared(world, &world->columns[i], handle);
    for (uint32_t i = slot->undeclared ? slot->undeclared->count : 0; i-- > 0;)
        if (!assigned(assigns, count, -1, rf_undeclared_name(slot->undeclared->items[i])))
            rf_undeclared_erase(slot->undeclared, &world->mem, i);
}

static rf_status replace(rf_world *world, uint32_t handle, rf_assign *assigns, size_t count) {
    rf_slot *slot = rf_world_slot(world, handle);
    rf_status status = prepare(world, handle, slot, assigns, count);
    if (status != RF_OK) return status;
    drop_rest(world, handle, slot, assigns, count);
    for (size_t i = 0; i < count; i++)
        if (!assigns[i].remove) commit(world, handle, slot, &assigns[i]);
    touch_created(world, handle);
    return RF_OK;
}

static bool reserve_page(rf_world *world, uint32_t handle) {
    uint32_t page = handle / RF_PAGE_SIZE;
    if (page >= world->pages_capacity) {
        uint32_t capacity = world->pages_capacity ? world->pages_capacity : 1;
        while (capacity <= page) capacity *= 2;
        rf_slot_page **pages =
            rf_mem_resize(&world->mem, world->pages, world->pages_capacity * sizeof *pages, capacity * sizeof *pages);
        if (!pages) return false;
        memset(pages + world->pages_capacity, 0, (capacity - world->pages_capacity) * sizeof *pages);
        world->pages = pages;
        world->pages_capacity = capacity;
    }
    if (!world->pages[page]) world->pages[page] = rf_mem_zero(&world->mem, sizeof **world->pages);
    return world->pages[page] != NULL;
}

// In a mirror, the lowest free handle.
uint32_t rf_change_free_handle(const rf_world *world) {
    if (!world->mirror) return world->free1 ? world->free1 - 1 : world->handles;
    for (uint32_t first = 0; first < world->handles; first += RF_PAGE_SIZE) {
        uint64_t dead = ~rf_world_alive_on(world, first);
        if (dead != 0) return first + rf_low_bit(dead);
    }
    return (world->handles + RF_PAGE_SIZE - 1) / RF_PAGE_SIZE * RF_PAGE_SIZE;
}

// Whether all values are stored in the cells themselves, as in most entities.
static bool all_in_cells(const rf_world *world, const rf_assign *assigns, size_t count) {
    for (size_t i = 0; i < count; i++)
        if (assigns[i].column < 0 || assigns[i].remove || world->columns[assigns[i].column].blobs) return false;
    return true;
}

static rf_status prepare_cells(rf_world *world, uint32_t handle, const rf_assign *assigns, size_t count) {
    for (size_t i = 0; i < count; i++) {
        rf_column *column = &world->columns[assigns[i].column];
        if (!rf_column_page_of(column, handle) && !rf_column_reserve(column, &world->mem, handle)) return RF_NO_MEMORY;
    }
    return RF_OK;
}

static void commit_cells(rf_world *world, uint32_t handle, const rf_assign *assigns, size_t count) {
    for (size_t i = 0; i < count; i++) {
        const rf_column *column = &world->columns[assigns[i].column];
        rf_column_page *page = rf_column_page_of(column, handle);
        uint8_t *cell = rf_column_cell(column, page, handle);
        rf_cell_set_stamp(cell, world->history.revision);
        if (column->tight == 12)
            memcpy(cell + 4, assigns[i].image.data, 12);
        else if (column->tight == 16)
            memcpy(cell + 4, assigns[i].image.data, 16);
        else
            memcpy(cell + column->value_offset, assigns[i].image.data, column->value_size);
        page->present |= UINT64_C(1) << (handle % RF_PAGE_SIZE);
    }
}

rf_status rf_change_create_at(rf_world *world, uint32_t handle, rf_str id, uint64_t hash, rf_assign *assigns,
                              size_t count) {
    bool in_cells = all_in_cells(world, assigns, count);
    rf_slot_page *page;
    rf_slot *slot;
    rf_status status;
    if (world->count >= world->max_entities) return RF_WORLD_FULL;
    if (!reserve_page(world, handle) || !rf_id_table_reserve(&world->ids, &world->mem)) return RF_NO_MEMORY;
    page = rf_world_page(world, handle);
    slot = rf_world_slot(world, handle);
    if (!rf_entity_id_set(&slot->id, &world->mem, id)) return RF_NO_MEMORY;
    status = in_cells ? prepare_cells(world, handle, assigns, count) : prepare(world, handle, slot, assigns, count);
    if (status != RF_OK) {
        drop_undeclared(world, handle);
        rf_entity_id_free(&slot->id, &world->mem);
        return status;
    }
    if (!world->mirror && world->free1) world->free1 = slot->since;
    if (handle >= world->handles) world->handles = handle + 1;
    slot->generation++;
    slot->since = world->history.revision;
    page->alive |= UINT64_C(1) << (handle % RF_PAGE_SIZE);
    rf_id_table_add(&world->ids, rf_id_table_tag(hash), handle);
    world->count++;
    if (in_cells) {
        commit_cells(world, handle, assigns, count);
    } else {
        for (size_t i = 0; i < count; i++)
            if (!assigns[i].remove) commit(world, handle, slot, &assigns[i]);
    }
    touch_created(world, handle);
    return RF_OK;
}

rf_status rf_change_create(rf_world *world, uint32_t handle, rf_str id, uint64_t hash, rf_assign *assigns,
                           size_t count) {
    return handle == RF_NO_HANDLE ? rf_change_create_at(world, rf_change_free_handle(world), id, hash, assigns, count)
                                  : replace(world, handle, assigns, count);
}

// ---- delete -------------------------------------------------------------------------------------

rf_status rf_change_delete(rf_world *world, uint32_t handle, uint64_t hash) {
    rf_slot_page *page = rf_world_page(world, handle);
    rf_slot *slot = &page->slots[handle % RF_PAGE_SIZE];
    rf_tombstone tombstone;
    if (!rf_history_reserve(&world->history, &world->mem)) return RF_NO_MEMORY;
    for (uint32_t i = 0; i < world->column_count; i++) drop_declared(world, &world->columns[i], handle);
    if (slot->undeclared) drop_undeclared(world, handle);
    rf_id_table_remove(&world->ids, rf_id_table_tag(hash), handle);
    tombstone = (rf_tombstone){.id = slot->id, .handle = handle, .since = slot->since, .died = world->history.revision};
    rf_history_add_tombstone(&world->history, &tombstone);
    memset(&slot->id, 0, sizeof slot->id);
    touch(world, handle);
    slot->since = world->free1;
    world->free1 = handle + 1;
    page->alive &= ~(UINT64_C(1) << (handle % RF_PAGE_SIZE));
    world->count--;
    return RF_OK;
}
