#include "targets.h"

#include "space_state.h"
#include <math.h>

void rf_profile_release(rf_profile *profile, rf_mem *mem) {
    if (!profile || --profile->users > 0) return;
    rf_entity_id_free(&profile->id, mem);
    rf_entity_id_free(&profile->owner, mem);
    rf_mem_free(mem, profile, sizeof *profile);
}

static size_t block_size(uint32_t capacity) {
    return capacity == 0 ? 0 : (capacity + 1) * sizeof(rf_body);
}

static void free_lists(const rf_targets *targets, rf_mem *mem) {
    rf_mem_free(mem, targets->block, block_size(targets->capacity));
    rf_mem_free(mem, targets->profiles, targets->capacity * sizeof *targets->profiles);
    rf_mem_free(mem, targets->layers, targets->capacity * sizeof *targets->layers);
}

void rf_targets_free(rf_targets *targets, rf_mem *mem) {
    for (uint32_t i = 0; i < targets->count; i++) rf_profile_release(targets->profiles[i], mem);
    free_lists(targets, mem);
    rf_mem_free(mem, targets->places, targets->keys * sizeof *targets->places);
    rf_bvh_free(&targets->index, mem);
    *targets = (rf_targets){0};
}

static void bounds(const void *context, const uint32_t *items, uint32_t count, float *rows) {
    const rf_body *bodies = context;
    for (uint32_t lane = 0; lane < count; lane++) {
        const rf_body *body = &bodies[items[lane]];
        double low[3], high[3];
        for (uint32_t i = 0; i < 3; i++) {
            double reach = body->shape.half[i] + body->shape.radius;
            double centre = i == 1 ? body->position[1] + body->shape.lift : body->position[i];
            low[i] = centre - reach;
            high[i] = centre + reach;
        }
        rf_bvh_lane(rows, lane, low, high);
    }
}

bool rf_targets_index(rf_targets *targets, rf_mem *mem) {
    rf_bvh_source source = {.bounds = bounds, .context = targets->bodies};
    if (!targets->indexed) {
        if (!rf_bvh_build(&targets->index, mem, targets->count, source)) return false;
    } else if (!targets->fitted) {
        rf_bvh_refit(&targets->index, mem, source);
    }
    targets->indexed = targets->fitted = true;
    return true;
}

// Grows all lists, or none.
static bool grow(rf_targets *targets, rf_mem *mem) {
    rf_targets grown = *targets;
    grown.capacity = targets->capacity ? targets->capacity * 2 : 16;
    grown.block = rf_mem_alloc(mem, block_size(grown.capacity));
    grown.profiles = rf_mem_alloc(mem, grown.capacity * sizeof *grown.profiles);
    grown.layers = rf_mem_alloc(mem, grown.capacity * sizeof *grown.layers);
    if (!grown.block || !grown.profiles || !grown.layers) {
        free_lists(&grown, mem);
        return false;
    }
    grown.bodies =
        (rf_body *)(void *)((char *)grown.block + (sizeof(rf_body) - (uintptr_t)grown.block % sizeof(rf_body)));
    for (uint32_t i = 0; i < targets->count; i++) {
        grown.bodies[i] = targets->bodies[i];
        grown.profiles[i] = targets->profiles[i];
        grown.layers[i] = targets->layers[i];
    }
    free_lists(targets, mem);
    *targets = grown;
    return true;
}

static bool reserve(rf_targets *targets, rf_mem *mem, uint32_t key) {
    if (targets->count == targets->capacity && !grow(targets, mem)) return false;
    if (key >= targets->keys) {
        uint32_t grown = targets->keys ? targets->keys : 16, *places;
        while (grown <= key) grown *= 2;
        places = rf_mem_resize(mem, targets->places, targets->keys * sizeof *places, grown * sizeof *places);
        if (!places) return false;
        memset(places + targets->keys, 0, (grown - targets->keys) * sizeof *places);
        targets->places = places;
        targets->keys = grown;
    }
    return true;
}

static rf_status check(const rf_space *space, uint32_t key, const rf_target *target, rf_shape *shape) {
    rf_status status;
    if (key >= space->max_targets) return RF_TOO_LARGE;
    if (target->id.len < 1 || target->id.len > 255 || target->owner.len > 255) return RF_INVALID_ID;
    if (!rf_coordinates_valid(target->position, 3)) return RF_NUMBER_OUT_OF_RANGE;
    status = rf_shape_from_collider(&target->collider, shape);
    return status != RF_OK ? status : target->collider.kind == RF_COLLIDER_POINT ? RF_INVALID_COLLIDER : RF_OK;
}

