// wire_encode.c: snapshots and diffs in the packed format, straight from the columns.
#include <roomfold/wire.h>

#include "bits.h"
#include "schema_state.h"
#include "wire_numbers.h"
#include "wire_out.h"
#include "world_state.h"
#include <stdlib.h>

// How a component's value is written.
typedef enum form { FORM_PLAIN, FORM_RAW, FORM_STEPS, FORM_DELTA, FORM_REMOVED } form;

typedef struct item {
    const rf_column *column;
    const rf_quantiser *quantiser;
    const uint8_t *cell;
    form form;
    uint8_t width;                    // of a delta
    uint32_t index;                   // of a turn
    uint32_t numbers[RF_NUMBERS_MAX]; // of steps; of a delta zigzags
} item;

typedef struct masks {
    uint64_t recent, before;
} masks;

typedef struct encoder {
    const rf_world *world;
    const rf_schema *schema;
    rf_wire_out out;
    size_t room; // bits that an entity's components of fixed size need at most
    uint32_t count;
    item items[RF_SCHEMA_MAX];
    const rf_column_page *pages[RF_SCHEMA_MAX]; // of the columns, for the 64 entities at hand
} encoder;

static size_t value_bits(const rf_column *column) {
    return column->blobs ? 8 : (size_t)column->value_size * 8 + RF_NIB_BITS_MAX + RF_NUMBERS_MAX;
}

// ---- names and terms --------------------------------------------------------------------------------

// The digits at the end that can be a name's number: how many, and the number. 0: none.
static size_t suffix(rf_str text, uint32_t *number) {
    size_t len = 0;
    *number = 0;
    while (len < text.len && text.data[text.len - 1 - len] >= '0' && text.data[text.len - 1 - len] <= '9') len++;
    if (len == 0 || len > RF_WIRE_SUFFIX_DIGITS || (len > 1 && text.data[text.len - len] == '0')) return 0;
    for (size_t i = text.len - len; i < text.len; i++) *number = *number * 10 + (uint32_t)(text.data[i] - '0');
    return len;
}

// As a word, perhaps with a number; false: there is none.
static bool put_word(encoder *e, rf_str text) {
    uint32_t number;
    size_t digits;
    int word;
    if (e->schema->word_count == 0 || !rf_wire_room(&e->out, 2 * RF_NIB_BITS_MAX)) return false;
    word = rf_schema_word_text(e->schema, text);
    if (word >= 0) {
        rf_wire_nib(&e->out, (uint64_t)word + 1);
        rf_wire_bits(&e->out, 0, 1);
        return true;
    }
    digits = suffix(text, &number);
    if (digits == 0) return false;
    word = rf_schema_word_text(e->schema, (rf_str){text.data, text.len - digits});
    if (word < 0) return false;
    rf_wire_nib(&e->out, (uint64_t)word + 1);
    rf_wire_bits(&e->out, 1, 1);
    rf_wire_nib(&e->out, number);
    return true;
}

static void put_inline(encoder *e, rf_str bytes) {
    if (!rf_wire_room(&e->out, 4)) return;
    rf_wire_nib(&e->out, 0);
    rf_wire_bit_bytes(&e->out, bytes);
}

static void put_name(encoder *e, rf_str text) {
    if (!put_word(e, text)) put_inline(e, text);
}

static void put_term(encoder *e, rf_str term) {
    rf_term_reader reader;
    rf_term head;
    int word;
    rf_term_read(&reader, term);
    head = rf_term_next(&reader);
    if (head.kind == RF_TERM_STRING && put_word(e, head.as.string)) return;
    word = head.kind != RF_TERM_STRING ? rf_schema_word_term(e->schema, term) : -1;
    if (word < 0)
        put_inline(e, term);
    else if (rf_wire_room(&e->out, RF_NIB_BITS_MAX))
        rf_wire_nib(&e->out, (uint64_t)word + 1);
}

// ---- values -----------------------------------------------------------------------------------------

