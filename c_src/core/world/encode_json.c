// encode_json.c: encodes snapshots and diffs as JSON text, straight from the columns.
#include <roomfold/diff.h>
#include <roomfold/encode.h>

#include "json/json_out.h"
#include "json/scan.h"
#include "world_state.h"
#include <stdlib.h>

// An entity to write, and the revision since which its components count (0: all).
typedef struct json_item {
    uint32_t handle, since;
} json_item;

// A value grouped by a name that is not in the schema.
typedef struct json_row {
    rf_str name;
    size_t item;
    const rf_other *other; // of an undeclared component
} json_row;

#define KEY_ROOM (RF_JSON_STRING_ROOM(RF_NAME_MAX) + 2)
#define KEY_PIECE 16 // bytes of a key that are always copied

// A declared component, and its values on the current page of 64 entities.
typedef struct json_column {
    rf_json_writer write; // NULL: strings and terms
    const uint8_t *cells; // NULL: none on this page
    uint64_t present;
    uint32_t stride, value_offset, key_len;
    const char *key; // ,"name":
    const rf_component_def *def;
} json_column;

typedef struct encoder {
    const rf_world *world;
    const rf_encode_def *def;
    rf_allocator scratch;
    rf_json_out out;
    json_item *items; // in the order of handles
    rf_str *deleted;
    json_row *rows;
    size_t item_count, deleted_count, row_count, row_capacity;
    size_t fixed_room; // of all an entity's components of fixed size
    size_t guess;      // estimated bytes of an entity
    uint32_t page;     // the current one
    uint32_t column_count;
    json_column columns[RF_SCHEMA_MAX];
    char keys[RF_SCHEMA_MAX][KEY_ROOM];
} encoder;

static void text(encoder *e, const char *literal) {
    rf_json_out_text(&e->out, (rf_str){literal, strlen(literal)});
}

// The first entry of a list or map has no comma.
static void comma(encoder *e, bool *first) {
    if (!*first) rf_json_out_byte(&e->out, ',');
    *first = false;
}

static void named(encoder *e, rf_str name) {
    rf_json_out_string(&e->out, name);
    rf_json_out_byte(&e->out, ':');
}

static rf_str id_of(const encoder *e, const json_item *item) {
    return rf_entity_id_str(&rf_world_slot(e->world, item->handle)->id);
}

// ---- what is written ----------------------------------------------------------------------------

static bool fail(encoder *e, rf_status status) {
    if (e->out.status == RF_OK) e->out.status = status;
    return false;
}

// Collects the living entities that changed since this revision (0: all), in the order of handles.
static void collect_living(encoder *e, uint32_t since) {
    const rf_world *world = e->world;
    json_item *to = e->items;
    for (uint32_t first = 0; first < world->handles; first += RF_PAGE_SIZE) {
        const rf_slot_page *page = rf_world_page(world, first);
        for (uint64_t left = page ? rf_slot_page_changed(page, since) : 0; left != 0; left &= left - 1) {
            uint32_t at = rf_low_bit(left);
            *to++ = (json_item){.handle = first + at, .since = page->created_at[at] >= since ? 0 : since};
        }
    }
    e->item_count = (size_t)(to - e->items);
}

static bool collect_snapshot(encoder *e) {
    e->items = rf_alloc(e->scratch, (e->world->count + (size_t)1) * sizeof *e->items);
    if (!e->items) return fail(e, RF_NO_MEMORY);
    collect_living(e, 0);
    return true;
}

static bool collect_diff(encoder *e) {
    rf_change change;
    rf_diff *diff;
    rf_status status = rf_diff_new(e->world, e->def->from, &diff);
    if (status != RF_OK) return fail(e, status);
    e->items = rf_alloc(e->scratch, (e->world->count + (size_t)1) * sizeof *e->items);
    e->deleted = rf_alloc(e->scratch, (e->world->history.dead_count + (size_t)1) * sizeof *e->deleted);
    // Deletes come first.
    while (e->items && e->deleted && rf_diff_next(diff, &change) && change.kind == RF_CHANGE_DELETE)
        e->deleted[e->deleted_count++] = change.id;
    rf_diff_free(diff);
    if (!e->items || !e->deleted) return fail(e, RF_NO_MEMORY);
    collect_living(e, rf_history_after(&e->world->history, e->def->from));
    return true;
}