static rf_profile *make_profile(rf_mem *mem, uint32_t key, const rf_target *target, const rf_shape *shape) {
    rf_profile *profile = rf_mem_zero(mem, sizeof *profile);
    if (!profile) return NULL;
    *profile = (rf_profile){.shape = *shape, .users = 1, .key = key, .layers = target->layers};
    if (rf_entity_id_set(&profile->id, mem, target->id) &&
        (target->owner.len == 0 || rf_entity_id_set(&profile->owner, mem, target->owner)))
        return profile;
    rf_profile_release(profile, mem);
    return NULL;
}

static void occupy(rf_targets *targets, uint32_t place, rf_profile *profile, const double position[3]) {
    targets->profiles[place] = profile;
    targets->layers[place] = profile->layers;
    memcpy(targets->bodies[place].position, position, sizeof targets->bodies[place].position);
    targets->bodies[place].shape = profile->shape;
    targets->fitted = false;
}

rf_status rf_targets_put(rf_space *space, uint32_t key, const rf_target *target, uint64_t incarnation) {
    rf_targets *targets = &space->targets;
    uint32_t place = rf_targets_place(targets, key);
    rf_profile *profile;
    rf_shape shape;
    rf_status status = check(space, key, target, &shape);
    if (status != RF_OK) return status;
    if (place == UINT32_MAX && !reserve(targets, &space->mem, key)) return RF_NO_MEMORY;
    profile = make_profile(&space->mem, key, target, &shape);
    if (!profile) return RF_NO_MEMORY;
    profile->incarnation = incarnation;
    if (place == UINT32_MAX) {
        place = targets->count++;
        targets->places[key] = place + 1;
        targets->profiles[place] = NULL;
        targets->indexed = false;
    }
    rf_profile_release(targets->profiles[place], &space->mem);
    occupy(targets, place, profile, target->position);
    return RF_OK;
}

rf_status rf_space_put(rf_space *space, uint32_t key, const rf_target *target) {
    return rf_targets_put(space, key, target, ++space->targets.incarnations);
}

rf_status rf_space_change(rf_space *space, uint32_t key, const rf_target *target) {
    uint32_t place = rf_targets_place(&space->targets, key);
    const rf_profile *known = place == UINT32_MAX ? NULL : space->targets.profiles[place];
    if (!known || !rf_str_eq(rf_entity_id_str(&known->id), target->id)) return RF_INVALID_ARGUMENT;
    return rf_targets_put(space, key, target, known->incarnation);
}

rf_status rf_space_move(rf_space *space, uint32_t key, const double position[3]) {
    uint32_t place = rf_targets_place(&space->targets, key);
    if (place == UINT32_MAX) return RF_INVALID_ARGUMENT;
    if (!rf_coordinates_valid(position, 3)) return RF_NUMBER_OUT_OF_RANGE;
    for (int i = 0; i < 3; i++) space->targets.bodies[place].position[i] = position[i];
    space->targets.fitted = false;
    return RF_OK;
}

void rf_space_remove(rf_space *space, uint32_t key) {
    rf_targets *targets = &space->targets;
    uint32_t place = rf_targets_place(targets, key), last = targets->count - 1;
    if (place == UINT32_MAX) return;
    rf_profile_release(targets->profiles[place], &space->mem);
    targets->places[key] = 0;
    if (place != last) {
        targets->bodies[place] = targets->bodies[last];
        targets->profiles[place] = targets->profiles[last];
        targets->layers[place] = targets->layers[last];
        targets->places[targets->profiles[place]->key] = place + 1;
    }
    targets->count--;
    targets->indexed = false;
}

bool rf_space_has(const rf_space *space, uint32_t key) {
    return rf_targets_place(&space->targets, key) != UINT32_MAX;
}

bool rf_space_position(const rf_space *space, uint32_t key, double out[3]) {
    uint32_t place = rf_targets_place(&space->targets, key);
    if (place == UINT32_MAX) return false;
    memcpy(out, space->targets.bodies[place].position, sizeof space->targets.bodies[place].position);
    return true;
}

uint32_t rf_space_count(const rf_space *space) {
    return space->targets.count;
}
