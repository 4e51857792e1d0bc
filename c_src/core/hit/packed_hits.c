// packed_hits.c: reads rays and writes answers as binary records.
#include <roomfold/packed_hits.h>

#include "base/alloc.h"
#include "base/varint.h"

#define KIND_ERROR 255

// ---- rays ---------------------------------------------------------------------------------------

static double load_f64(const uint8_t *at) {
    uint64_t bits = rf_load64(at);
    double out;
    memcpy(&out, &bits, sizeof out);
    return out;
}

void rf_packed_rays_read(const uint8_t *bytes, size_t count, const rf_str *owners, size_t owner_count, rf_shot *shots,
                         rf_status *statuses) {
    for (size_t i = 0; i < count; i++, bytes += RF_PACKED_RAY_SIZE) {
        rf_shot *shot = &shots[i];
        uint32_t owner = rf_load32(bytes + 60);
        // Sets each field: zeroing the whole shot would take longer than all the rest.
        shot->kind = RF_SHOT_FIRST;
        shot->mask = rf_load32(bytes + 56);
        shot->collider = (rf_collider){.kind = RF_COLLIDER_POINT};
        shot->owner = (rf_str){0};
        shot->moment = (rf_moment){.kind = RF_NOW};
        for (int k = 0; k < 3; k++) {
            shot->origin[k] = load_f64(bytes + 8 * k);
            shot->direction[k] = load_f64(bytes + 24 + 8 * k);
        }
        shot->range = load_f64(bytes + 48);
        statuses[i] = RF_OK;
        if (owner == 0) continue;
        if (owner <= owner_count) shot->owner = owners[owner - 1];
        if (!shot->owner.data) statuses[i] = RF_INVALID_ARGUMENT;
    }
}

// ---- answers ------------------------------------------------------------------------------------

rf_packed_ids rf_packed_ids_new(rf_allocator allocator) {
    return (rf_packed_ids){.allocator = allocator};
}

void rf_packed_ids_free(rf_packed_ids *ids) {
    rf_free(ids->allocator, ids->items);
    rf_free(ids->allocator, ids->places);
    *ids = (rf_packed_ids){.allocator = ids->allocator};
}

static bool reserve_key(rf_packed_ids *ids, uint32_t key) {
    uint32_t keys = key * 2 + 64, *places;
    if (key < ids->keys) return true;
    places = ids->allocator.resize(ids->allocator.context, ids->places, keys * sizeof *places);
    if (!places) return false;
    memset(places + ids->keys, 0, (keys - ids->keys) * sizeof *places);
    ids->places = places;
    ids->keys = keys;
    return true;
}

static bool add(rf_packed_ids *ids, rf_str id) {
    if (ids->len == ids->capacity) {
        uint32_t capacity = ids->capacity * 2 + 64;
        rf_str *items = ids->allocator.resize(ids->allocator.context, ids->items, capacity * sizeof *items);
        if (!items) return false;
        ids->items = items;
        ids->capacity = capacity;
    }
    ids->items[ids->len++] = id;
    return true;
}

static bool place_of(rf_packed_ids *ids, const rf_hit *hit, uint32_t *out) {
    if (!reserve_key(ids, hit->number)) return false;
    if (ids->places[hit->number] == 0) {
        if (!add(ids, hit->id)) return false;
        ids->places[hit->number] = ids->len;
    }
    *out = ids->places[hit->number];
    return true;
}

static void write_answer(uint8_t *at, uint32_t kind, uint32_t number, double t) {
    uint64_t bits;
    memcpy(&bits, &t, sizeof bits);
    rf_store32(at, kind);
    rf_store32(at + 4, number);
    rf_store64(at + 8, bits);
}

rf_status rf_packed_answers_write(const rf_answer *answers, const rf_status *statuses, size_t count,
                                  const rf_hits *hits, rf_packed_ids *ids, uint8_t *bytes) {
    for (size_t i = 0; i < count; i++, bytes += RF_PACKED_ANSWER_SIZE) {
        rf_status status = statuses[i] != RF_OK ? statuses[i] : answers[i].status;
        if (status != RF_OK) {
            write_answer(bytes, KIND_ERROR, (uint32_t)status, 0);
        } else if (answers[i].count == 0) {
            write_answer(bytes, 0, 0, 0);
        } else {
            const rf_hit *hit = &hits->items[answers[i].first];
            uint32_t number = hit->number;
            if (hit->kind == RF_HIT_TARGET && !place_of(ids, hit, &number)) return RF_NO_MEMORY;
            write_answer(bytes, (uint32_t)hit->kind + 1, number, hit->t);
        }
    }
    return RF_OK;
}
