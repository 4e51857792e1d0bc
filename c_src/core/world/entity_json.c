#include "entity_json.h"

#include "json/scan.h"

#define KEY_PIECE 16                                                            // bytes of a key that are always copied
#define GUESS_MAX 256                                                           // bytes of an entity
#define ENTITY_MAX (RF_ENTITY_JSON_HEAD + RF_JSON_STRING_ROOM(RF_NAME_MAX) + 3) // bytes without its components

// Bytes that a number with its comma usually takes.
static size_t usual_digits(const rf_component_def *def) {
    if (def->fixed) return 5 + (size_t)def->decimals;
    return def->type == RF_TYPE_F64 ? 20 : 12;
}

void rf_entity_json_init(rf_entity_json *json) {
    json->page = UINT32_MAX;
    json->column_count = json->world->column_count;
    json->fixed_max = KEY_PIECE;
    json->guess = 24;
    for (uint32_t i = 0; i < json->world->column_count; i++) {
        const rf_column *column = &json->world->columns[i];
        rf_json_column *to = &json->columns[i];
        char *key = json->keys[i];
        uint32_t len = 1;
        key[0] = ',';
        len += (uint32_t)rf_json_write_string(key + len, column->def.name);
        key[len++] = ':';
        *to = (rf_json_column){.write = rf_json_writer_of(&column->def),
                               .stride = column->stride,
                               .value_offset = column->value_offset,
                               .key_len = len,
                               .key = key,
                               .def = &column->def};
        json->fixed_max += len + rf_json_value_max(&column->def);
        if (column->capacity > 0) json->guess += len + column->def.count * usual_digits(&column->def);
    }
    json->entity_max = ENTITY_MAX + json->fixed_max;
    if (json->guess > GUESS_MAX) json->guess = GUESS_MAX; // hardly any entity has all of many components
}

void rf_entity_json_load_page(rf_entity_json *json, uint32_t page) {
    json->page = page;
    for (uint32_t i = 0; i < json->column_count; i++) {
        rf_json_column *column = &json->columns[i];
        const rf_column_page *values = rf_column_page_of(&json->world->columns[i], page * RF_PAGE_SIZE);
        column->cells = values ? (const uint8_t *)values->cells : NULL;
        column->present = values ? values->present : 0;
    }
}

static void blob(rf_entity_json *json, const rf_json_column *column, const uint8_t *cell) {
    const rf_blob *blob = *(rf_blob *const *)(const void *)(cell + column->value_offset);
    rf_str bytes = {blob->bytes, blob->len};
    if (column->def->type == RF_TYPE_STRING)
        rf_json_out_string(&json->out, bytes);
    else
        rf_json_out_term(&json->out, bytes);
}

// Writes a value, for which there must be space.
static inline char *fixed_value(char *at, const rf_json_column *column, const uint8_t *cell, rf_presence presence) {
    if (presence == RF_PRESENT) return column->write(at, column->def, cell + column->value_offset);
    memcpy(at, "null", 4);
    return at + 4;
}

void rf_json_column_put(rf_entity_json *json, const rf_json_column *column, const uint8_t *cell, rf_presence presence) {
    if (presence == RF_PRESENT && !column->write) {
        blob(json, column, cell);
    } else if (rf_json_out_reserve(&json->out, 4 + rf_json_value_max(column->def))) {
        char *at = rf_json_out_at(&json->out);
        json->out.text.len += (size_t)(fixed_value(at, column, cell, presence) - at);
    }
}

void rf_json_undeclared_put(rf_entity_json *json, const rf_undeclared *other) {
    if (other->present)
        rf_json_out_term(&json->out, rf_undeclared_value(other));
    else
        rf_json_out_text(&json->out, RF_LIT("null"));
}

// ---- an entity ------------------------------------------------------------------------------------------

// Writes *open (a bracket or a comma, and a comma from then on) and a key.
static inline char *key(char *at, const rf_json_column *column, char *open) {
    memcpy(at, column->key, KEY_PIECE);
    if (column->key_len > KEY_PIECE) memcpy(at + KEY_PIECE, column->key + KEY_PIECE, column->key_len - KEY_PIECE);
    *at = *open;
    *open = ',';
    return at + column->key_len;
}

