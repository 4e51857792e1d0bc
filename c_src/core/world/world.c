// world.c: makes, copies, frees and walks worlds.
#include "world_state.h"

#include "base/bits.h"

#define COOKIE 0x52464f4c

rf_world_def rf_world_def_default(void) {
    return (rf_world_def){
        .cookie = COOKIE,
        .allocator = rf_allocator_default(),
        .max_entities = 1u << 20,
        .max_value_bytes = 65536,
        .max_undeclared = 64,
        .history = 1024,
    };
}

static bool valid_def(const rf_world_def *def) {
    return def && def->cookie == COOKIE && def->allocator.resize && def->schema && def->seq <= RF_SEQ_MAX &&
           def->max_entities < UINT32_MAX - RF_PAGE_SIZE && def->max_value_bytes <= 1u << 30 &&
           def->max_undeclared <= 1u << 16 && def->history > 0 && def->history <= 1u << 20;
}

static bool reserve_columns(rf_world *world) {
    size_t count = rf_schema_count(world->schema);
    world->column_count = 0;
    world->columns = NULL;
    if (count == 0) return true;
    world->columns = rf_mem_alloc(&world->mem, count * sizeof *world->columns);
    return world->columns != NULL;
}

static void free_columns(rf_world *world) {
    for (uint32_t i = 0; i < world->column_count; i++) rf_column_free(&world->columns[i], &world->mem);
    rf_mem_free(&world->mem, world->columns, rf_schema_count(world->schema) * sizeof *world->columns);
}

static bool make_columns(rf_world *world) {
    uint32_t count = (uint32_t)rf_schema_count(world->schema);
    if (!reserve_columns(world)) return false;
    while (world->column_count < count) {
        uint32_t i = world->column_count++;
        if (!rf_column_init(&world->columns[i], rf_schema_at(world->schema, i), &world->mem, world->history.length))
            return false;
    }
    return true;
}

rf_status rf_world_new(const rf_world_def *def, rf_world **out) {
    rf_mem mem;
    rf_world *world;
    *out = NULL;
    if (!valid_def(def)) return RF_INVALID_ARGUMENT;
    mem = (rf_mem){.allocator = def->allocator};
    world = rf_mem_zero(&mem, sizeof *world);
    if (!world) return RF_NO_MEMORY;
    world->mem = mem;
    world->schema = rf_schema_retain(def->schema);
    world->rules = def->rules ? rf_rules_retain(def->rules) : NULL;
    world->seq = world->start = world->oldest = def->seq;
    world->hash_seed = def->hash_seed;
    world->max_entities = def->max_entities;
    world->max_value_bytes = def->max_value_bytes;
    world->max_undeclared = def->max_undeclared;
    rf_history_init(&world->history, def->history, def->seq);
    if (!make_columns(world)) {
        rf_world_free(world);
        return RF_NO_MEMORY;
    }
    *out = world;
    return RF_OK;
}

void rf_world_free(rf_world *world) {
    rf_mem mem;
    if (!world) return;
    for (uint32_t i = 0; i < world->pages_capacity; i++) {
        rf_slot_page *page = world->pages[i];
        if (!page) continue;
        for (uint32_t j = 0; j < RF_PAGE_SIZE; j++) {
            rf_entity_id_free(&page->slots[j].id, &world->mem);
            rf_undeclared_list_free(page->slots[j].undeclared, &world->mem);
        }
        rf_mem_free(&world->mem, page, sizeof *page);
    }
    rf_mem_free(&world->mem, world->pages, world->pages_capacity * sizeof *world->pages);
    free_columns(world);
    rf_id_table_free(&world->ids, &world->mem);
    rf_history_free(&world->history, &world->mem);
    rf_rules_release(world->rules);
    rf_schema_release(world->schema);
    mem = world->mem;
    rf_mem_free(&mem, world, sizeof *world);
}