static void put_raw(encoder *e, const item *it) {
    const uint8_t *value = it->cell + it->column->value_offset;
    bool wide = it->column->def.type == RF_TYPE_F64;
    for (unsigned i = 0; i < it->column->def.count; i++) {
        uint32_t narrow;
        uint64_t bits;
        if (!wide) {
            memcpy(&narrow, value + i * sizeof narrow, sizeof narrow);
            rf_wire_bits(&e->out, narrow, 32);
            continue;
        }
        memcpy(&bits, value + i * sizeof bits, sizeof bits);
        rf_wire_bits(&e->out, (uint32_t)bits, 32);
        rf_wire_bits(&e->out, (uint32_t)(bits >> 32), 32);
    }
}

static void put_plain(encoder *e, const item *it) {
    const rf_column *column = it->column;
    uint8_t *cell = (uint8_t *)(uintptr_t)it->cell;
    const rf_blob *blob;
    int64_t integer;
    switch (column->def.type) {
    case RF_TYPE_F32:
    case RF_TYPE_F64:
        put_raw(e, it);
        return;
    case RF_TYPE_I64:
        memcpy(&integer, cell + column->value_offset, sizeof integer);
        rf_wire_nib(&e->out, rf_zigzag_encode(integer));
        return;
    case RF_TYPE_BOOL:
        rf_wire_bits(&e->out, cell[column->value_offset] != 0, 1);
        return;
    case RF_TYPE_STRING:
        blob = *rf_cell_blob(column, cell);
        put_name(e, (rf_str){blob->bytes, blob->len});
        break;
    case RF_TYPE_TERM:
        blob = *rf_cell_blob(column, cell);
        put_term(e, (rf_str){blob->bytes, blob->len});
        break;
    }
    rf_wire_room(&e->out, e->room); // for those that follow
}

static void put_steps(encoder *e, const item *it) {
    const rf_quantiser *quantiser = it->quantiser;
    unsigned turn = quantiser->kind == RF_QUANTISE_SMALLEST_THREE ? 2 : 0, bits = turn;
    uint64_t held = turn ? it->index : 0;
    for (unsigned i = 0; i < quantiser->count; i++) {
        if (bits + quantiser->bits > 56) {
            rf_wire_bits(&e->out, held, bits);
            held = bits = 0;
        }
        held |= (uint64_t)it->numbers[i] << bits;
        bits += quantiser->bits;
    }
    rf_wire_bits(&e->out, held, bits);
}

static void put_delta(encoder *e, const item *it) {
    const rf_quantiser *quantiser = it->quantiser;
    uint32_t changed = 0;
    rf_wire_bits(&e->out, 0, 1);
    if (quantiser->kind == RF_QUANTISE_SMALLEST_THREE) rf_wire_bits(&e->out, it->index, 2);
    rf_wire_bits(&e->out, it->width - 1u, RF_WIRE_DELTA_WIDTH_BITS);
    for (unsigned i = 0; i < quantiser->count; i++) changed |= (uint32_t)(it->numbers[i] != 0) << i;
    rf_wire_bits(&e->out, changed, quantiser->count);
    for (unsigned i = 0; i < quantiser->count; i++)
        if (it->numbers[i] != 0) rf_wire_bits(&e->out, it->numbers[i], it->width);
}

// update: a form is said in one or two bits, not in one.
static void put_value(encoder *e, const item *it, bool update) {
    switch (it->form) {
    case FORM_PLAIN:
        put_plain(e, it);
        break;
    case FORM_RAW:
        rf_wire_bits(&e->out, update ? 3 : 1, update ? 2 : 1);
        put_raw(e, it);
        break;
    case FORM_STEPS:
        rf_wire_bits(&e->out, update ? 1 : 0, update ? 2 : 1);
        put_steps(e, it);
        break;
    case FORM_DELTA:
        put_delta(e, it);
        break;
    case FORM_REMOVED:
        break;
    }
}

// ---- what is written of an entity -------------------------------------------------------------------