#define GUESS_MAX 256

// Bytes that a number with its comma usually takes.
static size_t usual_digits(const rf_component_def *def) {
    if (def->fixed) return 5 + (size_t)def->decimals;
    return def->type == RF_TYPE_F64 ? 20 : 12;
}

static void prepare_columns(encoder *e) {
    e->page = UINT32_MAX;
    e->column_count = e->world->column_count;
    e->fixed_room = KEY_PIECE;
    e->guess = 24;
    for (uint32_t i = 0; i < e->world->column_count; i++) {
        const rf_column *column = &e->world->columns[i];
        json_column *to = &e->columns[i];
        char *key = e->keys[i];
        uint32_t len = 1;
        key[0] = ',';
        len += (uint32_t)rf_json_write_string(key + len, column->def.name);
        key[len++] = ':';
        *to = (json_column){.write = rf_json_writer_of(&column->def),
                            .stride = column->stride,
                            .value_offset = column->value_offset,
                            .key_len = len,
                            .key = key,
                            .def = &column->def};
        e->fixed_room += len + rf_json_value_room(&column->def);
        if (column->capacity > 0) e->guess += len + column->def.count * usual_digits(&column->def);
    }
    if (e->guess > GUESS_MAX) e->guess = GUESS_MAX; // hardly any entity has all of many components
}

// ---- one component ------------------------------------------------------------------------------

typedef enum presence { ABSENT, REMOVED, PRESENT } presence;

static void turn_page(encoder *e, uint32_t page) {
    e->page = page;
    for (uint32_t i = 0; i < e->column_count; i++) {
        json_column *column = &e->columns[i];
        const rf_column_page *values = rf_column_page_of(&e->world->columns[i], page * RF_PAGE_SIZE);
        column->cells = values ? (const uint8_t *)values->cells : NULL;
        column->present = values ? values->present : 0;
    }
}

static inline void turn_to(encoder *e, uint32_t handle) {
    if (handle / RF_PAGE_SIZE != e->page) turn_page(e, handle / RF_PAGE_SIZE);
}

// The columns must be at the item's page.
static inline presence look(const json_column *column, const json_item *item, const uint8_t **cell) {
    uint32_t at = item->handle % RF_PAGE_SIZE;
    bool present = column->present >> at & 1;
    if (!column->cells || (!present && item->since == 0)) return ABSENT;
    *cell = column->cells + (size_t)at * column->stride;
    if (rf_cell_stamp(*cell) < item->since) return ABSENT;
    return present ? PRESENT : REMOVED;
}

static inline bool counts(const rf_other *other, const json_item *item) {
    return other->stamp >= item->since && (other->present || item->since != 0);
}

static void blob(encoder *e, const json_column *column, const uint8_t *cell) {
    const rf_blob *blob = *(rf_blob *const *)(const void *)(cell + column->value_offset);
    rf_str bytes = {blob->bytes, blob->len};
    if (column->def->type == RF_TYPE_STRING)
        rf_json_out_string(&e->out, bytes);
    else
        rf_json_out_term(&e->out, bytes);
}

// Writes a value; there must be room.
static inline char *fixed_value(char *at, const json_column *column, const uint8_t *cell, presence there) {
    if (there == PRESENT) return column->write(at, column->def, cell + column->value_offset);
    memcpy(at, "null", 4);
    return at + 4;
}

static void value(encoder *e, const json_column *column, const uint8_t *cell, presence there) {
    if (there == PRESENT && !column->write) {
        blob(e, column, cell);
    } else if (rf_json_out_room(&e->out, 4 + rf_json_value_room(column->def))) {
        char *at = rf_json_out_at(&e->out);
        e->out.text.len += (size_t)(fixed_value(at, column, cell, there) - at);
    }
}

static void other_value(encoder *e, const rf_other *other) {
    if (other->present)
        rf_json_out_term(&e->out, rf_other_value(other));
    else
        text(e, "null");
}

// ---- one entity's components --------------------------------------------------------------------

// Writes *open (a bracket or a comma, and a comma from then on) and a key.
static inline char *key(char *at, const json_column *column, char *open) {
    memcpy(at, column->key, KEY_PIECE);
    if (column->key_len > KEY_PIECE) memcpy(at + KEY_PIECE, column->key + KEY_PIECE, column->key_len - KEY_PIECE);
    *at = *open;
    *open = ',';
    return at + column->key_len;
}

