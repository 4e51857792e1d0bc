// encode_json.c: encodes snapshots and diffs as JSON text, straight from the columns.
#include <roomfold/diff.h>
#include <roomfold/encode.h>

#include "base/bits.h"
#include "entity_json.h"
#include <stdlib.h>

// A value grouped by a name that is not in the schema.
typedef struct json_row {
    rf_str name;
    size_t item;
    const rf_undeclared *other; // of an undeclared component
} json_row;

typedef struct encoder {
    const rf_encode_def *def;
    rf_allocator scratch;
    rf_json_item *items; // in the order of handles
    rf_str *deleted;
    json_row *rows;
    size_t item_count, deleted_count, row_count, row_capacity;
    rf_entity_json json; // what writes them, and the text so far
} encoder;

static void text(encoder *e, const char *literal) {
    rf_json_out_text(&e->json.out, (rf_str){literal, strlen(literal)});
}

// The first entry of a list or map has no comma.
static void comma(encoder *e, bool *first) {
    if (!*first) rf_json_out_byte(&e->json.out, ',');
    *first = false;
}

static void named(encoder *e, rf_str name) {
    rf_json_out_string(&e->json.out, name);
    rf_json_out_byte(&e->json.out, ':');
}

static rf_str id_of(const encoder *e, const rf_json_item *item) {
    return rf_entity_id_str(&rf_world_slot(e->json.world, item->handle)->id);
}

// ---- what is written ----------------------------------------------------------------------------

static bool fail(encoder *e, rf_status status) {
    if (e->json.out.status == RF_OK) e->json.out.status = status;
    return false;
}

// Collects the living entities that changed since this revision (0: all), in the order of handles.
static void collect_living(encoder *e, uint32_t since) {
    const rf_world *world = e->json.world;
    rf_json_item *to = e->items;
    for (uint32_t first = 0; first < world->handles; first += RF_PAGE_SIZE) {
        const rf_slot_page *page = rf_world_page(world, first);
        for (uint64_t left = page ? rf_slot_page_changed(page, since) : 0; left != 0; left &= left - 1) {
            uint32_t at = rf_low_bit(left);
            *to++ = (rf_json_item){.handle = first + at, .since = page->created_at[at] >= since ? 0 : since};
        }
    }
    e->item_count = (size_t)(to - e->items);
}

static bool collect_snapshot(encoder *e) {
    e->items = rf_alloc(e->scratch, (e->json.world->count + (size_t)1) * sizeof *e->items);
    if (!e->items) return fail(e, RF_NO_MEMORY);
    collect_living(e, 0);
    return true;
}

static bool collect_diff(encoder *e) {
    rf_change change;
    rf_diff *diff;
    rf_status status = rf_diff_new(e->json.world, e->def->from, &diff);
    if (status != RF_OK) return fail(e, status);
    e->items = rf_alloc(e->scratch, (e->json.world->count + (size_t)1) * sizeof *e->items);
    e->deleted = rf_alloc(e->scratch, (e->json.world->history.dead_count + (size_t)1) * sizeof *e->deleted);
    // Deletes come first.
    while (e->items && e->deleted && rf_diff_next(diff, &change) && change.kind == RF_CHANGE_DELETE)
        e->deleted[e->deleted_count++] = change.id;
    rf_diff_free(diff);
    if (!e->items || !e->deleted) return fail(e, RF_NO_MEMORY);
    collect_living(e, rf_history_after(&e->json.world->history, e->def->from));
    return true;
}

// ---- by entity: id -> components ----------------------------------------------------------------

// Writes the created entities or all of a snapshot (whole), or else the updated ones.
static void entities(encoder *e, const char *name, bool whole) {
    bool first = true;
    text(e, name);
    rf_json_out_byte(&e->json.out, '{');
    for (size_t i = 0; i < e->item_count && e->json.out.status == RF_OK; i++) {
        if ((e->items[i].since == 0) != whole) continue;
        rf_entity_json_put(&e->json, &e->items[i], ",\0\0\0\0\0\0", !first, '{');
        first = false;
    }
    rf_json_out_byte(&e->json.out, '}');
}