// Writes the components of fixed size from a column on, for which there must be space. Stops at the first column of
// another kind and returns it.
static inline uint32_t fixed_components(const rf_entity_json *json, const rf_json_item *item, uint32_t from, char **out,
                                        char *open) {
    const rf_json_column *column = json->columns + from, *end = json->columns + json->column_count;
    char *at = *out;
    for (; column < end && column->write; column++) {
        const uint8_t *cell;
        rf_presence presence = rf_json_column_look(column, item, &cell);
        if (presence != RF_ABSENT) at = fixed_value(key(at, column, open), column, cell, presence);
    }
    *out = at;
    return (uint32_t)(column - json->columns);
}

static void separate(rf_entity_json *json, char *open) {
    rf_json_out_byte(&json->out, *open);
    *open = ',';
}

// Writes the declared components from column i on, which is not of fixed size.
static void rest_declared(rf_entity_json *json, const rf_json_item *item, uint32_t i, char *open) {
    while (i < json->column_count) {
        const rf_json_column *column = &json->columns[i];
        const uint8_t *cell;
        rf_presence presence = rf_json_column_look(column, item, &cell);
        char *at;
        if (presence != RF_ABSENT) {
            separate(json, open);
            rf_json_out_text(&json->out, (rf_str){column->key + 1, column->key_len - 1});
            rf_json_column_put(json, column, cell, presence);
        }
        if (!rf_json_out_reserve(&json->out, json->fixed_max)) return;
        at = rf_json_out_at(&json->out);
        i = fixed_components(json, item, i + 1, &at, open);
        json->out.text.len = (size_t)(at - (char *)json->out.text.data);
    }
}

// Writes all components from a column on, and the undeclared ones.
static void rest_components(rf_entity_json *json, const rf_json_item *item, uint32_t column, char *open) {
    const rf_undeclared_list *undeclared = rf_world_slot(json->world, item->handle)->undeclared;
    rest_declared(json, item, column, open);
    for (uint32_t i = 0; undeclared && i < undeclared->count; i++) {
        if (!rf_json_undeclared_counts(undeclared->items[i], item)) continue;
        separate(json, open);
        rf_json_out_string(&json->out, rf_undeclared_name(undeclared->items[i]));
        rf_json_out_byte(&json->out, ':');
        rf_json_undeclared_put(json, undeclared->items[i]);
    }
}

// Writes an id with quotes.
static inline char *write_id(char *at, const rf_entity_id *id) {
    uint64_t low, high, stop;
    uint32_t plain = 0;
    if (id->raw[15] > RF_ID_IN_PLACE) return at + rf_json_write_string(at, rf_entity_id_str(id));
    low = rf_load64(id->raw);
    high = rf_load64(id->raw + 8);
    stop = rf_scan_run_end(low); // at the end of the id at the latest, since zeros follow it
    if (stop == 0) {
        stop = rf_scan_run_end(high); // or its length
        plain = 8;
    }
    plain += rf_low_bit(stop) / 8;
    if (plain != id->raw[15]) return at + rf_json_write_string(at, rf_entity_id_str(id));
    *at = '"';
    rf_store64((uint8_t *)at + 1, low);
    rf_store64((uint8_t *)at + 9, high);
    at[plain + 1] = '"';
    return at + plain + 2;
}

void rf_entity_json_put(rf_entity_json *json, const rf_json_item *item, const char head[RF_ENTITY_JSON_HEAD],
                        size_t head_len, char open) {
    const rf_slot *slot = rf_world_slot(json->world, item->handle);
    char *at;
    uint32_t i;
    if (!rf_json_out_reserve(&json->out, json->entity_max)) return;
    rf_entity_json_seek(json, item->handle);
    at = rf_json_out_at(&json->out);
    memcpy(at, head, RF_ENTITY_JSON_HEAD);
    at = write_id(at + head_len, &slot->id);
    *at = ':';
    at += open == '{';
    i = fixed_components(json, item, 0, &at, &open);
    if (i < json->column_count || slot->undeclared) {
        json->out.text.len = (size_t)(at - (char *)json->out.text.data);
        rest_components(json, item, i, &open);
        if (!rf_json_out_reserve(&json->out, 2)) return;
        at = rf_json_out_at(&json->out);
    }
    *at = '{';
    at += open == '{';
    *at++ = '}';
    json->out.text.len = (size_t)(at - (char *)json->out.text.data);
}
