// component.c: reads an entity's components in place.
#include "world_state.h"

rf_component_iter rf_world_components(const rf_world *world, rf_entity entity) {
    return (rf_component_iter){.world = world, .handle = entity.handle1 - 1};
}

static void read_cell(const rf_column *column, uint8_t *cell, rf_component *out) {
    const void *value = cell + column->value_offset;
    switch (column->def.type) {
    case RF_TYPE_F32:
        out->as.f32 = value;
        break;
    case RF_TYPE_F64:
        out->as.f64 = value;
        break;
    case RF_TYPE_I64:
        memcpy(&out->as.i64, value, sizeof out->as.i64);
        break;
    case RF_TYPE_BOOL:
        out->as.boolean = *(const uint8_t *)value != 0;
        break;
    case RF_TYPE_STRING:
    case RF_TYPE_TERM: {
        rf_blob *blob = *rf_cell_blob(column, cell);
        out->as.string = (rf_str){blob->bytes, blob->len};
        break;
    }
    }
}

static bool read_declared(const rf_component_iter *iter, uint32_t index, rf_component *out) {
    const rf_column *column = &iter->world->columns[index];
    rf_column_page *page = rf_column_page_of(column, iter->handle);
    bool present = rf_column_has(page, iter->handle);
    uint8_t *cell;
    if (!page || (!present && iter->since == 0)) return false;
    cell = rf_column_cell(column, page, iter->handle);
    if (rf_cell_stamp(cell) < iter->since) return false;
    *out = (rf_component){.name = column->def.name,
                          .index = (int)index,
                          .removed = !present,
                          .type = column->def.type,
                          .count = column->def.count};
    if (present) read_cell(column, cell, out);
    return true;
}

static bool read_undeclared(const rf_component_iter *iter, const rf_undeclared *other, rf_component *out) {
    if (other->stamp < iter->since || (!other->present && iter->since == 0)) return false;
    *out = (rf_component){
        .name = rf_undeclared_name(other), .index = -1, .removed = !other->present, .type = RF_TYPE_TERM, .count = 1};
    out->as.term = rf_undeclared_value(other);
    return true;
}

bool rf_component_next(rf_component_iter *iter, rf_component *out) {
    const rf_world *world = iter->world;
    const rf_undeclared_list *undeclared = rf_world_slot(world, iter->handle)->undeclared;
    uint32_t count = world->column_count + (undeclared ? undeclared->count : 0);
    while (iter->next < count) {
        uint32_t i = iter->next++;
        if (i < world->column_count ? read_declared(iter, i, out)
                                    : read_undeclared(iter, undeclared->items[i - world->column_count], out))
            return true;
    }
    return false;
}

bool rf_world_get(const rf_world *world, rf_entity entity, rf_str name, rf_component *out) {
    rf_component_iter iter = rf_world_components(world, entity);
    int column = rf_schema_find(world->schema, name);
    const rf_undeclared_list *undeclared = rf_world_slot(world, iter.handle)->undeclared;
    bool found;
    uint32_t at;
    if (column >= 0) return read_declared(&iter, (uint32_t)column, out);
    at = rf_undeclared_find(undeclared, name, &found);
    return found && read_undeclared(&iter, undeclared->items[at], out);
}

rf_str rf_world_kind(const rf_world *world, rf_entity entity, rf_str none) {
    rf_component kind;
    rf_term_reader reader;
    rf_term term;
    if (!rf_world_get(world, entity, RF_LIT("kind"), &kind)) return none;
    if (kind.type == RF_TYPE_STRING) return kind.as.string;
    if (kind.type != RF_TYPE_TERM) return none;
    rf_term_read(&reader, kind.as.term);
    term = rf_term_next(&reader);
    return term.kind == RF_TERM_STRING ? term.as.string : none;
}