// Copies a page. On failure, the remaining ids and undeclared components are left empty.
static bool copy_page(rf_world *to, rf_slot_page **out, const rf_slot_page *from) {
    rf_slot_page *page = rf_mem_alloc(&to->mem, sizeof *page);
    bool ok = true;
    *out = page;
    if (!page) return false;
    memcpy(page, from, sizeof *page);
    for (uint32_t i = 0; i < RF_PAGE_SIZE; i++) {
        rf_slot *slot = &page->slots[i];
        memset(&slot->id, 0, sizeof slot->id);
        slot->undeclared = NULL;
        ok = ok && rf_entity_id_set(&slot->id, &to->mem, rf_entity_id_str(&from->slots[i].id)) &&
             rf_undeclared_list_copy(&slot->undeclared, from->slots[i].undeclared, &to->mem);
    }
    return ok;
}

static bool copy_pages(rf_world *to, const rf_world *from) {
    if (from->pages_capacity == 0) return true;
    to->pages = rf_mem_zero(&to->mem, from->pages_capacity * sizeof *to->pages);
    if (!to->pages) return false;
    to->pages_capacity = from->pages_capacity;
    for (uint32_t i = 0; i < from->pages_capacity; i++)
        if (from->pages[i] && !copy_page(to, &to->pages[i], from->pages[i])) return false;
    return true;
}

static bool copy_columns(rf_world *to, const rf_world *from) {
    if (!reserve_columns(to)) return false;
    for (uint32_t i = 0; i < from->column_count; i++) {
        to->column_count++;
        if (!rf_column_copy(&to->columns[i], &from->columns[i], &to->mem)) return false;
    }
    return true;
}

rf_status rf_world_copy(const rf_world *world, rf_world **out) {
    rf_mem mem = {.allocator = world->mem.allocator};
    rf_world *to = rf_mem_alloc(&mem, sizeof *to);
    *out = NULL;
    if (!to) return RF_NO_MEMORY;
    *to = *world;
    to->mem = mem;
    rf_schema_retain(to->schema);
    if (to->rules) rf_rules_retain(to->rules);
    to->pages_capacity = 0;
    to->pages = NULL;
    to->ids = (rf_id_table){0};
    to->history = (rf_history){0};
    to->column_count = 0;
    to->columns = NULL;
    if (!copy_pages(to, world) || !copy_columns(to, world) || !rf_id_table_copy(&to->ids, &world->ids, &to->mem) ||
        !rf_history_copy(&to->history, &world->history, &to->mem)) {
        rf_world_free(to);
        return RF_NO_MEMORY;
    }
    *out = to;
    return RF_OK;
}

// ---- renumbering, when revisions run out: those up to the cut become 0 ----------------------------------

static void renumber(uint32_t *stamp, uint32_t cut) {
    *stamp = *stamp > cut ? *stamp - cut : 0;
}

static void renumber_entity(rf_world *world, uint32_t handle, uint32_t cut) {
    rf_slot *slot;
    for (uint32_t i = 0; i < world->column_count; i++) {
        rf_column_page *page = rf_column_page_of(&world->columns[i], handle);
        uint8_t *cell = page ? rf_column_cell(&world->columns[i], page, handle) : NULL;
        uint32_t stamp = cell ? rf_cell_stamp(cell) : 0;
        renumber(&stamp, cut);
        if (cell) rf_cell_set_stamp(cell, stamp);
    }
    if (!rf_world_handle_alive(world, handle)) return;
    slot = rf_world_slot(world, handle);
    renumber(&slot->since, cut);
    for (uint32_t i = 0; slot->undeclared && i < slot->undeclared->count; i++)
        renumber(&slot->undeclared->items[i]->stamp, cut);
}

static void renumber_page(rf_slot_page *page, uint32_t cut) {
    renumber(&page->created, cut);
    renumber(&page->changed, cut);
    for (uint32_t i = 0; i < RF_PAGE_SIZE; i++) {
        renumber(&page->created_at[i], cut);
        renumber(&page->changed_at[i], cut);
    }
}

static void renumber_column(rf_column *column, uint32_t cut) {
    rf_value_log *log = &column->log;
    for (uint32_t i = 0; i < column->capacity; i++) {
        rf_column_page *page = column->pages[i];
        if (!page) continue;
        renumber(&page->removed, cut);
        renumber(&page->changed, cut);
    }
    for (uint32_t i = 0; log->length > 0 && i <= log->mask; i++) {
        renumber(&rf_value_log_entry(log, i)->stamp, cut);
        renumber(&rf_value_log_entry(log, i)->until, cut);
    }
}