static void put_mask(encoder *e, masks *known, uint64_t mask) {
    unsigned count = (unsigned)e->schema->count;
    if (mask == known->recent) {
        rf_wire_bits(&e->out, 0, 1);
        return;
    }
    if (mask == known->before) {
        rf_wire_bits(&e->out, 1, 2);
    } else {
        rf_wire_bits(&e->out, 3, 2);
        rf_wire_bits(&e->out, (uint32_t)mask, count < 32 ? count : 32);
        if (count > 32) rf_wire_bits(&e->out, (uint32_t)(mask >> 32), count - 32);
    }
    known->before = known->recent;
    known->recent = mask;
}

static void put_handle(encoder *e, uint32_t handle, int64_t *last) {
    rf_wire_nib(&e->out, (uint64_t)(handle - *last));
    *last = handle;
}

static item *new_item(encoder *e, uint32_t i, const uint8_t *cell) {
    item *it = &e->items[e->count++];
    it->column = &e->world->columns[i];
    it->quantiser = &e->schema->quantisers[i];
    it->cell = cell;
    it->form = FORM_PLAIN;
    return it;
}

// Before anything of an entity of this page is collected.
static void find_pages(encoder *e, uint32_t handle) {
    for (uint32_t i = 0; i < e->world->column_count; i++)
        e->pages[i] = rf_column_page_of(&e->world->columns[i], handle);
}

// Of an entity that the receiver does not have.
static uint64_t collect_whole(encoder *e, uint32_t handle) {
    uint64_t mask = 0;
    e->count = 0;
    for (uint32_t i = 0; i < e->world->column_count; i++) {
        const rf_column *column = &e->world->columns[i];
        const rf_column_page *page = e->pages[i];
        item *it;
        if (!rf_column_has(page, handle)) continue;
        mask |= UINT64_C(1) << i;
        it = new_item(e, i, rf_column_cell(column, page, handle));
        if (it->quantiser->kind == RF_QUANTISE_NONE) continue;
        it->form = rf_quantise_value(it->quantiser, it->cell + column->value_offset, false, &it->index, it->numbers)
                       ? FORM_STEPS
                       : FORM_RAW;
    }
    return mask;
}

static unsigned width_of(uint32_t number) {
    return number == 0 ? 0 : rf_high_bit(number) + 1;
}

// A delta if that is shorter. false: nothing has changed.
static bool try_delta(item *it, const uint32_t *old) {
    unsigned count = it->quantiser->count, changed = 0, width;
    uint32_t zigzags[RF_NUMBERS_MAX], all = 0;
    for (unsigned i = 0; i < count; i++) {
        zigzags[i] = (uint32_t)rf_zigzag_encode((int64_t)it->numbers[i] - old[i]);
        all |= zigzags[i];
        changed += zigzags[i] != 0;
    }
    width = width_of(all);
    if (changed == 0) return false;
    if (width > RF_WIRE_DELTA_BITS ||
        1 + RF_WIRE_DELTA_WIDTH_BITS + count + changed * width >= 2 + count * it->quantiser->bits)
        return true;
    it->form = FORM_DELTA;
    it->width = (uint8_t)width;
    memcpy(it->numbers, zigzags, count * sizeof *zigzags);
    return true;
}

// false: for the receiver nothing has changed.
static bool choose_form(item *it, uint32_t handle, uint32_t since) {
    const rf_column *column = it->column;
    uint32_t old_numbers[RF_NUMBERS_MAX];
    const void *old;
    it->index = 0;
    it->form = FORM_RAW;
    if (!rf_quantise_value(it->quantiser, it->cell + column->value_offset, false, &it->index, it->numbers)) return true;
    it->form = FORM_STEPS;
    old = rf_value_log_before(&column->log, handle, *(const uint32_t *)(const void *)(it->cell + column->link_offset),
                              since);
    if (!old || !rf_quantise_same_place(it->quantiser, old, it->index)) return true;
    if (!rf_quantise_value(it->quantiser, old, true, &it->index, old_numbers)) return true;
    return try_delta(it, old_numbers);
}

