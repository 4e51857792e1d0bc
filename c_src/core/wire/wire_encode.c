// wire_encode.c: encodes snapshots and diffs in the packed format, straight from the columns, 64 entities at a time.
#include <roomfold/wire.h>

#include "base/bits.h"
#include "schema/schema_state.h"
#include "frame/wire_numbers.h"
#include "wire_masks.h"
#include "wire_item.h"
#include "wire_parts.h"
#include "wire_words.h"
#include <stdlib.h>

typedef struct encoder {
    const rf_world *world;
    const rf_schema *schema;
    rf_wire_out out;
    size_t max_bits;   // the most bits of an entity's components of fixed size
    size_t usual_bits; // bits that an entity usually takes
    const rf_wire_ops *ops;
    uint32_t count;
    rf_wire_item items[RF_SCHEMA_MAX]; // of the current entity
    rf_wire_parts parts;               // of the current page
    rf_wire_part part_items[];         // as many as the schema has components
} encoder;

static size_t value_bits(const rf_column *column) {
    return column->blobs ? 8 : (size_t)column->value_size * 8 + RF_NIB_BITS_MAX + RF_NUMBERS_MAX;
}

// Bits that a component's value usually takes.
static size_t usual_bits(const rf_column *column, const rf_quantiser *quantiser) {
    if (quantiser->kind != RF_QUANTISE_NONE) return 4 + quantiser->count * (size_t)quantiser->bits;
    return column->blobs ? 16 : column->value_size * (size_t)8;
}

// Prepares what is the same for all entities.
static void prepare_columns(encoder *e) {
    e->max_bits = 4 * RF_NIB_BITS_MAX + 2 * RF_SCHEMA_MAX;
    e->usual_bits = 16;
    for (uint32_t i = 0; i < e->world->column_count; i++) {
        const rf_quantiser *quantiser = &e->schema->quantisers[i];
        e->max_bits += value_bits(&e->world->columns[i]);
        e->usual_bits += usual_bits(&e->world->columns[i], quantiser);
        e->parts.encode[i] = quantiser->kind == RF_QUANTISE_NONE ? NULL : rf_wire_values_for(quantiser, e->ops);
    }
}

// reserve_expected reserves about what the frame will take, so that it rarely has to move.
#define GUESS_MAX ((size_t)1 << 20)
#define GUESS_ID 12 // bytes

static void reserve_expected(encoder *e, size_t count, bool whole, size_t limit) {
    size_t guess = 64 + e->max_bits / 8 + count * (e->usual_bits / 8 + (whole ? GUESS_ID : 0));
    if (guess > GUESS_MAX) guess = GUESS_MAX;
    if (limit > 0 && guess > limit) guess = limit;
    rf_buf_reserve_exactly(&e->out.buf, guess);
}

// ---- what is written of an entity -------------------------------------------------------------------

static void put_handle(encoder *e, uint32_t handle, int64_t *last) {
    rf_wire_nib(&e->out, (uint64_t)(handle - *last));
    *last = handle;
}

// Finds an entity's items; returns their mask, which comes first.
static uint64_t find_items(encoder *e, uint32_t handle, uint32_t since, bool *removed) {
    uint64_t mask = 0;
    e->count = 0;
    *removed = false;
    for (uint32_t i = 0; i < e->parts.count; i++) {
        rf_wire_part *part = &e->parts.items[i];
        rf_wire_item *it = &e->items[e->count];
        if (!(part->candidates >> (handle % RF_PAGE_SIZE) & 1) || !rf_wire_item_find(it, part, handle, since)) continue;
        *removed |= it->form == RF_ITEM_REMOVED;
        mask |= part->bit;
        e->count++;
    }
    return mask;
}

static uint32_t count_undeclared(const rf_undeclared_list *undeclared, uint32_t since) {
    uint32_t count = 0;
    for (uint32_t i = 0; undeclared && i < undeclared->count; i++)
        count += undeclared->items[i]->stamp >= since && (since > 0 || undeclared->items[i]->present);
    return count;
}

// since 0: all.
static void put_undeclared(encoder *e, const rf_undeclared_list *undeclared, uint32_t since, uint32_t count) {
    if (count == 0 || !rf_wire_reserve(&e->out, RF_NIB_BITS_MAX)) return;
    rf_wire_nib(&e->out, count);
    for (uint32_t i = 0; i < undeclared->count; i++) {
        const rf_undeclared *other = undeclared->items[i];
        if (other->stamp < since || (since == 0 && !other->present)) continue;
        rf_words_put_name(&e->out, e->schema, rf_undeclared_name(other));
        if (since > 0 && rf_wire_reserve(&e->out, 1)) rf_wire_bits(&e->out, !other->present, 1);
        if (other->present) rf_words_put_term(&e->out, e->schema, rf_undeclared_value(other));
    }
}

