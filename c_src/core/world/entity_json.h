// entity_json.h: writes entities and their components as JSON text, straight from the columns.
#ifndef RF_CORE_ENTITY_JSON_H
#define RF_CORE_ENTITY_JSON_H

#include "json/json_out.h"
#include "world_state.h"

// An entity to write, and the revision since which its components count (0: all).
typedef struct rf_json_item {
    uint32_t handle, since;
} rf_json_item;

#define RF_ENTITY_JSON_KEY (RF_JSON_STRING_ROOM(RF_NAME_MAX) + 2)

// A declared component, and its values on the current page of 64 entities.
typedef struct rf_json_column {
    rf_json_writer write; // NULL: strings and terms
    const uint8_t *cells; // NULL: none on this page
    uint64_t present;
    uint32_t stride, value_offset, key_len;
    const char *key; // ,"name":
    const rf_component_def *def;
} rf_json_column;

// Zeroed up to the columns, with a world and a text to write to; then rf_entity_json_init.
typedef struct rf_entity_json {
    const rf_world *world;
    rf_json_out out;
    size_t fixed_max;  // bytes of all an entity's components of fixed size, at most
    size_t entity_max; // the same with its id
    size_t guess;      // estimated bytes of an entity
    uint32_t page;     // the current one
    uint32_t column_count;
    rf_json_column columns[RF_SCHEMA_MAX];
    char keys[RF_SCHEMA_MAX][RF_ENTITY_JSON_KEY];
} rf_entity_json;

void rf_entity_json_init(rf_entity_json *json);

// Writes an entity: the first head_len bytes of `head`, its id, `open` (with a colon before it if it is a bracket), its
// components, and the closing bracket.
#define RF_ENTITY_JSON_HEAD 8
void rf_entity_json_put(rf_entity_json *json, const rf_json_item *item, const char head[RF_ENTITY_JSON_HEAD],
                        size_t head_len, char open);

// ---- single components ------------------------------------------------------------------------------

// Whether an item has a component. REMOVED: only in a diff.
typedef enum rf_presence { RF_ABSENT, RF_REMOVED, RF_PRESENT } rf_presence;

// Sets the columns to this page.
void rf_entity_json_load_page(rf_entity_json *json, uint32_t page);

static inline void rf_entity_json_seek(rf_entity_json *json, uint32_t handle) {
    if (handle / RF_PAGE_SIZE != json->page) rf_entity_json_load_page(json, handle / RF_PAGE_SIZE);
}

// The columns must be at the item's page. *cell: unless absent.
static inline rf_presence rf_json_column_look(const rf_json_column *column, const rf_json_item *item,
                                              const uint8_t **cell) {
    uint32_t at = item->handle % RF_PAGE_SIZE;
    bool present = column->present >> at & 1;
    if (!column->cells || (!present && item->since == 0)) return RF_ABSENT;
    *cell = column->cells + (size_t)at * column->stride;
    if (rf_cell_stamp(*cell) < item->since) return RF_ABSENT;
    return present ? RF_PRESENT : RF_REMOVED;
}

static inline bool rf_json_undeclared_counts(const rf_undeclared *other, const rf_json_item *item) {
    return other->stamp >= item->since && (other->present || item->since != 0);
}

// Write a value, or null if it was removed.
void rf_json_column_put(rf_entity_json *json, const rf_json_column *column, const uint8_t *cell, rf_presence presence);
void rf_json_undeclared_put(rf_entity_json *json, const rf_undeclared *other);

#endif