// Runs once in four billion events.
static void renumber_all(rf_world *world) {
    uint32_t cut = rf_history_oldest(&world->history);
    for (uint32_t handle = 0; handle < world->handles; handle++) renumber_entity(world, handle, cut);
    for (uint32_t i = 0; i < world->pages_capacity; i++)
        if (world->pages[i]) renumber_page(world->pages[i], cut);
    for (uint32_t i = 0; i < world->column_count; i++) renumber_column(&world->columns[i], cut);
    for (uint32_t i = 0; i < world->history.dead_count; i++) {
        rf_tombstone *tombstone = (rf_tombstone *)(uintptr_t)rf_history_dead(&world->history, i);
        renumber(&tombstone->since, cut);
        renumber(&tombstone->died, cut);
    }
    rf_history_renumber(&world->history, cut);
}

void rf_world_advance_far(rf_world *world, uint64_t seq) {
    if (world->history.revision == UINT32_MAX - 1) renumber_all(world);
    if (seq != world->seq + 1) rf_history_jump(&world->history, &world->mem, seq);
    world->seq = seq;
    world->history.revision++;
}

uint64_t rf_world_seq(const rf_world *world) {
    return world->seq;
}

uint64_t rf_world_start(const rf_world *world) {
    return world->start;
}

uint32_t rf_world_count(const rf_world *world) {
    return world->count;
}

size_t rf_world_memory(const rf_world *world) {
    return world->mem.used;
}

const rf_schema *rf_world_schema(const rf_world *world) {
    return world->schema;
}

const rf_rules *rf_world_rules(const rf_world *world) {
    return world->rules;
}

rf_entity rf_world_find(const rf_world *world, rf_str id) {
    uint32_t handle = rf_world_lookup(world, id, rf_hash(id, world->hash_seed));
    return handle == RF_NO_HANDLE ? (rf_entity){0} : rf_world_entity(world, handle);
}

bool rf_world_alive(const rf_world *world, rf_entity entity) {
    uint32_t handle = entity.handle1 - 1;
    return entity.handle1 != 0 && handle < world->handles && rf_world_handle_alive(world, handle) &&
           rf_world_slot(world, handle)->generation == entity.generation;
}

rf_str rf_world_id(const rf_world *world, rf_entity entity) {
    return rf_entity_id_str(&rf_world_slot(world, entity.handle1 - 1)->id);
}

// A bit per entity of this page that is alive and has all these declared components.
static uint64_t page_with(const rf_world *world, uint32_t page, const int *columns, size_t count) {
    uint64_t mask = rf_world_alive_on(world, page * RF_PAGE_SIZE);
    for (size_t i = 0; i < count && mask != 0; i++) {
        const rf_column_page *column = rf_column_page_of(&world->columns[columns[i]], page * RF_PAGE_SIZE);
        mask &= column ? column->present : 0;
    }
    return mask;
}

static bool next_with(const rf_world *world, const int *columns, size_t count, rf_entity *entity) {
    uint32_t handle = entity->handle1; // the handle after the last one
    while (handle < world->handles) {
        uint64_t mask = page_with(world, handle / RF_PAGE_SIZE, columns, count) >> (handle % RF_PAGE_SIZE);
        if (mask != 0) {
            *entity = rf_world_entity(world, handle + rf_low_bit(mask));
            return true;
        }
        handle = (handle / RF_PAGE_SIZE + 1) * RF_PAGE_SIZE;
    }
    *entity = (rf_entity){0};
    return false;
}

bool rf_world_next(const rf_world *world, rf_entity *entity) {
    return next_with(world, NULL, 0, entity);
}

bool rf_world_next_with(const rf_world *world, const rf_str *names, size_t count, rf_entity *entity) {
    int columns[RF_SCHEMA_MAX];
    size_t declared = 0;
    for (size_t i = 0; i < count; i++) {
        int column = rf_schema_find(world->schema, names[i]);
        if (column >= 0 && declared < RF_SCHEMA_MAX) columns[declared++] = column;
    }
    while (next_with(world, columns, declared, entity)) {
        rf_component component;
        size_t i = 0;
        while (i < count && rf_world_get(world, *entity, names[i], &component)) i++;
        if (i == count) return true;
    }
    return false;
}
