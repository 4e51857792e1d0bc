// wire_parts.h: what is to be encoded of the entities of a page, component by component.
#ifndef RF_CORE_WIRE_PARTS_H
#define RF_CORE_WIRE_PARTS_H

#include "wire_page.h"
#include "world/world_state.h"

typedef struct rf_wire_parts {
    const rf_world *world;
    rf_wire_values_function *encode[RF_SCHEMA_MAX]; // by column; NULL: values are encoded one by one
    rf_wire_places places;
    uint64_t places_of; // the entities in `places`
    bool even;          // each part has an encoding of at most 64 bits for each current entity
    uint64_t mixed;     // entities that may need another encoding
    uint32_t count;
    rf_wire_part *items; // as many as the schema has components; the caller's
} rf_wire_parts;

// Sets `places` to the positions of these entities.
void rf_wire_parts_places(rf_wire_parts *parts, uint64_t entities);
// Finds what to encode of these entities of the page that starts at `first`. since: as rf_wire_values.since.
void rf_wire_parts_find(rf_wire_parts *parts, uint32_t first, uint64_t entities, uint32_t since);

#endif
