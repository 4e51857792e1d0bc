// scene.c: keeps targets up to date with the entities of a world.
#include <roomfold/diff.h>
#include <roomfold/scene.h>

#include "base/bits.h"
#include "json/json_term.h"
#include "space_state.h"
#include "world/world_state.h"
#include <math.h>

struct rf_scene {
    rf_allocator allocator;
    rf_space *space;
    bool following; // it is up to date with `seq`
    uint64_t seq;
    uint32_t pages;  // of `there`
    uint64_t *there; // a bit per key that may be a target, in pages like the world's
    uint32_t resting_count;
    rf_sector *resting; // the heights of sectors that no entity moves,
    uint32_t cleared;   // since the space's static geometry was removed so often
};

rf_status rf_scene_new(rf_allocator allocator, rf_space *space, rf_scene **out) {
    rf_scene *scene = rf_alloc_zero(allocator, sizeof *scene);
    *out = scene;
    if (!scene) return RF_NO_MEMORY;
    scene->allocator = allocator;
    scene->space = space;
    return RF_OK;
}

void rf_scene_free(rf_scene *scene) {
    if (!scene) return;
    rf_space_free(scene->space);
    rf_free(scene->allocator, scene->there);
    rf_free(scene->allocator, scene->resting);
    rf_free(scene->allocator, scene);
}

rf_space *rf_scene_space(rf_scene *scene) {
    return scene->space;
}

// ---- what an entity looks like ------------------------------------------------------------------

static bool number_of(const rf_term *term, double *out) {
    if (term->kind == RF_TERM_INT) *out = (double)term->as.integer;
    if (term->kind == RF_TERM_FLOAT) *out = term->as.number;
    return term->kind == RF_TERM_INT || term->kind == RF_TERM_FLOAT;
}

static bool three_of(rf_str list, double out[3]) {
    rf_term_reader reader;
    rf_term head;
    rf_term_read(&reader, list);
    head = rf_term_next(&reader);
    if (head.kind != RF_TERM_LIST || head.as.count != 3) return false;
    for (int i = 0; i < 3; i++) {
        rf_term term = rf_term_next(&reader);
        if (!number_of(&term, &out[i])) return false;
    }
    return true;
}

static bool position_of(const rf_component *component, double out[3]) {
    if (component->type == RF_TYPE_TERM) return three_of(component->as.term, out);
    if ((component->type != RF_TYPE_F32 && component->type != RF_TYPE_F64) || component->count != 3) return false;
    for (int i = 0; i < 3; i++)
        out[i] = component->type == RF_TYPE_F32 ? (double)component->as.f32[i] : component->as.f64[i];
    return true;
}

static rf_str string_of(const rf_component *component) {
    rf_term head;
    if (component->type == RF_TYPE_STRING) return component->as.string;
    if (component->type != RF_TYPE_TERM) return (rf_str){0};
    head = rf_term_head(component->as.term);
    return head.kind == RF_TERM_STRING ? head.as.string : (rf_str){0};
}

static rf_str string_in(rf_str map, rf_str key) {
    rf_str value;
    rf_term head = {.kind = RF_TERM_NULL};
    if (rf_term_get(map, key, &value)) head = rf_term_head(value);
    return head.kind == RF_TERM_STRING ? head.as.string : (rf_str){0};
}

static bool number_in(rf_str map, rf_str key, double *out) {
    rf_str value;
    rf_term head;
    if (!rf_term_get(map, key, &value)) return false;
    head = rf_term_head(value);
    return number_of(&head, out);
}

static bool box_of(rf_str map, rf_collider *out) {
    double radius, height, size[3];
    rf_str list;
    if (rf_term_get(map, RF_LIT("size"), &list)) {
        if (!three_of(list, size)) return false;
        *out = (rf_collider){.kind = RF_COLLIDER_BOX, .half = {size[0] / 2, size[1] / 2, size[2] / 2}};
        return true;
    }
    if (!number_in(map, RF_LIT("radius"), &radius) || !number_in(map, RF_LIT("height"), &height)) return false;
    *out = rf_collider_box(radius, height);
    return true;
}

// *layers is unchanged if the collider does not set layers.
static bool collider_of(rf_str map, rf_collider *out, uint32_t *layers) {
    rf_str shape = string_in(map, RF_LIT("shape"));
    double radius, height, bits = *layers;
    if (rf_str_eq(shape, RF_LIT("box"))) {
        if (!box_of(map, out)) return false;
    } else if (rf_str_eq(shape, RF_LIT("sphere"))) {
        if (!number_in(map, RF_LIT("radius"), &radius)) return false;
        *out = rf_collider_sphere(radius);
    } else if (rf_str_eq(shape, RF_LIT("capsule"))) {
        if (!number_in(map, RF_LIT("radius"), &radius) || !number_in(map, RF_LIT("height"), &height)) return false;
        *out = rf_collider_capsule(radius, height);
    } else {
        return false;
    }
    out->centred = rf_str_eq(string_in(map, RF_LIT("at")), RF_LIT("centre"));
    number_in(map, RF_LIT("layers"), &bits);
    if (!(bits >= 0 && bits <= UINT32_MAX && bits == floor(bits))) return false;
    *layers = (uint32_t)bits;
    return true;
}