static void ids(encoder *e, const char *name, const rf_str *list, size_t count) {
    bool first = true;
    text(e, name);
    rf_json_out_byte(&e->json.out, '[');
    for (size_t i = 0; i < count; i++) {
        comma(e, &first);
        rf_json_out_string(&e->json.out, list[i]);
    }
    rf_json_out_byte(&e->json.out, ']');
}

static void created_ids(encoder *e) {
    bool first = true;
    text(e, ",\"created\":[");
    for (size_t i = 0; i < e->item_count; i++) {
        if (e->items[i].since != 0) continue;
        comma(e, &first);
        rf_json_out_string(&e->json.out, id_of(e, &e->items[i]));
    }
    rf_json_out_byte(&e->json.out, ']');
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
    const rf_json_column *column = &e->json.columns[i];
    bool first_id = true;
    for (size_t k = 0; k < e->item_count && e->json.out.status == RF_OK; k++) {
        const uint8_t *cell;
        rf_presence presence;
        rf_entity_json_seek(&e->json, e->items[k].handle);
        presence = rf_json_column_look(column, &e->items[k], &cell);
        if (presence == RF_ABSENT) continue;
        if (first_id) {
            rf_json_out_text(&e->json.out, (rf_str){column->key + *first, column->key_len - *first});
            rf_json_out_byte(&e->json.out, '{');
            *first = false;
        }
        comma(e, &first_id);
        named(e, id_of(e, &e->items[k]));
        rf_json_column_put(&e->json, column, cell, presence);
    }
    if (!first_id) rf_json_out_byte(&e->json.out, '}');
}

static bool collect_undeclared(encoder *e) {
    for (size_t k = 0; k < e->item_count; k++) {
        const rf_undeclared_list *undeclared = rf_world_slot(e->json.world, e->items[k].handle)->undeclared;
        for (uint32_t i = 0; undeclared && i < undeclared->count; i++) {
            json_row row = {.name = rf_undeclared_name(undeclared->items[i]), .item = k, .other = undeclared->items[i]};
            if (rf_json_undeclared_counts(undeclared->items[i], &e->items[k]) && !add_row(e, &row)) return false;
        }
    }
    sort_rows(e);
    return true;
}

static void undeclared_entries(encoder *e, bool *first) {
    for (size_t i = 0; i < e->row_count && e->json.out.status == RF_OK; i++) {
        const json_row *row = &e->rows[i];
        bool opens = new_group(e, i);
        if (opens) {
            if (i > 0) rf_json_out_byte(&e->json.out, '}');
            comma(e, first);
            named(e, row->name);
        }
        rf_json_out_byte(&e->json.out, opens ? '{' : ',');
        named(e, id_of(e, &e->items[row->item]));
        rf_json_undeclared_put(&e->json, row->other);
    }
    if (e->row_count > 0) rf_json_out_byte(&e->json.out, '}');
}

static void by_component(encoder *e) {
    bool first = true;
    text(e, ",\"components\":{");
    for (uint32_t i = 0; i < e->json.world->column_count; i++) column_entries(e, i, &first);
    if (collect_undeclared(e)) undeclared_entries(e, &first);
    rf_json_out_byte(&e->json.out, '}');
    if (!e->def->diff) return;
    created_ids(e);
    ids(e, ",\"deleted\":", e->deleted, e->deleted_count);
}

// ---- by kind: kind <> "s" -> components with "id" -----------------------------------------------

static rf_str kind_of(const encoder *e, const rf_json_item *item) {
    return rf_world_kind(e->json.world, (rf_entity){.handle1 = item->handle + 1}, RF_KIND_OTHER);
}

static void plural(encoder *e, rf_str kind) {
    rf_json_out_string(&e->json.out, kind);
    if (e->json.out.status == RF_OK) e->json.out.text.len--; // the quote
    text(e, "s\":");
}