static void put_whole(encoder *e, uint32_t handle, int64_t *last, rf_wire_masks *known) {
    const rf_slot *slot = rf_world_slot(e->world, handle);
    uint32_t undeclared = count_undeclared(slot->undeclared, 0);
    bool removed;
    if (!rf_wire_reserve(&e->out, RF_NIB_BITS_MAX)) return;
    put_handle(e, handle, last);
    rf_words_put_name(&e->out, e->schema, rf_entity_id_str(&slot->id));
    if (!rf_wire_reserve(&e->out, e->max_bits)) return;
    rf_wire_put_mask(&e->out, (unsigned)e->schema->count, known, find_items(e, handle, 0, &removed));
    rf_wire_bits(&e->out, undeclared > 0, 1);
    for (uint32_t i = 0; i < e->count; i++) rf_wire_item_put(&e->out, e->schema, e->max_bits, &e->items[i], false);
    put_undeclared(e, slot->undeclared, 0, undeclared);
}

static void put_change(encoder *e, uint32_t handle, uint32_t since, int64_t *last, rf_wire_masks *known) {
    const rf_slot *slot = rf_world_slot(e->world, handle);
    uint32_t undeclared = count_undeclared(slot->undeclared, since);
    bool removed;
    uint64_t mask = find_items(e, handle, since, &removed);
    if ((mask == 0 && undeclared == 0) || !rf_wire_reserve(&e->out, e->max_bits)) return;
    put_handle(e, handle, last);
    rf_wire_put_mask(&e->out, (unsigned)e->schema->count, known, mask);
    rf_wire_bits(&e->out, removed || undeclared > 0, 1);
    if (removed || undeclared > 0) rf_wire_bits(&e->out, (uint32_t)removed | (uint32_t)(undeclared > 0) << 1, 2);
    for (uint32_t i = 0; removed && i < e->count; i++) rf_wire_bits(&e->out, e->items[i].form == RF_ITEM_REMOVED, 1);
    for (uint32_t i = 0; i < e->count; i++) rf_wire_item_put(&e->out, e->schema, e->max_bits, &e->items[i], true);
    put_undeclared(e, slot->undeclared, since, undeclared);
}

static unsigned longest(const rf_wire_part *part) {
    const rf_quantiser *quantiser = part->quantiser;
    return 2u + (quantiser->kind == RF_QUANTISE_SMALLEST_THREE ? 2u : 0u) + quantiser->count * quantiser->bits;
}

// Writes an update of an entity whose parts are all encoded in bits, without undeclared components.
static void put_short_change(encoder *e, uint32_t handle, int64_t *last, rf_wire_masks *known) {
    const rf_wire_part *pieces[RF_SCHEMA_MAX];
    uint64_t mask = 0;
    uint32_t count = 0;
    for (uint32_t i = 0; i < e->parts.count; i++) {
        rf_wire_part *part = &e->parts.items[i];
        if (!(part->candidates >> (handle % RF_PAGE_SIZE) & 1) || part->codes.len[part->next++] == 0) continue;
        pieces[count++] = part;
        mask |= part->bit;
    }
    if (mask == 0 || !rf_wire_reserve(&e->out, e->max_bits)) return;
    put_handle(e, handle, last);
    rf_wire_put_mask(&e->out, (unsigned)e->schema->count, known, mask);
    rf_wire_bits(&e->out, 0, 1);
    for (uint32_t i = 0; i < count; i++) {
        const rf_wire_part *part = pieces[i];
        rf_wire_long_bits(&e->out, part->codes.bits[part->next - 1], part->codes.len[part->next - 1]);
    }
}

#define PAIRS_FROM 4 // entities; with fewer, one by one is faster

// False: not possible for these parts.
static bool put_pairs(encoder *e, uint32_t first, int64_t *last) {
    static const rf_wire_codes nothing;
    const rf_wire_part *one = &e->parts.items[0], *two = &e->parts.items[1];
    const rf_wire_places *places = &e->parts.places;
    uint32_t from = one->next;
    int64_t step;
    if (!e->ops->put_pairs || e->parts.count > 2 || places->count - from < PAIRS_FROM) return false;
    if (longest(one) + (e->parts.count == 2 ? longest(two) : 0) > RF_WIRE_PAIR_BITS) return false;
    step = first + places->at[from] - *last;
    if (step > RF_WIRE_PAIR_STEP) { // the first one separately
        e->ops->put_even(&e->out, e->parts.items, e->parts.count, UINT64_C(1) << places->at[from], *last - first);
        from++;
        step = places->at[from] - places->at[from - 1];
    }
    e->ops->put_pairs(&e->out, &one->codes, e->parts.count == 2 ? &two->codes : &nothing, places, from, (uint32_t)step);
    *last = first + places->at[places->count - 1];
    return true;
}