// False: the entity is not a target.
static bool target_of(const rf_world *world, rf_entity entity, rf_target *out) {
    rf_component component;
    *out = (rf_target){.id = rf_world_id(world, entity), .layers = RF_LAYER_DEFAULT};
    if (rf_world_get(world, entity, RF_LIT("health"), &component)) out->layers |= RF_LAYER_LIVING;
    if (!rf_world_get(world, entity, RF_LIT("collider"), &component) || component.type != RF_TYPE_TERM ||
        !collider_of(component.as.term, &out->collider, &out->layers))
        return false;
    if (!rf_world_get(world, entity, RF_LIT("position"), &component) || !position_of(&component, out->position))
        return false;
    if (rf_world_get(world, entity, RF_LIT("state"), &component) && rf_str_eq(string_of(&component), RF_LIT("dead")))
        return false;
    if (rf_world_get(world, entity, RF_LIT("owner"), &component)) out->owner = string_of(&component);
    if (out->owner.len > RF_NAME_MAX) out->owner = (rf_str){0}; // no id, so no shot's owner either
    return true;
}

// ---- one entity ---------------------------------------------------------------------------------

static bool is_there(const rf_scene *scene, uint32_t handle) {
    return scene->there[handle / RF_PAGE_SIZE] >> (handle % RF_PAGE_SIZE) & 1;
}

static void leave(rf_scene *scene, uint32_t handle) {
    rf_space_remove(scene->space, handle);
    scene->there[handle / RF_PAGE_SIZE] &= ~(UINT64_C(1) << (handle % RF_PAGE_SIZE));
}

// Differs from that of every other entity which has had this handle, also from that of the entity it replaced. So a
// target that was none for a while is still the same one, however seldom the scene looks at the world.
static uint64_t incarnation_of(const rf_world *world, uint32_t handle) {
    const rf_slot_page *page = rf_world_page(world, handle);
    uint32_t place = handle % RF_PAGE_SIZE;
    return (uint64_t)page->slots[place].generation << 32 | page->created_at[place];
}

// An entity that the space does not accept (a negative size, a position out of bounds) is not a target either.
static rf_status enter(rf_scene *scene, const rf_world *world, uint32_t handle, const rf_target *target) {
    rf_status status = rf_targets_put(scene->space, handle, target, incarnation_of(world, handle));
    if (status == RF_NO_MEMORY) return status;
    if (status != RF_OK)
        leave(scene, handle);
    else
        scene->there[handle / RF_PAGE_SIZE] |= UINT64_C(1) << (handle % RF_PAGE_SIZE);
    return RF_OK;
}

// Only a number's usual form: of "sector-7" and "sector-07", which could say different heights, the first one counts.
static bool sector_number(rf_str id, uint32_t *out) {
    const rf_str prefix = RF_LIT("sector-");
    uint32_t number = 0;
    if (id.len <= prefix.len || id.len > prefix.len + 8 || memcmp(id.data, prefix.data, prefix.len) != 0) return false;
    if (id.data[prefix.len] == '0' && id.len > prefix.len + 1) return false;
    for (size_t i = prefix.len; i < id.len; i++) {
        if (id.data[i] < '0' || id.data[i] > '9') return false;
        number = number * 10 + (uint32_t)(id.data[i] - '0');
    }
    *out = number;
    return true;
}

// A height that a space does not accept is as none.
static void move_height(const rf_world *world, rf_entity entity, rf_str name, double *height) {
    double wanted = *height;
    rf_component component;
    rf_term term;
    if (!rf_world_get(world, entity, name, &component)) return;
    if (component.type == RF_TYPE_F32 && component.count == 1) wanted = (double)component.as.f32[0];
    if (component.type == RF_TYPE_F64 && component.count == 1) wanted = component.as.f64[0];
    if (component.type == RF_TYPE_I64) wanted = (double)component.as.i64;
    if (component.type == RF_TYPE_TERM) {
        term = rf_term_head(component.as.term);
        number_of(&term, &wanted);
    }
    if (rf_coordinates_valid(&wanted, 1)) *height = wanted;
}