static void by_kind(encoder *e) {
    text(e, ",\"kinds\":{");
    for (size_t k = 0; k < e->item_count; k++)
        if (!add_row(e, &(json_row){.name = kind_of(e, &e->items[k]), .item = k})) return;
    sort_rows(e);
    for (size_t i = 0; i < e->row_count && e->json.out.status == RF_OK; i++) {
        const rf_json_item *item = &e->items[e->rows[i].item];
        bool opens = new_group(e, i);
        if (opens) {
            if (i > 0) text(e, "],");
            plural(e, e->rows[i].name);
        }
        rf_entity_json_put(&e->json, item, opens ? "[{\"id\":" : ",{\"id\":", 7, ',');
    }
    if (e->row_count > 0) rf_json_out_byte(&e->json.out, ']');
    if (e->def->diff) ids(e, e->row_count > 0 ? ",\"deleted\":" : "\"deleted\":", e->deleted, e->deleted_count);
    rf_json_out_byte(&e->json.out, '}');
    if (e->def->diff) created_ids(e);
}

// ---- the whole ----------------------------------------------------------------------------------

static void reference(encoder *e, rf_str value) {
    if (value.data)
        rf_json_out_string(&e->json.out, value);
    else
        text(e, "null");
    rf_json_out_byte(&e->json.out, ',');
}

static void payload(encoder *e) {
    text(e, e->def->diff ? "{\"from\":" : "{\"seq\":");
    if (e->def->diff) {
        rf_json_out_uint(&e->json.out, e->def->from);
        text(e, ",\"seq\":");
    }
    rf_json_out_uint(&e->json.out, e->json.world->seq);
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
    rf_json_out_byte(&e->json.out, '}');
}

static void framed(encoder *e) {
    const rf_phoenix_frame *frame = e->def->frame;
    rf_json_out_byte(&e->json.out, '[');
    reference(e, frame->join_ref);
    reference(e, frame->ref);
    reference(e, frame->topic);
    reference(e, frame->event);
    payload(e);
    rf_json_out_byte(&e->json.out, ']');
}

// Reserves roughly the expected size, so that the text rarely has to move, neither to grow nor to shrink.
static void reserve_expected(encoder *e) {
    size_t guess = 256 + e->item_count * e->json.guess;
    if (e->def->limit > 0 && guess > e->def->limit) guess = e->def->limit;
    if (!rf_buf_reserve_exactly(&e->json.out.text, e->json.entity_max + guess)) fail(e, RF_NO_MEMORY);
}

static void encode(encoder *e) {
    if (!(e->def->diff ? collect_diff(e) : collect_snapshot(e))) return;
    rf_entity_json_init(&e->json);
    reserve_expected(e);
    if (e->def->frame)
        framed(e);
    else
        payload(e);
    if (e->def->limit > 0 && e->json.out.text.len > e->def->limit) fail(e, RF_TOO_LARGE);
}

rf_status rf_encode_json(const rf_world *world, const rf_encode_def *def, rf_allocator allocator, char **out,
                         size_t *len) {
    rf_allocator scratch = world->mem.allocator;
    rf_status status;
    encoder *e = rf_alloc(scratch, sizeof *e);
    *out = NULL;
    *len = 0;
    if (!e) return RF_NO_MEMORY;
    memset(e, 0, offsetof(encoder, json.columns));
    e->json.world = world;
    e->def = def;
    e->scratch = scratch;
    e->json.out.limit = def->limit;
    rf_buf_init(&e->json.out.text, allocator);
    encode(e);
    status = e->json.out.status;
    if (status == RF_OK) {
        *out = (char *)e->json.out.text.data;
        *len = e->json.out.text.len;
    } else {
        rf_buf_free(&e->json.out.text);
    }
    rf_free(scratch, e->items);
    rf_free(scratch, e->deleted);
    rf_free(scratch, e->rows);
    rf_free(scratch, e);
    return status;
}
