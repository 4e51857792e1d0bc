#include "worlds.h"

#include <stdlib.h>

static void free_world(port_world *world) {
    rf_scene_free(world->scene);
    rf_world_free(world->world);
    free(world);
}

void port_worlds_free(port_worlds *worlds) {
    for (size_t i = 0; i < worlds->capacity; i++) {
        for (port_world *world = worlds->slots[i], *next; world; world = next) {
            next = world->next;
            free_world(world);
        }
    }
    free(worlds->slots);
    port_pieces_free(&worlds->pieces);
    rf_definitions_free(worlds->definitions);
    *worlds = (port_worlds){0};
}

// Numbers are consecutive, so their low bits spread them well.
static port_world **slot_of(const port_worlds *worlds, uint64_t number) {
    return &worlds->slots[number & (worlds->capacity - 1)];
}

// The slot or `next` that points to the world, or the NULL at the end of its list.
static port_world **place_of(const port_worlds *worlds, uint64_t number) {
    port_world **place = slot_of(worlds, number);
    while (*place && (*place)->number != number) place = &(*place)->next;
    return place;
}

port_world *port_worlds_find(const port_worlds *worlds, uint64_t number) {
    return worlds->capacity > 0 ? *place_of(worlds, number) : NULL;
}

static bool grow(port_worlds *worlds) {
    port_worlds wider = *worlds;
    wider.capacity = worlds->capacity > 0 ? worlds->capacity * 2 : 64;
    wider.slots = calloc(wider.capacity, sizeof *wider.slots);
    if (!wider.slots) return false;
    for (size_t i = 0; i < worlds->capacity; i++) {
        for (port_world *world = worlds->slots[i], *next; world; world = next) {
            port_world **slot = slot_of(&wider, world->number);
            next = world->next;
            world->next = *slot;
            *slot = world;
        }
    }
    free(worlds->slots);
    *worlds = wider;
    return true;
}

rf_status port_worlds_add(port_worlds *worlds, uint64_t number, uint64_t version, rf_world *world) {
    port_world *added = calloc(1, sizeof *added), **slot;
    port_worlds_remove(worlds, number);
    if (!added || (worlds->count == worlds->capacity && !grow(worlds))) {
        free(added);
        rf_world_free(world);
        return RF_NO_MEMORY;
    }
    slot = slot_of(worlds, number);
    *added = (port_world){.number = number, .version = version, .world = world, .next = *slot};
    *slot = added;
    worlds->count++;
    return RF_OK;
}

void port_worlds_raise(port_worlds *worlds, port_world *world) {
    world->version++;
    port_pieces_remove(&worlds->pieces, world->number, world->version);
}

void port_worlds_remove(port_worlds *worlds, uint64_t number) {
    port_world **place, *found;
    port_pieces_remove(&worlds->pieces, number, UINT64_MAX);
    if (worlds->capacity == 0 || !(found = *(place = place_of(worlds, number)))) return;
    *place = found->next;
    worlds->count--;
    free_world(found);
}
