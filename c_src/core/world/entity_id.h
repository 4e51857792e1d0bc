// entity_id.h: an id in 16 bytes: up to 15 bytes inline, longer ids on the heap.
#ifndef RF_CORE_ENTITY_ID_H
#define RF_CORE_ENTITY_ID_H

#include "base/alloc.h"
#include <roomfold/world.h>

#define RF_ID_IN_PLACE 15

// The last byte is the length of an inline id, or 255. For an id on the heap: the pointer, then the length.
typedef struct rf_entity_id {
    uint8_t raw[16];
} rf_entity_id;

static inline rf_str rf_entity_id_str(const rf_entity_id *id) {
    rf_str out = {(const char *)id->raw, id->raw[15]};
    if (id->raw[15] == 255) {
        memcpy(&out.data, id->raw, sizeof out.data);
        out.len = id->raw[8];
    }
    return out;
}

// Copies at most RF_ID_IN_PLACE bytes into a zeroed id: mostly two overlapping moves.
static inline void rf_entity_id_place(rf_entity_id *id, rf_str from) {
    if (from.len >= 8) {
        memcpy(id->raw, from.data, 8);
        memcpy(id->raw + from.len - 8, from.data + from.len - 8, 8);
    } else if (from.len >= 4) {
        memcpy(id->raw, from.data, 4);
        memcpy(id->raw + from.len - 4, from.data + from.len - 4, 4);
    } else {
        for (size_t i = 0; i < from.len; i++) id->raw[i] = (uint8_t)from.data[i];
    }
    id->raw[15] = (uint8_t)from.len;
}

// false when out of memory.
static inline bool rf_entity_id_set(rf_entity_id *id, rf_mem *mem, rf_str from) {
    memset(id, 0, sizeof *id);
    if (from.len <= RF_ID_IN_PLACE) {
        rf_entity_id_place(id, from);
    } else {
        char *bytes = rf_mem_alloc(mem, from.len);
        if (!bytes) return false;
        memcpy(bytes, from.data, from.len);
        memcpy(id->raw, &bytes, sizeof bytes);
        id->raw[8] = (uint8_t)from.len;
        id->raw[15] = 255;
    }
    return true;
}

static inline void rf_entity_id_free(rf_entity_id *id, rf_mem *mem) {
    if (id->raw[15] == 255) {
        char *bytes;
        memcpy(&bytes, id->raw, sizeof bytes);
        rf_mem_free(mem, bytes, id->raw[8]);
    }
    memset(id, 0, sizeof *id);
}

#endif