// Writes the components of fixed size from a column on; there must be room. Stops at the first column of another kind
// and returns it.
static inline uint32_t fixed_components(const encoder *e, const json_item *item, uint32_t from, char **out,
                                        char *open) {
    const json_column *column = e->columns + from, *end = e->columns + e->column_count;
    char *at = *out;
    for (; column < end && column->write; column++) {
        const uint8_t *cell;
        presence there = look(column, item, &cell);
        if (there != ABSENT) at = fixed_value(key(at, column, open), column, cell, there);
    }
    *out = at;
    return (uint32_t)(column - e->columns);
}

static void separate(encoder *e, char *open) {
    rf_json_out_byte(&e->out, *open);
    *open = ',';
}

// Writes the declared components from column i on, which is not of fixed size.
static void other_declared(encoder *e, const json_item *item, uint32_t i, char *open) {
    while (i < e->column_count) {
        const json_column *column = &e->columns[i];
        const uint8_t *cell;
        presence there = look(column, item, &cell);
        char *at;
        if (there != ABSENT) {
            separate(e, open);
            rf_json_out_text(&e->out, (rf_str){column->key + 1, column->key_len - 1});
            value(e, column, cell, there);
        }
        if (!rf_json_out_room(&e->out, e->fixed_room)) return;
        at = rf_json_out_at(&e->out);
        i = fixed_components(e, item, i + 1, &at, open);
        e->out.text.len = (size_t)(at - (char *)e->out.text.data);
    }
}

