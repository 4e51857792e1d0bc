#include "wire_parts.h"

#include "base/bits.h"
#include "schema/schema_state.h"

// A summary of a part's encodings: none; one for each entity; some raw.
typedef struct summary {
    bool none, even, raw;
} summary;

static inline summary summarise_lens(const uint8_t *lens, uint32_t count) {
    uint8_t any = 0, nothing = 0, raw = 0;
    for (uint32_t i = 0; i < count; i++) { // branch-free, so that the compiler vectorises it
        any |= lens[i];
        nothing |= lens[i] == 0;
        raw |= lens[i] == RF_WIRE_VALUE_RAW;
    }
    return (summary){any == 0, !nothing && !raw, raw};
}

static summary summarise(const rf_wire_part *part) {
    if (part->count == RF_PAGE_SIZE) return summarise_lens(part->codes.len, RF_PAGE_SIZE);
    return summarise_lens(part->codes.len, part->count);
}

void rf_wire_parts_places(rf_wire_parts *parts, uint64_t entities) {
    rf_wire_places *out = &parts->places;
    uint32_t count = 0;
    if (entities == parts->places_of) return;
    parts->places_of = entities;
    if (entities == UINT64_MAX) {
        for (; count < RF_PAGE_SIZE; count++) out->at[count] = (uint8_t)count;
    } else {
        for (; entities != 0; entities &= entities - 1) out->at[count++] = (uint8_t)rf_low_bit(entities);
    }
    out->count = count;
    memset(out->at + count, 0, RF_WIRE_GROUP);
}

// Those of `entities` whose component changed at or after `since`.
static uint64_t changed(const rf_column *column, const rf_column_page *page, uint64_t entities, uint32_t since) {
    const uint8_t *cells = rf_column_cell(column, page, 0);
    uint64_t out = 0;
    for (; entities != 0; entities &= entities - 1) {
        uint32_t place = rf_low_bit(entities);
        out |= (uint64_t)(rf_cell_stamp(cells + (size_t)place * column->stride) >= since) << place;
    }
    return out;
}

// Encodes the component of these entities, all of which have it.
static summary encode_values(rf_wire_parts *parts, rf_wire_part *part, uint32_t i, uint32_t first, uint64_t entities,
                             uint32_t since) {
    const rf_wire_values values = {part->column, rf_column_cell(part->column, part->page, 0), first, since,
                                   &parts->places};
    rf_wire_parts_places(parts, entities);
    part->count = parts->places.count;
    part->next = 0;
    parts->encode[i](part->quantiser, &values, &part->codes);
    return summarise(part);
}

void rf_wire_parts_find(rf_wire_parts *parts, uint32_t first, uint64_t entities, uint32_t since) {
    const rf_world *world = parts->world;
    parts->count = 0;
    parts->even = true;
    parts->mixed = 0;
    for (uint32_t i = 0; i < world->column_count; i++) {
        const rf_column *column = &world->columns[i];
        const rf_column_page *page = rf_column_page_of(column, first);
        rf_wire_part *part = &parts->items[parts->count];
        summary all = {.even = false};
        uint64_t have, gone = 0;
        if (!page || (column->blobs && page->changed < since)) continue;
        have = page->present & entities;
        if (since > 0 && page->removed >= since) gone = changed(column, page, entities & ~have, since);
        if (!parts->encode[i] && since > 0) have = changed(column, page, have, since);
        if ((have | gone) == 0) continue;
        part->column = column;
        part->page = page;
        part->quantiser = &world->schema->quantisers[i];
        part->bit = UINT64_C(1) << i;
        part->coded = parts->encode[i] != NULL;
        part->candidates = have | gone;
        if (part->coded && have != 0) {
            all = encode_values(parts, part, i, first, have, since);
            if (all.none && gone == 0) continue;
        }
        parts->mixed |= part->coded && !all.raw ? gone : part->candidates;
        parts->even &= all.even && have == entities;
        parts->count++;
    }
}