// Of an entity that the receiver has: what changed at or after revision since.
static uint64_t collect_change(encoder *e, uint32_t handle, uint32_t since, bool *removed) {
    uint64_t mask = 0;
    e->count = 0;
    *removed = false;
    for (uint32_t i = 0; i < e->world->column_count; i++) {
        const rf_column *column = &e->world->columns[i];
        const rf_column_page *page = e->pages[i];
        const uint8_t *cell = page ? rf_column_cell(column, page, handle) : NULL;
        item *it;
        if (!page || rf_cell_stamp(cell) < since) continue;
        it = new_item(e, i, cell);
        if (!rf_column_has(page, handle)) {
            it->form = FORM_REMOVED;
            *removed = true;
        } else if (it->quantiser->kind != RF_QUANTISE_NONE && !choose_form(it, handle, since)) {
            e->count--;
            continue;
        }
        mask |= UINT64_C(1) << i;
    }
    return mask;
}

static uint32_t count_others(const rf_others *others, uint32_t since) {
    uint32_t count = 0;
    for (uint32_t i = 0; others && i < others->count; i++)
        count += others->items[i]->stamp >= since && (since > 0 || others->items[i]->present);
    return count;
}

// since 0: all that are there.
static void put_others(encoder *e, const rf_others *others, uint32_t since, uint32_t count) {
    if (count == 0 || !rf_wire_room(&e->out, RF_NIB_BITS_MAX)) return;
    rf_wire_nib(&e->out, count);
    for (uint32_t i = 0; i < others->count; i++) {
        const rf_other *other = others->items[i];
        if (other->stamp < since || (since == 0 && !other->present)) continue;
        put_name(e, rf_other_name(other));
        if (since > 0 && rf_wire_room(&e->out, 1)) rf_wire_bits(&e->out, !other->present, 1);
        if (other->present) put_term(e, rf_other_value(other));
    }
}

static void put_whole(encoder *e, uint32_t handle, int64_t *last, masks *known) {
    const rf_slot *slot = rf_world_slot(e->world, handle);
    uint32_t others = count_others(slot->others, 0);
    if (!rf_wire_room(&e->out, RF_NIB_BITS_MAX)) return;
    put_handle(e, handle, last);
    put_name(e, rf_entity_id_str(&slot->id));
    if (!rf_wire_room(&e->out, e->room)) return;
    put_mask(e, known, collect_whole(e, handle));
    rf_wire_bits(&e->out, others > 0, 1);
    for (uint32_t i = 0; i < e->count; i++) put_value(e, &e->items[i], false);
    put_others(e, slot->others, 0, others);
}

static void put_change(encoder *e, uint32_t handle, uint32_t since, int64_t *last, masks *known) {
    const rf_slot *slot = rf_world_slot(e->world, handle);
    uint32_t others = count_others(slot->others, since);
    bool removed;
    uint64_t mask = collect_change(e, handle, since, &removed);
    if ((mask == 0 && others == 0) || !rf_wire_room(&e->out, e->room)) return;
    put_handle(e, handle, last);
    put_mask(e, known, mask);
    rf_wire_bits(&e->out, removed || others > 0, 1);
    if (removed || others > 0) rf_wire_bits(&e->out, (uint32_t)removed | (uint32_t)(others > 0) << 1, 2);
    for (uint32_t i = 0; removed && i < e->count; i++) rf_wire_bits(&e->out, e->items[i].form == FORM_REMOVED, 1);
    for (uint32_t i = 0; i < e->count; i++) put_value(e, &e->items[i], true);
    put_others(e, slot->others, since, others);
}

// ---- the frames -------------------------------------------------------------------------------------

static void put_end(encoder *e) {
    if (rf_wire_room(&e->out, 4)) rf_wire_nib(&e->out, 0);
}

static bool over(const encoder *e, size_t limit) {
    return e->out.buf.failed || (limit > 0 && e->out.buf.len > limit);
}

static void put_snapshot(encoder *e, size_t limit) {
    rf_entity entity = {0};
    masks known = {0};
    int64_t last = -1;
    rf_wire_u8(&e->out, RF_WIRE_HEAD(RF_WIRE_SNAPSHOT));
    rf_wire_varint(&e->out, e->world->seq);
    rf_wire_bytes(&e->out, (rf_str){(const char *)e->schema->packed, e->schema->packed_len});
    for (uint32_t page = UINT32_MAX; !over(e, limit) && rf_world_next(e->world, &entity);) {
        uint32_t handle = entity.handle1 - 1;
        if (handle / RF_PAGE_SIZE != page) find_pages(e, handle);
        page = handle / RF_PAGE_SIZE;
        put_whole(e, handle, &last, &known);
    }
    put_end(e);
}