// Writes updates of these entities: at once if all of them have the same parts.
static void put_changes(encoder *e, uint32_t first, uint64_t entities, uint32_t since, int64_t *last,
                        rf_wire_masks *known) {
    const uint64_t mixed = e->parts.mixed | rf_world_page(e->world, first)->with_undeclared;
    const bool even = e->parts.even && e->parts.count > 0 && (mixed & entities) == 0;
    uint64_t mask = 0;
    if (even)
        rf_wire_parts_places(&e->parts, entities); // the places may be those of another component, of fewer entities
    for (uint32_t i = 0; i < e->parts.count; i++) mask |= e->parts.items[i].bit;
    while (entities != 0) {
        if (even && mask == known->recent) {
            const size_t bits = RF_NIB_BITS_MAX + 2 + 64 * (size_t)e->parts.count;
            if (!rf_wire_reserve(&e->out, rf_bit_count(entities) * bits)) return;
            if (!put_pairs(e, first, last))
                *last = first + e->ops->put_even(&e->out, e->parts.items, e->parts.count, entities, *last - first);
            return;
        }
        if (mixed >> rf_low_bit(entities) & 1)
            put_change(e, first + rf_low_bit(entities), since, last, known);
        else
            put_short_change(e, first + rf_low_bit(entities), last, known);
        entities &= entities - 1;
    }
}

// ---- the frames -------------------------------------------------------------------------------------

static void put_end(encoder *e) {
    if (rf_wire_reserve(&e->out, 4)) rf_wire_nib(&e->out, 0);
}

static bool over(const encoder *e, size_t limit) {
    return e->out.buf.failed || (limit > 0 && e->out.buf.len > limit);
}

static void put_snapshot(encoder *e, size_t limit) {
    const rf_world *world = e->world;
    rf_wire_masks known = {0};
    int64_t last = -1;
    reserve_expected(e, world->count, true, limit);
    rf_wire_u8(&e->out, RF_WIRE_HEAD(RF_WIRE_SNAPSHOT));
    rf_wire_varint(&e->out, world->seq);
    rf_wire_bytes(&e->out, (rf_str){(const char *)e->schema->packed, e->schema->packed_len});
    for (uint32_t first = 0; first < world->handles && !over(e, limit); first += RF_PAGE_SIZE) {
        uint64_t entities = rf_world_alive_on(world, first);
        if (entities != 0) rf_wire_parts_find(&e->parts, first, entities, 0);
        for (; entities != 0; entities &= entities - 1) put_whole(e, first + rf_low_bit(entities), &last, &known);
    }
    put_end(e);
}

static int compare_handles(const void *a, const void *b) {
    uint32_t left = *(const uint32_t *)a, right = *(const uint32_t *)b;
    return (left > right) - (left < right);
}

// Writes the handles of entities that were alive before `since` and whose handles are free now.
static bool put_deletes(encoder *e, uint32_t since) {
    const rf_history *history = &e->world->history;
    const uint32_t from = rf_history_dead_since(history, since);
    rf_allocator allocator = e->world->mem.allocator;
    uint32_t count = 0, *handles = NULL;
    int64_t last = -1;
    if (from < history->dead_count) {
        handles = rf_alloc(allocator, (history->dead_count - from) * sizeof *handles);
        if (!handles) return false;
    }
    for (uint32_t i = from; i < history->dead_count; i++) {
        const rf_tombstone *dead = rf_history_dead(history, i);
        if (dead->since < since && !rf_world_handle_alive(e->world, dead->handle)) handles[count++] = dead->handle;
    }
    if (count > 1) qsort(handles, count, sizeof *handles, compare_handles);
    if (count > 0 && rf_wire_reserve(&e->out, (size_t)count * 48))
        for (uint32_t i = 0; i < count; i++) put_handle(e, handles[i], &last);
    put_end(e);
    if (handles) rf_free(allocator, handles);
    return true;
}

// The range of pages with entities that changed at or after `since`, and how many such entities there are.
typedef struct changes {
    uint32_t from, to;
    size_t creates, updates;
} changes;

