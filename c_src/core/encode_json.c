// encode_json.c: snapshots and diffs as JSON text, straight from the columns.
#include <roomfold/diff.h>
#include <roomfold/encode.h>

#include "json_out.h"
#include "world_state.h"
#include <stdlib.h>

// An entity that is written, and since when its components count (0: all that are there).
typedef struct json_item {
    uint32_t handle, since;
} json_item;

// A value under a name that not all worlds know, for the shapes that gather by name.
typedef struct json_row {
    rf_str name;
    size_t item;
    const rf_other *other; // of an undeclared component
} json_row;

typedef struct json_key {
    char text[RF_JSON_STRING_ROOM(RF_NAME_MAX) + 1]; // "name":
    size_t len;
} json_key;

typedef struct encoder {
    const rf_world *world;
    const rf_encode_def *def;
    rf_allocator scratch;
    rf_json_out out;
    json_item *items; // in the order of handles
    rf_str *deleted;
    json_row *rows;
    size_t item_count, deleted_count, row_count, row_capacity;
    size_t fixed_room; // of all components of fixed size of one entity
    json_key keys[RF_SCHEMA_MAX];
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

static bool collect_snapshot(encoder *e) {
    rf_entity entity = {0};
    e->items = rf_alloc(e->scratch, (e->world->count + (size_t)1) * sizeof *e->items);
    if (!e->items) return fail(e, RF_NO_MEMORY);
    while (rf_world_next(e->world, &entity)) e->items[e->item_count++] = (json_item){.handle = entity.handle1 - 1};
    return true;
}

static bool collect_diff(encoder *e) {
    rf_change change;
    rf_diff *diff;
    rf_status status = rf_diff_new(e->world, e->def->from, &diff);
    if (status != RF_OK) return fail(e, status);
    e->items = rf_alloc(e->scratch, (e->world->count + (size_t)1) * sizeof *e->items);
    e->deleted = rf_alloc(e->scratch, (e->world->history.dead_count + (size_t)1) * sizeof *e->deleted);
    while (e->items && e->deleted && rf_diff_next(diff, &change)) {
        if (change.kind == RF_CHANGE_DELETE)
            e->deleted[e->deleted_count++] = change.id;
        else
            e->items[e->item_count++] = (json_item){.handle = change.handle, .since = change.components.since};
    }
    rf_diff_free(diff);
    return (e->items && e->deleted) || fail(e, RF_NO_MEMORY);
}

static void prepare_columns(encoder *e) {
    for (uint32_t i = 0; i < e->world->column_count; i++) {
        const rf_component_def *def = &e->world->columns[i].def;
        json_key *key = &e->keys[i];
        key->len = rf_json_write_string(key->text, def->name);
        key->text[key->len++] = ':';
        e->fixed_room += key->len + 1 + rf_json_value_room(def);
        if (e->fixed_room < 8) e->fixed_room = 8;
    }
}

// ---- one component ------------------------------------------------------------------------------

typedef enum presence { ABSENT, REMOVED, PRESENT } presence;

static inline presence look(const rf_column *column, const json_item *item, uint8_t **cell) {
    rf_column_page *page = rf_column_page_of(column, item->handle);
    bool present = rf_column_has(page, item->handle);
    if (!page || (!present && item->since == 0)) return ABSENT;
    *cell = rf_column_cell(column, page, item->handle);
    if (rf_cell_stamp(*cell) < item->since) return ABSENT;
    return present ? PRESENT : REMOVED;
}

static inline bool counts(const rf_other *other, const json_item *item) {
    return other->stamp >= item->since && (other->present || item->since != 0);
}

static void blob(encoder *e, const rf_column *column, uint8_t *cell) {
    const rf_blob *blob = *rf_cell_blob(column, cell);
    rf_str bytes = {blob->bytes, blob->len};
    if (column->def.type == RF_TYPE_STRING)
        rf_json_out_string(&e->out, bytes);
    else
        rf_json_out_term(&e->out, bytes);
}

static void value(encoder *e, const rf_column *column, uint8_t *cell, presence there) {
    if (there == REMOVED) {
        text(e, "null");
    } else if (column->blobs) {
        blob(e, column, cell);
    } else if (rf_json_out_room(&e->out, rf_json_value_room(&column->def))) {
        char *at = rf_json_out_at(&e->out);
        e->out.text.len += (size_t)(rf_json_write_value(at, &column->def, cell + column->value_offset) - at);
    }
}

static void other_value(encoder *e, const rf_other *other) {
    if (other->present)
        rf_json_out_term(&e->out, rf_other_value(other));
    else
        text(e, "null");
}

// ---- one entity's components --------------------------------------------------------------------

// All components of fixed size, in room that is asked for once; stops in front of one that is not. Answers its column.
static uint32_t fixed_components(encoder *e, const json_item *item, uint32_t from, bool *first) {
    char *at, *start;
    uint32_t i = from;
    if (!rf_json_out_room(&e->out, e->fixed_room)) return e->world->column_count;
    at = start = rf_json_out_at(&e->out);
    for (; i < e->world->column_count && !e->world->columns[i].blobs; i++) {
        const rf_column *column = &e->world->columns[i];
        uint8_t *cell;
        presence there = look(column, item, &cell);
        if (there == ABSENT) continue;
        *at = ',';
        at += !*first;
        *first = false;
        memcpy(at, e->keys[i].text, e->keys[i].len);
        at += e->keys[i].len;
        if (there == PRESENT) {
            at = rf_json_write_value(at, &column->def, cell + column->value_offset);
        } else {
            memcpy(at, "null", 4);
            at += 4;
        }
    }
    e->out.text.len += (size_t)(at - start);
    return i;
}

static void declared_components(encoder *e, const json_item *item, bool *first) {
    for (uint32_t i = 0; i < e->world->column_count; i++) {
        uint8_t *cell;
        presence there;
        i = fixed_components(e, item, i, first);
        if (i == e->world->column_count) return;
        there = look(&e->world->columns[i], item, &cell);
        if (there == ABSENT) continue;
        comma(e, first);
        rf_json_out_text(&e->out, (rf_str){e->keys[i].text, e->keys[i].len});
        value(e, &e->world->columns[i], cell, there);
    }
}

static void components(encoder *e, const json_item *item, bool first) {
    const rf_others *others = rf_world_slot(e->world, item->handle)->others;
    declared_components(e, item, &first);
    for (uint32_t i = 0; others && i < others->count; i++) {
        if (!counts(others->items[i], item)) continue;
        comma(e, &first);
        named(e, rf_other_name(others->items[i]));
        other_value(e, others->items[i]);
    }
}

// ---- by entity: id -> components ----------------------------------------------------------------

// Those that were created, or all of a snapshot (since == 0), or the others.
static void entities(encoder *e, const char *name, bool whole) {
    bool first = true;
    text(e, name);
    rf_json_out_byte(&e->out, '{');
    for (size_t i = 0; i < e->item_count && e->out.status == RF_OK; i++) {
        if ((e->items[i].since == 0) != whole) continue;
        comma(e, &first);
        named(e, id_of(e, &e->items[i]));
        rf_json_out_byte(&e->out, '{');
        components(e, &e->items[i], true);
        rf_json_out_byte(&e->out, '}');
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
    bool first_id = true;
    for (size_t k = 0; k < e->item_count && e->out.status == RF_OK; k++) {
        uint8_t *cell;
        presence there = look(&e->world->columns[i], &e->items[k], &cell);
        if (there == ABSENT) continue;
        if (first_id) {
            comma(e, first);
            rf_json_out_text(&e->out, (rf_str){e->keys[i].text, e->keys[i].len});
            rf_json_out_byte(&e->out, '{');
        }
        comma(e, &first_id);
        named(e, id_of(e, &e->items[k]));
        value(e, &e->world->columns[i], cell, there);
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

// Entities without a kind stand where those of the kind "other" do.
static rf_str kind_of(const encoder *e, const json_item *item) {
    rf_component kind;
    rf_term_reader reader;
    rf_term term;
    rf_entity entity = {.handle1 = item->handle + 1};
    if (!rf_world_get(e->world, entity, RF_LIT("kind"), &kind)) return RF_LIT("other");
    if (kind.type == RF_TYPE_STRING) return kind.as.string;
    if (kind.type != RF_TYPE_TERM) return RF_LIT("other");
    rf_term_read(&reader, kind.as.term);
    term = rf_term_next(&reader);
    return term.kind == RF_TERM_STRING ? term.as.string : RF_LIT("other");
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
        rf_json_out_byte(&e->out, opens ? '[' : ',');
        text(e, "{\"id\":");
        rf_json_out_string(&e->out, id_of(e, item));
        components(e, item, false);
        rf_json_out_byte(&e->out, '}');
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

#define GUESS 128 // bytes per entity

static void encode(encoder *e) {
    if (!(e->def->diff ? collect_diff(e) : collect_snapshot(e))) return;
    prepare_columns(e);
    rf_json_out_room(&e->out, 256 + e->item_count * GUESS);
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
    memset(e, 0, offsetof(encoder, keys));
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
