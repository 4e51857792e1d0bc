#include "snapshot.h"

#include <stdlib.h>
#include <string.h>

static void numbers(output *out, const rf_component *component) {
    if (component->count > 1) output_text(out, "[");
    for (unsigned i = 0; i < component->count; i++) {
        if (i > 0) output_text(out, ",");
        output_float(out, component->type == RF_TYPE_F32 ? (double)component->as.f32[i] : component->as.f64[i]);
    }
    if (component->count > 1) output_text(out, "]");
}

static void value(output *out, const rf_component *component) {
    switch (component->type) {
    case RF_TYPE_F32:
    case RF_TYPE_F64:
        numbers(out, component);
        break;
    case RF_TYPE_I64:
        output_format(out, "%lld", (long long)component->as.i64);
        break;
    case RF_TYPE_BOOL:
        output_text(out, component->as.boolean ? "true" : "false");
        break;
    case RF_TYPE_STRING:
        output_string(out, component->as.string);
        break;
    case RF_TYPE_TERM:
        output_term(out, component->as.term);
        break;
    }
}

static void named(output *out, rf_str name) {
    output_string(out, name);
    output_text(out, ":");
}

// comma: also before the first one.
static void components(output *out, const rf_world *world, rf_entity entity, bool comma) {
    rf_component_iter iter = rf_world_components(world, entity);
    rf_component component;
    for (; rf_component_next(&iter, &component); comma = true) {
        if (comma) output_text(out, ",");
        named(out, component.name);
        value(out, &component);
    }
}

static rf_status by_entity(output *out, const rf_world *world) {
    rf_entity entity = {0};
    bool first = true;
    output_text(out, "{");
    for (; rf_world_next(world, &entity); first = false) {
        if (!first) output_text(out, ",");
        named(out, rf_world_id(world, entity));
        output_text(out, "{");
        components(out, world, entity, false);
        output_text(out, "}");
    }
    output_text(out, "}\n");
    return RF_OK;
}

// ---- the shapes grouped by name -----------------------------------------------------------------

typedef struct row {
    rf_str name;
    int index; // of a declared component, which come first; 0 by kind
    size_t place;
    rf_entity entity;
} row;

typedef struct rows {
    row *items;
    size_t count, capacity;
} rows;

static bool add(rows *list, row item) {
    if (list->count == list->capacity) {
        size_t capacity = list->capacity ? list->capacity * 2 : 1024;
        row *items = capacity > SIZE_MAX / sizeof *items ? NULL : realloc(list->items, capacity * sizeof *items);
        if (!items) return false;
        list->items = items;
        list->capacity = capacity;
    }
    item.place = list->count;
    list->items[list->count++] = item;
    return true;
}

static int compare_names(rf_str a, rf_str b) {
    int order = memcmp(a.data, b.data, a.len < b.len ? a.len : b.len);
    return order != 0 ? order : (a.len > b.len) - (a.len < b.len);
}

static int compare(const void *left, const void *right) {
    const row *a = left, *b = right;
    int order;
    if (a->index != b->index) return a->index < b->index ? -1 : 1;
    order = a->name.data == b->name.data ? 0 : compare_names(a->name, b->name);
    return order != 0 ? order : a->place < b->place ? -1 : 1;
}

static bool new_group(const rows *list, size_t i) {
    const row *here = &list->items[i];
    return i == 0 || here->index != here[-1].index || compare_names(here->name, here[-1].name) != 0;
}

static bool gather_components(rows *list, const rf_world *world) {
    rf_entity entity = {0};
    while (rf_world_next(world, &entity)) {
        rf_component_iter iter = rf_world_components(world, entity);
        rf_component component;
        while (rf_component_next(&iter, &component)) {
            int index = component.index < 0 ? RF_SCHEMA_MAX : component.index;
            if (!add(list, (row){.name = component.name, .index = index, .entity = entity})) return false;
        }
    }
    return true;
}

static void by_component(output *out, const rf_world *world, const rows *list) {
    for (size_t i = 0; i < list->count && !out->error; i++) {
        const row *here = &list->items[i];
        bool opens = new_group(list, i);
        rf_component component;
        if (opens) {
            if (i > 0) output_text(out, "},");
            named(out, here->name);
        }
        output_text(out, opens ? "{" : ",");
        named(out, rf_world_id(world, here->entity));
        if (rf_world_get(world, here->entity, here->name, &component)) value(out, &component);
    }
    if (list->count > 0) output_text(out, "}");
}

static bool gather_kinds(rows *list, const rf_world *world) {
    rf_entity entity = {0};
    while (rf_world_next(world, &entity))
        if (!add(list, (row){.name = rf_world_kind(world, entity, RF_KIND_OTHER), .entity = entity})) return false;
    return true;
}

static void by_kind(output *out, const rf_world *world, const rows *list) {
    for (size_t i = 0; i < list->count && !out->error; i++) {
        const row *here = &list->items[i];
        bool opens = new_group(list, i);
        if (opens) {
            if (i > 0) output_text(out, "],");
            output_string(out, here->name);
            if (out->len > 0) out->len--; // the quote
            output_text(out, "s\":");
        }
        output_text(out, opens ? "[{\"id\":" : ",{\"id\":");
        output_string(out, rf_world_id(world, here->entity));
        components(out, world, here->entity, true);
        output_text(out, "}");
    }
    if (list->count > 0) output_text(out, "]");
}

rf_status snapshot_write(output *out, const rf_world *world, rf_by by) {
    rows list = {0};
    bool gathered;
    if (by == RF_BY_ENTITY) return by_entity(out, world);
    gathered = by == RF_BY_COMPONENT ? gather_components(&list, world) : gather_kinds(&list, world);
    if (gathered) {
        if (list.count > 0) qsort(list.items, list.count, sizeof *list.items, compare);
        output_text(out, "{");
        by == RF_BY_COMPONENT ? by_component(out, world, &list) : by_kind(out, world, &list);
        output_text(out, "}\n");
    }
    free(list.items);
    return gathered ? RF_OK : RF_NO_MEMORY;
}

void snapshot_write_line(output *out, const rf_world *world) {
    rf_entity entity = {0};
    bool first = true;
    output_text(out, "{\"others\":[");
    for (; rf_world_next(world, &entity); first = false) {
        output_text(out, first ? "{\"id\":" : ",{\"id\":");
        output_string(out, rf_world_id(world, entity));
        components(out, world, entity, true);
        output_text(out, "}");
    }
    output_text(out, "]");
    if (rf_world_seq(world) > 0) {
        output_text(out, ",\"seq\":");
        output_uint(out, rf_world_seq(world));
    }
    output_text(out, "}\n");
}