static changes find_changes(const rf_world *world, uint32_t since) {
    changes out = {.from = world->handles};
    for (uint32_t first = 0; first < world->handles; first += RF_PAGE_SIZE) {
        const rf_slot_page *page = rf_world_page(world, first);
        uint64_t entities = page ? rf_slot_page_changed(page, since) : 0;
        uint32_t created;
        if (entities == 0) continue;
        if (out.to == 0) out.from = first;
        out.to = first + RF_PAGE_SIZE;
        created = rf_bit_count(entities & rf_slot_page_created(page, since));
        out.creates += created;
        out.updates += rf_bit_count(entities) - created;
    }
    return out;
}

static void put_creates(encoder *e, const changes *in, uint32_t since, size_t limit) {
    rf_wire_masks known = {0};
    int64_t last = -1;
    for (uint32_t first = in->from; in->creates > 0 && first < in->to && !over(e, limit); first += RF_PAGE_SIZE) {
        const rf_slot_page *page = rf_world_page(e->world, first);
        uint64_t entities = page ? rf_slot_page_created(page, since) : 0;
        if (entities != 0) rf_wire_parts_find(&e->parts, first, entities, 0);
        for (; entities != 0; entities &= entities - 1) put_whole(e, first + rf_low_bit(entities), &last, &known);
    }
    put_end(e);
}

static void put_updates(encoder *e, const changes *in, uint32_t since, size_t limit) {
    rf_wire_masks known = {0};
    int64_t last = -1;
    for (uint32_t first = in->from; in->updates > 0 && first < in->to && !over(e, limit); first += RF_PAGE_SIZE) {
        const rf_slot_page *page = rf_world_page(e->world, first);
        uint64_t entities = page ? rf_slot_page_changed(page, since) : 0;
        if (entities != 0) entities &= ~rf_slot_page_created(page, since);
        if (entities == 0) continue;
        rf_wire_parts_find(&e->parts, first, entities, since);
        put_changes(e, first, entities, since, &last, &known);
    }
    put_end(e);
}

static rf_status put_diff(encoder *e, uint64_t from, size_t limit) {
    const rf_world *world = e->world;
    uint32_t since;
    changes in;
    if (from > world->seq) return RF_SEQ_AHEAD;
    if (!rf_world_remembers(world, from)) return RF_HISTORY_GONE;
    since = rf_history_after(&world->history, from);
    in = find_changes(world, since);
    reserve_expected(e, in.creates + in.updates, in.creates > 0, limit);
    rf_wire_u8(&e->out, RF_WIRE_HEAD(RF_WIRE_DIFF));
    rf_wire_varint(&e->out, world->seq);
    rf_wire_varint(&e->out, world->seq - from);
    rf_wire_u8(&e->out, e->schema->tag);
    if (!put_deletes(e, since)) return RF_NO_MEMORY;
    put_creates(e, &in, since, limit);
    put_updates(e, &in, since, limit);
    return RF_OK;
}

rf_status rf_encode_packed_by(const rf_wire_ops *ops, const rf_world *world, bool diff, uint64_t from, size_t limit,
                              rf_allocator allocator, uint8_t **out, size_t *len) {
    rf_allocator scratch = world->mem.allocator;
    encoder *e = rf_alloc(scratch, sizeof *e + world->column_count * sizeof *e->part_items);
    rf_status status = RF_OK;
    *out = NULL;
    *len = 0;
    if (!e) return RF_NO_MEMORY;
    e->world = world;
    e->schema = world->schema;
    e->ops = ops;
    e->out = (rf_wire_out){0};
    e->parts.world = world;
    e->parts.items = e->part_items;
    e->parts.places_of = 0;
    rf_buf_init(&e->out.buf, allocator);
    prepare_columns(e);
    if (diff)
        status = put_diff(e, from, limit);
    else
        put_snapshot(e, limit);
    rf_wire_end_bits(&e->out);
    if (status == RF_OK && e->out.buf.failed) status = RF_NO_MEMORY;
    if (status == RF_OK && limit > 0 && e->out.buf.len > limit) status = RF_TOO_LARGE;
    if (status == RF_OK) {
        *out = e->out.buf.data;
        *len = e->out.buf.len;
    } else {
        rf_buf_free(&e->out.buf);
    }
    rf_free(scratch, e);
    return status;
}

rf_status rf_encode_packed(const rf_world *world, bool diff, uint64_t from, size_t limit, rf_allocator allocator,
                           uint8_t **out, size_t *len) {
    return rf_encode_packed_by(rf_wire_best_ops(), world, diff, from, limit, allocator, out, len);
}