static int compare_handles(const void *a, const void *b) {
    uint32_t left = *(const uint32_t *)a, right = *(const uint32_t *)b;
    return (left > right) - (left < right);
}

static bool alive(const rf_world *world, uint32_t handle) {
    return rf_world_alive_on(world, handle) >> (handle % RF_PAGE_SIZE) & 1;
}

// The handles of those who were alive before `since` and whose handle nobody has now.
static bool put_deletes(encoder *e, uint32_t since) {
    const rf_history *history = &e->world->history;
    rf_allocator allocator = e->world->mem.allocator;
    uint32_t count = 0, *handles = rf_alloc(allocator, (history->dead_count + (size_t)1) * sizeof *handles);
    int64_t last = -1;
    if (!handles) return false;
    for (uint32_t i = 0; i < history->dead_count; i++) {
        const rf_tombstone *dead = rf_history_dead(history, i);
        if (dead->since < since && dead->died >= since && !alive(e->world, dead->handle))
            handles[count++] = dead->handle;
    }
    if (count > 1) qsort(handles, count, sizeof *handles, compare_handles);
    if (rf_wire_room(&e->out, (size_t)count * 48))
        for (uint32_t i = 0; i < count; i++) put_handle(e, handles[i], &last);
    put_end(e);
    rf_free(allocator, handles);
    return true;
}

// Those that changed: the ones that the receiver does not have, or the others.
static void put_living(encoder *e, uint32_t since, bool creates, size_t limit) {
    const rf_world *world = e->world;
    masks known = {0};
    int64_t last = -1;
    for (uint32_t first = 0; first < world->handles && !over(e, limit); first += RF_PAGE_SIZE) {
        const rf_slot_page *page = rf_world_page(world, first);
        uint64_t mask = page && page->changed >= since ? page->alive : 0;
        if (mask != 0) find_pages(e, first);
        for (; mask != 0; mask &= mask - 1) {
            uint32_t handle = first + rf_low_bit(mask);
            const rf_slot *slot = &page->slots[handle % RF_PAGE_SIZE];
            if (slot->changed < since || (slot->created >= since) != creates) continue;
            if (creates)
                put_whole(e, handle, &last, &known);
            else
                put_change(e, handle, since, &last, &known);
        }
    }
    put_end(e);
}

static rf_status put_diff(encoder *e, uint64_t from, size_t limit) {
    const rf_world *world = e->world;
    uint32_t since;
    if (from > world->seq) return RF_SEQ_AHEAD;
    if (!rf_world_remembers(world, from)) return RF_HISTORY_GONE;
    since = rf_history_after(&world->history, from);
    rf_wire_u8(&e->out, RF_WIRE_HEAD(RF_WIRE_DIFF));
    rf_wire_varint(&e->out, world->seq);
    rf_wire_varint(&e->out, world->seq - from);
    rf_wire_u8(&e->out, e->schema->tag);
    if (!put_deletes(e, since)) return RF_NO_MEMORY;
    put_living(e, since, true, limit);
    put_living(e, since, false, limit);
    return RF_OK;
}

rf_status rf_encode_packed(const rf_world *world, bool diff, uint64_t from, size_t limit, rf_allocator allocator,
                           uint8_t **out, size_t *len) {
    rf_allocator scratch = world->mem.allocator;
    encoder *e = rf_alloc(scratch, sizeof *e);
    rf_status status = RF_OK;
    *out = NULL;
    *len = 0;
    if (!e) return RF_NO_MEMORY;
    e->world = world;
    e->schema = world->schema;
    e->out = (rf_wire_out){0};
    rf_buf_init(&e->out.buf, allocator);
    e->room = 4 * RF_NIB_BITS_MAX + 2 * RF_SCHEMA_MAX;
    for (uint32_t i = 0; i < world->column_count; i++) e->room += value_bits(&world->columns[i]);
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
