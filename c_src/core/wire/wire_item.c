#include "wire_item.h"

#include "base/bits.h"
#include "frame/wire_numbers.h"
#include "schema/schema_state.h"
#include "wire_words.h"

static uint64_t bits_of_f32(const uint8_t *value) {
    uint32_t bits;
    memcpy(&bits, value, sizeof bits);
    return bits;
}

static uint64_t bits_of_f64(const uint8_t *value) {
    uint64_t bits;
    memcpy(&bits, value, sizeof bits);
    return bits;
}

// Puts binary32 two at a time.
static void put_raw(rf_wire_out *out, const rf_wire_item *it) {
    const uint8_t *value = it->cell + it->column->value_offset;
    unsigned left = it->column->value_size;
    bool wide = it->column->def.type == RF_TYPE_F64;
    for (; left >= 8; left -= 8, value += 8)
        rf_wire_long_bits(out, wide ? bits_of_f64(value) : bits_of_f32(value) | bits_of_f32(value + 4) << 32, 64);
    if (left > 0) rf_wire_bits(out, bits_of_f32(value), 32);
}

static void put_plain(rf_wire_out *out, const rf_schema *schema, size_t reserve, const rf_wire_item *it) {
    const rf_column *column = it->column;
    uint8_t *cell = (uint8_t *)(uintptr_t)it->cell;
    const rf_blob *blob;
    int64_t integer;
    switch (column->def.type) {
    case RF_TYPE_F32:
    case RF_TYPE_F64:
        put_raw(out, it);
        return;
    case RF_TYPE_I64:
        memcpy(&integer, cell + column->value_offset, sizeof integer);
        rf_wire_nib(out, rf_zigzag_encode(integer));
        return;
    case RF_TYPE_BOOL:
        rf_wire_bits(out, cell[column->value_offset] != 0, 1);
        return;
    case RF_TYPE_STRING:
        blob = *rf_cell_blob(column, cell);
        rf_words_put_name(out, schema, (rf_str){blob->bytes, blob->len});
        break;
    case RF_TYPE_TERM:
        blob = *rf_cell_blob(column, cell);
        rf_words_put_term(out, schema, (rf_str){blob->bytes, blob->len});
        break;
    }
    rf_wire_reserve(out, reserve); // for the items that follow
}

static void put_steps(rf_wire_out *out, const rf_wire_item *it) {
    for (unsigned i = 0; i < it->quantiser->count; i++) rf_wire_bits(out, it->numbers[i], it->quantiser->bits);
}

static void put_delta(rf_wire_out *out, const rf_wire_item *it) {
    uint32_t changed = 0;
    rf_wire_bits(out, 0, 1);
    rf_wire_bits(out, it->len - 1u, RF_WIRE_DELTA_WIDTH_BITS);
    for (unsigned i = 0; i < it->quantiser->count; i++) changed |= (uint32_t)(it->numbers[i] != 0) << i;
    rf_wire_bits(out, changed, it->quantiser->count);
    for (unsigned i = 0; i < it->quantiser->count; i++)
        if (it->numbers[i] != 0) rf_wire_bits(out, it->numbers[i], it->len);
}

void rf_wire_item_put(rf_wire_out *out, const rf_schema *schema, size_t reserve, const rf_wire_item *it, bool update) {
    if (out->buf.failed) return; // after a failure nothing is reserved
    switch (it->form) {
    case RF_ITEM_PLAIN:
        put_plain(out, schema, reserve, it);
        break;
    case RF_ITEM_RAW:
        rf_wire_bits(out, update ? 3 : 1, update ? 2 : 1);
        put_raw(out, it);
        break;
    case RF_ITEM_BITS:
        rf_wire_long_bits(out, it->bits, it->len);
        break;
    case RF_ITEM_STEPS:
        rf_wire_bits(out, update ? 1 : 0, update ? 2 : 1);
        put_steps(out, it);
        break;
    case RF_ITEM_DELTA:
        put_delta(out, it);
        break;
    case RF_ITEM_REMOVED:
        break;
    }
}

// Chooses a delta if it is shorter. False: nothing has changed.
static bool try_delta(rf_wire_item *it, const uint32_t *old) {
    unsigned count = it->quantiser->count, changed = 0, width;
    uint32_t zigzags[RF_NUMBERS_MAX], all = 0;
    for (unsigned i = 0; i < count; i++) {
        zigzags[i] = (uint32_t)rf_zigzag_encode((int64_t)it->numbers[i] - old[i]);
        all |= zigzags[i];
        changed += zigzags[i] != 0;
    }
    if (changed == 0) return false;
    width = rf_high_bit(all) + 1;
    if (width > RF_WIRE_DELTA_BITS ||
        1 + RF_WIRE_DELTA_WIDTH_BITS + count + changed * width >= 2 + count * it->quantiser->bits)
        return true;
    it->form = RF_ITEM_DELTA;
    it->len = (uint8_t)width;
    memcpy(it->numbers, zigzags, count * sizeof *zigzags);
    return true;
}

// Chooses the form for a component of many numbers. False: unchanged for the receiver.
static bool choose_form(rf_wire_item *it, uint32_t handle, uint32_t since) {
    const rf_column *column = it->column;
    uint32_t old_numbers[RF_NUMBERS_MAX];
    const void *old = NULL;
    it->form = RF_ITEM_RAW;
    if (!rf_to_steps(it->quantiser, it->cell + column->value_offset, it->numbers)) return true;
    it->form = RF_ITEM_STEPS;
    if (since > 0)
        old = rf_value_log_before(&column->log, handle,
                                  *(const uint32_t *)(const void *)(it->cell + column->link_offset), since);
    if (!old || !rf_to_steps(it->quantiser, old, old_numbers)) return true;
    return try_delta(it, old_numbers);
}

bool rf_wire_item_find(rf_wire_item *it, rf_wire_part *part, uint32_t handle, uint32_t since) {
    it->column = part->column;
    it->quantiser = part->quantiser;
    it->cell = rf_column_cell(part->column, part->page, handle);
    it->form = RF_ITEM_PLAIN;
    if (!rf_column_has(part->page, handle)) {
        it->form = RF_ITEM_REMOVED;
    } else if (part->coded) {
        uint32_t i = part->next++;
        it->bits = part->codes.bits[i];
        it->len = part->codes.len[i];
        it->form = it->len == RF_WIRE_VALUE_RAW ? RF_ITEM_RAW : RF_ITEM_BITS;
        return it->len != 0;
    } else if (part->quantiser->kind != RF_QUANTISE_NONE) {
        return choose_form(it, handle, since);
    }
    return true;
}