// The number of the sector that an entity with this id moves.
static bool sector_of(const rf_scene *scene, rf_str id, uint32_t *out) {
    return sector_number(id, out) && *out < scene->resting_count;
}

static rf_status set_sector(rf_scene *scene, uint32_t number, rf_sector sector) {
    rf_status status = rf_space_set_sector(scene->space, number, sector);
    return status == RF_NO_MEMORY ? status : RF_OK;
}

static rf_status move_sector(rf_scene *scene, const rf_world *world, rf_entity entity) {
    rf_sector sector;
    uint32_t number;
    if (!sector_of(scene, rf_world_id(world, entity), &number)) return RF_OK;
    sector = scene->resting[number];
    move_height(world, entity, RF_LIT("floor"), &sector.floor);
    move_height(world, entity, RF_LIT("ceiling"), &sector.ceiling);
    return set_sector(scene, number, sector);
}

static rf_status rest_sector(rf_scene *scene, rf_str id) {
    uint32_t number;
    return sector_of(scene, id, &number) ? set_sector(scene, number, scene->resting[number]) : RF_OK;
}

// An entity can be a target and move a sector, too.
static rf_status update_entity(rf_scene *scene, const rf_world *world, uint32_t handle) {
    rf_entity entity = rf_world_entity(world, handle);
    rf_status status = RF_OK;
    rf_target target;
    if (target_of(world, entity, &target))
        status = enter(scene, world, handle, &target);
    else if (is_there(scene, handle))
        leave(scene, handle);
    return status == RF_OK ? move_sector(scene, world, entity) : status;
}

// ---- following ----------------------------------------------------------------------------------

static bool reserve(rf_scene *scene, const rf_world *world) {
    uint32_t pages = (world->handles + RF_PAGE_SIZE - 1) / RF_PAGE_SIZE, capacity = scene->pages ? scene->pages : 4;
    uint64_t *there;
    if (pages <= scene->pages) return true;
    while (capacity < pages) capacity *= 2;
    there = scene->allocator.resize(scene->allocator.context, scene->there, capacity * sizeof *there);
    if (!there) return false;
    memset(there + scene->pages, 0, (capacity - scene->pages) * sizeof *there);
    scene->there = there;
    scene->pages = capacity;
    return true;
}

// Removes the targets of handles that are free.
static void remove_gone(rf_scene *scene, const rf_world *world) {
    for (uint32_t page = 0; page < scene->pages; page++) {
        uint32_t first = page * RF_PAGE_SIZE;
        uint64_t gone = scene->there[page];
        if (first < world->handles) gone &= ~rf_world_alive_on(world, first);
        for (; gone != 0; gone &= gone - 1) leave(scene, first + rf_low_bit(gone));
    }
}

// Remembers the heights of sectors that have been added since the last call. Entities that are there already may move
// them.
static bool remember_sectors(rf_scene *scene) {
    uint32_t count = rf_space_sectors(scene->space);
    rf_sector *resting;
    if (scene->cleared != scene->space->statics.cleared) {
        scene->cleared = scene->space->statics.cleared;
        scene->resting_count = 0;
        scene->following = false;
    }
    if (count == scene->resting_count) return true;
    scene->following = false;
    resting = scene->allocator.resize(scene->allocator.context, scene->resting, count * sizeof *resting);
    if (!resting) return false;
    scene->resting = resting;
    for (uint32_t i = scene->resting_count; i < count; i++) rf_space_sector(scene->space, i, &resting[i]);
    scene->resting_count = count;
    return true;
}

static rf_status update_all(rf_scene *scene, const rf_world *world) {
    rf_entity entity = {0};
    rf_status status = RF_OK;
    for (uint32_t i = 0; i < scene->resting_count && status == RF_OK; i++)
        status = set_sector(scene, i, scene->resting[i]);
    while (status == RF_OK && rf_world_next(world, &entity)) status = update_entity(scene, world, entity.handle1 - 1);
    return status;
}

// The columns of the components that make a target or move a sector.
#define PARTS 6
typedef struct columns {
    const rf_column *position; // three numbers; NULL: not declared so
    uint32_t declared;         // a bit per item of `part`
    const rf_column *part[PARTS];
} columns;

static const rf_str parts[PARTS] = {{"collider", 8}, {"owner", 5}, {"state", 5},
                                    {"health", 6},   {"floor", 5}, {"ceiling", 7}};

static columns columns_of(const rf_world *world) {
    columns out = {0};
    int at = rf_schema_find(world->schema, RF_LIT("position"));
    if (at >= 0 && world->columns[at].def.type <= RF_TYPE_F64 && world->columns[at].def.count == 3)
        out.position = &world->columns[at];
    for (uint32_t i = 0; i < PARTS; i++) {
        at = rf_schema_find(world->schema, parts[i]);
        if (at < 0) continue;
        out.part[i] = &world->columns[at];
        out.declared |= 1u << i;
    }
    return out;
}