// Writes all components from a column on, and the undeclared ones.
static void other_components(encoder *e, const json_item *item, uint32_t column, char *open) {
    const rf_others *others = rf_world_slot(e->world, item->handle)->others;
    other_declared(e, item, column, open);
    for (uint32_t i = 0; others && i < others->count; i++) {
        if (!counts(others->items[i], item)) continue;
        separate(e, open);
        named(e, rf_other_name(others->items[i]));
        other_value(e, others->items[i]);
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

#define HEAD_ROOM 8
#define ENTITY_ROOM (HEAD_ROOM + RF_JSON_STRING_ROOM(RF_NAME_MAX) + 3)

// Writes an entity: `head`, its id, `open` (with a colon before it if it is a bracket), its components, and the closing
// bracket.
static inline void entity(encoder *e, const json_item *item, const char head[HEAD_ROOM], size_t head_len, char open) {
    const rf_slot *slot = rf_world_slot(e->world, item->handle);
    char *at;
    uint32_t i;
    if (!rf_json_out_room(&e->out, ENTITY_ROOM + e->fixed_room)) return;
    turn_to(e, item->handle);
    at = rf_json_out_at(&e->out);
    memcpy(at, head, HEAD_ROOM);
    at = write_id(at + head_len, &slot->id);
    *at = ':';
    at += open == '{';
    i = fixed_components(e, item, 0, &at, &open);
    if (i < e->column_count || slot->others) {
        e->out.text.len = (size_t)(at - (char *)e->out.text.data);
        other_components(e, item, i, &open);
        if (!rf_json_out_room(&e->out, 2)) return;
        at = rf_json_out_at(&e->out);
    }
    *at = '{';
    at += open == '{';
    *at++ = '}';
    e->out.text.len = (size_t)(at - (char *)e->out.text.data);
}

// ---- by entity: id -> components ----------------------------------------------------------------

// Writes the created entities or all of a snapshot (whole), or else the updated ones.
static void entities(encoder *e, const char *name, bool whole) {
    bool first = true;
    text(e, name);
    rf_json_out_byte(&e->out, '{');
    for (size_t i = 0; i < e->item_count && e->out.status == RF_OK; i++) {
        if ((e->items[i].since == 0) != whole) continue;
        entity(e, &e->items[i], ",\0\0\0\0\0\0", !first, '{');
        first = false;
    }
    rf_json_out_byte(&e->out, '}');
}

static void ids(encoder *e, const char *name, const rf_str *list, size_t count) {
    bool first = true;
    text(e, name);
    rf_json_out_byte(&e->out, '[');
    for (size_t i = 0; i < count; i++) {
        comma(e, &first);
        rf_json_out_string(&e->out, list[i]);
    }
    rf_json_out_byte(&e->out, ']');
}

static void created_ids(encoder *e) {
    bool first = true;
    text(e, ",\"created\":[");
    for (size_t i = 0; i < e->item_count; i++) {
        if (e->items[i].since != 0) continue;
        comma(e, &first);
        rf_json_out_string(&e->out, id_of(e, &e->items[i]));
    }
    rf_json_out_byte(&e->out, ']');
}

static void by_entity(encoder *e) {
    if (!e->def->diff) {
        entities(e, ",\"entities\":", true);
        return;
    }
    entities(e, ",\"creates\":", true);
    entities(e, ",\"updates\":", false);
    ids(e, ",\"deletes\":", e->deleted, e->deleted_count);
}

// ---- gathering by name --------------------------------------------------------------------------

static bool add_row(encoder *e, const json_row *row) {
    if (e->row_count == e->row_capacity) {
        size_t capacity = e->row_capacity ? e->row_capacity * 2 : 64;
        json_row *rows = e->scratch.resize(e->scratch.context, e->rows, capacity * sizeof *rows);
        if (!rows) return fail(e, RF_NO_MEMORY);
        e->rows = rows;
        e->row_capacity = capacity;
    }
    e->rows[e->row_count++] = *row;
    return true;
}

static int compare_rows(const void *a, const void *b) {
    const json_row *left = a, *right = b;
    int order = rf_str_cmp(left->name, right->name);
    return order != 0 ? order : (left->item > right->item) - (left->item < right->item);
}

static void sort_rows(encoder *e) {
    if (e->row_count > 1) qsort(e->rows, e->row_count, sizeof *e->rows, compare_rows);
}

static bool new_group(const encoder *e, size_t row) {
    return row == 0 || !rf_str_eq(e->rows[row - 1].name, e->rows[row].name);
}

// ---- by component: component -> id -> value -----------------------------------------------------

static void column_entries(encoder *e, uint32_t i, bool *first) {
    const json_column *column = &e->columns[i];
    bool first_id = true;
    for (size_t k = 0; k < e->item_count && e->out.status == RF_OK; k++) {
        const uint8_t *cell;
        presence there;
        turn_to(e, e->items[k].handle);
        there = look(column, &e->items[k], &cell);
        if (there == ABSENT) continue;
        if (first_id) {
            rf_json_out_text(&e->out, (rf_str){column->key + *first, column->key_len - *first});
            rf_json_out_byte(&e->out, '{');
            *first = false;
        }
        comma(e, &first_id);
        named(e, id_of(e, &e->items[k]));
        value(e, column, cell, there);
    }
    if (!first_id) rf_json_out_byte(&e->out, '}');
}

static bool collect_others(encoder *e) {
    for (size_t k = 0; k < e->item_count; k++) {
        const rf_others *others = rf_world_slot(e->world, e->items[k].handle)->others;
        for (uint32_t i = 0; others && i < others->count; i++) {
            json_row row = {.name = rf_other_name(others->items[i]), .item = k, .other = others->items[i]};
            if (counts(others->items[i], &e->items[k]) && !add_row(e, &row)) return false;
        }
    }
    sort_rows(e);
    return true;
}

static void other_entries(encoder *e, bool *first) {
    for (size_t i = 0; i < e->row_count && e->out.status == RF_OK; i++) {
        const json_row *row = &e->rows[i];
        bool opens = new_group(e, i);
        if (opens) {
            if (i > 0) rf_json_out_byte(&e->out, '}');
            comma(e, first);
            named(e, row->name);
        }
        rf_json_out_byte(&e->out, opens ? '{' : ',');
        named(e, id_of(e, &e->items[row->item]));
        other_value(e, row->other);
    }
    if (e->row_count > 0) rf_json_out_byte(&e->out, '}');
}

static void by_component(encoder *e) {
    bool first = true;
    text(e, ",\"components\":{");
    for (uint32_t i = 0; i < e->world->column_count; i++) column_entries(e, i, &first);
    if (collect_others(e)) other_entries(e, &first);
    rf_json_out_byte(&e->out, '}');
    if (!e->def->diff) return;
    created_ids(e);
    ids(e, ",\"deleted\":", e->deleted, e->deleted_count);
}

// ---- by kind: kind <> "s" -> components with "id" -----------------------------------------------

static rf_str kind_of(const encoder *e, const json_item *item) {
    return rf_world_kind(e->world, (rf_entity){.handle1 = item->handle + 1}, RF_KIND_OTHER);
}

static void plural(encoder *e, rf_str kind) {
    rf_json_out_string(&e->out, kind);
    if (e->out.status == RF_OK) e->out.text.len--; // the quote
    text(e, "s\":");
}

static void by_kind(encoder *e) {
    text(e, ",\"kinds\":{");
    for (size_t k = 0; k < e->item_count; k++)
        if (!add_row(e, &(json_row){.name = kind_of(e, &e->items[k]), .item = k})) return;
    sort_rows(e);
    for (size_t i = 0; i < e->row_count && e->out.status == RF_OK; i++) {
        const json_item *item = &e->items[e->rows[i].item];
        bool opens = new_group(e, i);
        if (opens) {
            if (i > 0) text(e, "],");
            plural(e, e->rows[i].name);
        }
        entity(e, item, opens ? "[{\"id\":" : ",{\"id\":", 7, ',');
    }
    if (e->row_count > 0) rf_json_out_byte(&e->out, ']');
    if (e->def->diff) ids(e, e->row_count > 0 ? ",\"deleted\":" : "\"deleted\":", e->deleted, e->deleted_count);
    rf_json_out_byte(&e->out, '}');
    if (e->def->diff) created_ids(e);
}

// ---- the whole ----------------------------------------------------------------------------------

static void reference(encoder *e, rf_str value) {
    if (value.data)
        rf_json_out_string(&e->out, value);
    else
        text(e, "null");
    rf_json_out_byte(&e->out, ',');
}

static void payload(encoder *e) {
    text(e, e->def->diff ? "{\"from\":" : "{\"seq\":");
    if (e->def->diff) {
        rf_json_out_uint(&e->out, e->def->from);
        text(e, ",\"seq\":");
    }
    rf_json_out_uint(&e->out, e->world->seq);
    switch (e->def->by) {
    case RF_BY_ENTITY:
        by_entity(e);
        break;
    case RF_BY_COMPONENT:
        by_component(e);
        break;
    case RF_BY_KIND:
        by_kind(e);
        break;
    }
    rf_json_out_byte(&e->out, '}');
}

static void framed(encoder *e) {
    const rf_phoenix_frame *frame = e->def->frame;
    rf_json_out_byte(&e->out, '[');
    reference(e, frame->join_ref);
    reference(e, frame->ref);
    reference(e, frame->topic);
    reference(e, frame->event);
    payload(e);
    rf_json_out_byte(&e->out, ']');
}

// Makes room for roughly the expected size, so that the text rarely has to move, neither to grow nor to shrink.
static void guess_room(encoder *e) {
    size_t guess = 256 + e->item_count * e->guess;
    if (e->def->limit > 0 && guess > e->def->limit) guess = e->def->limit;
    if (!rf_buf_reserve_exactly(&e->out.text, ENTITY_ROOM + e->fixed_room + guess)) fail(e, RF_NO_MEMORY);
}

static void encode(encoder *e) {
    if (!(e->def->diff ? collect_diff(e) : collect_snapshot(e))) return;
    prepare_columns(e);
    guess_room(e);
    if (e->def->frame)
        framed(e);
    else
        payload(e);
    if (e->def->limit > 0 && e->out.text.len > e->def->limit) fail(e, RF_TOO_LARGE);
}

rf_status rf_encode_json(const rf_world *world, const rf_encode_def *def, rf_allocator allocator, char **out,
                         size_t *len) {
    rf_allocator scratch = world->mem.allocator;
    rf_status status;
    encoder *e = rf_alloc(scratch, sizeof *e);
    *out = NULL;
    *len = 0;
    if (!e) return RF_NO_MEMORY;
    memset(e, 0, offsetof(encoder, columns));
    e->world = world;
    e->def = def;
    e->scratch = scratch;
    e->out.limit = def->limit;
    rf_buf_init(&e->out.text, allocator);
    encode(e);
    status = e->out.status;
    if (status == RF_OK) {
        *out = (char *)e->out.text.data;
        *len = e->out.text.len;
    } else {
        rf_buf_free(&e->out.text);
    }
    rf_free(scratch, e->items);
    rf_free(scratch, e->deleted);
    rf_free(scratch, e->rows);
    rf_free(scratch, e);
    return status;
}