static bool changed_in(const rf_column *column, uint32_t handle, uint32_t since) {
    const rf_column_page *page = rf_column_page_of(column, handle);
    return page && rf_cell_stamp(rf_column_cell(column, page, handle)) >= since;
}

static bool is_part(rf_str name) {
    for (uint32_t i = 0; i < PARTS; i++)
        if (rf_str_eq(name, parts[i])) return true;
    return rf_str_eq(name, RF_LIT("position"));
}

// Whether anything but the position has changed about the target.
static bool parts_changed(const columns *of, const rf_slot *slot, uint32_t handle, uint32_t since) {
    for (uint32_t left = of->declared; left != 0; left &= left - 1)
        if (changed_in(of->part[rf_low_bit(left)], handle, since)) return true;
    for (uint32_t i = 0; slot->undeclared && i < slot->undeclared->count; i++)
        if (slot->undeclared->items[i]->stamp >= since && is_part(rf_undeclared_name(slot->undeclared->items[i])))
            return true;
    return false;
}

// Fast path for the most frequent change: only the position. False: the entity must be read.
static bool only_moved(rf_scene *scene, const columns *of, const rf_slot *slot, uint32_t handle, uint32_t since) {
    const rf_column_page *page;
    const uint8_t *value;
    double position[3];
    if (!of->position || !is_there(scene, handle)) return false;
    if (parts_changed(of, slot, handle, since)) return false;
    if (!changed_in(of->position, handle, since)) return true;
    page = rf_column_page_of(of->position, handle);
    if (!rf_column_has(page, handle)) return false;
    value = rf_column_cell(of->position, page, handle) + of->position->value_offset;
    for (size_t i = 0; i < 3; i++) {
        float narrow;
        if (of->position->def.type == RF_TYPE_F64) {
            memcpy(&position[i], value + i * sizeof *position, sizeof *position);
        } else {
            memcpy(&narrow, value + i * sizeof narrow, sizeof narrow);
            position[i] = (double)narrow;
        }
    }
    return rf_space_move(scene->space, handle, position) == RF_OK;
}

static rf_status follow_page(rf_scene *scene, const rf_world *world, const columns *of, uint32_t first,
                             uint32_t since) {
    const rf_slot_page *page = rf_world_page(world, first);
    rf_status status = RF_OK;
    if (!page) return RF_OK;
    for (uint64_t left = rf_slot_page_changed(page, since); left != 0 && status == RF_OK; left &= left - 1) {
        uint32_t handle = first + rf_low_bit(left);
        bool created = page->created_at[handle % RF_PAGE_SIZE] >= since;
        if (!created && only_moved(scene, of, &page->slots[handle % RF_PAGE_SIZE], handle, since)) continue;
        status = update_entity(scene, world, handle);
    }
    return status;
}

// Resets the sectors of deleted entities first, since other entities may have replaced them.
static rf_status follow_changes(rf_scene *scene, const rf_world *world, rf_diff *diff) {
    uint32_t since = rf_history_after(&world->history, scene->seq);
    columns of = columns_of(world);
    rf_change change;
    rf_status status = RF_OK;
    while (status == RF_OK && rf_diff_next(diff, &change) && change.kind == RF_CHANGE_DELETE)
        status = rest_sector(scene, change.id);
    for (uint32_t first = 0; first < world->handles && status == RF_OK; first += RF_PAGE_SIZE)
        status = follow_page(scene, world, &of, first, since);
    return status;
}

rf_status rf_scene_follow(rf_scene *scene, const rf_world *world) {
    rf_diff *diff = NULL;
    rf_status status;
    if (!remember_sectors(scene)) return RF_NO_MEMORY;
    if (scene->following && scene->seq == world->seq) return RF_OK;
    if (!reserve(scene, world)) return RF_NO_MEMORY;
    remove_gone(scene, world);
    status = scene->following ? rf_diff_new(world, scene->seq, &diff) : RF_HISTORY_GONE;
    if (status == RF_OK)
        status = follow_changes(scene, world, diff);
    else if (status == RF_HISTORY_GONE)
        status = update_all(scene, world);
    rf_diff_free(diff);
    // After an error, everything is done again from the start.
    scene->following = status == RF_OK;
    scene->seq = world->seq;
    return status;
}

rf_status rf_scene_mark(rf_scene *scene, const rf_world *world, double time_ms) {
    rf_status status = rf_scene_follow(scene, world);
    return status == RF_OK ? rf_space_commit(scene->space, world->seq, time_ms) : status;
}
