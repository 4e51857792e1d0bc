#include "wire_value_in.h"

#include "schema/schema_state.h"
#include "wire_words.h"
#include <math.h>

static void get_floats(rf_wire_in *in, const rf_component_def *def, uint8_t *out) {
    for (unsigned i = 0; i < def->count; i++) {
        uint32_t low = rf_wire_get(in, 32), high;
        uint64_t bits;
        if (def->type == RF_TYPE_F32) {
            if ((low & 0x7f800000) == 0x7f800000) rf_wire_fail(in, RF_INVALID_FRAME);
            memcpy(out + i * sizeof low, &low, sizeof low);
            continue;
        }
        high = rf_wire_get(in, 32);
        if ((high & 0x7ff00000) == 0x7ff00000) rf_wire_fail(in, RF_INVALID_FRAME);
        bits = (uint64_t)high << 32 | low;
        memcpy(out + i * sizeof bits, &bits, sizeof bits);
    }
}

static void get_steps(rf_wire_in *in, const rf_quantiser *quantiser, uint8_t *out) {
    uint32_t numbers[RF_NUMBERS_MAX], index = 0;
    if (quantiser->kind == RF_QUANTISE_SMALLEST_THREE) index = rf_wire_get(in, 2);
    for (unsigned i = 0; i < quantiser->count; i++) {
        numbers[i] = rf_wire_get(in, quantiser->bits);
        if (numbers[i] > quantiser->most) rf_wire_fail(in, RF_INVALID_FRAME);
    }
    if (in->status == RF_OK) rf_dequantise_value(quantiser, numbers, index, out);
}

// old: the value the world has, or NULL.
static void get_delta(rf_wire_in *in, const rf_quantiser *quantiser, const uint8_t *old, uint8_t *out) {
    uint32_t numbers[RF_NUMBERS_MAX], index = 0, width, changed;
    if (quantiser->kind == RF_QUANTISE_SMALLEST_THREE) index = rf_wire_get(in, 2);
    width = rf_wire_get(in, RF_WIRE_DELTA_WIDTH_BITS) + 1;
    changed = rf_wire_get(in, quantiser->count);
    if (in->status != RF_OK) return;
    if (!old || !rf_quantise_value(quantiser, old, true, &index, numbers)) {
        rf_wire_fail(in, RF_INVALID_FRAME);
        return;
    }
    for (unsigned i = 0; i < quantiser->count; i++) {
        uint32_t zigzag;
        int64_t number;
        if (!(changed >> i & 1)) continue;
        zigzag = rf_wire_get(in, width);
        number = (int64_t)numbers[i] + rf_zigzag_decode(zigzag);
        if (zigzag == 0 || number < 0 || number > (int64_t)quantiser->most) rf_wire_fail(in, RF_INVALID_FRAME);
        numbers[i] = (uint32_t)number;
    }
    if (in->status == RF_OK) rf_dequantise_value(quantiser, numbers, index, out);
}

static const uint8_t *present_value(const rf_world *world, uint32_t column, uint32_t handle) {
    const rf_column *of = &world->columns[column];
    const rf_column_page *page = rf_column_page_of(of, handle);
    return rf_column_has(page, handle) ? rf_column_cell(of, page, handle) + of->value_offset : NULL;
}

static void get_quantised(rf_wire_in *in, const rf_world *world, uint32_t column, uint32_t handle, bool update,
                          uint8_t *out) {
    const rf_quantiser *quantiser = &world->schema->quantisers[column];
    if (update && rf_wire_get(in, 1) == 0)
        get_delta(in, quantiser, present_value(world, column, handle), out);
    else if (rf_wire_get(in, 1) == 0)
        get_steps(in, quantiser, out);
    else
        get_floats(in, &world->schema->defs[column], out);
}

static rf_str get_string(rf_wire_in *in, const rf_world *world, rf_arena *arena) {
    uint64_t start = in->at;
    rf_str out = rf_words_get_name(in, world->schema, arena);
    if (in->status == RF_OK && out.len > world->max_value_bytes) rf_wire_fail_at(in, start, RF_TOO_LARGE);
    return out;
}

rf_str rf_wire_get_value(rf_wire_in *in, const rf_world *world, uint32_t column, uint32_t handle, bool update,
                         rf_arena *arena) {
    const rf_component_def *def = &world->schema->defs[column];
    size_t size = world->columns[column].value_size;
    uint8_t *out;
    int64_t integer;
    if (def->type == RF_TYPE_STRING) return get_string(in, world, arena);
    if (def->type == RF_TYPE_TERM) return rf_words_get_term(in, world->schema, world->max_value_bytes, arena);
    out = rf_arena_alloc(arena, size);
    if (!out) {
        rf_wire_fail(in, RF_NO_MEMORY);
        return (rf_str){0};
    }
    if (def->type == RF_TYPE_I64) {
        integer = rf_zigzag_decode(rf_wire_get_nib(in));
        memcpy(out, &integer, sizeof integer);
    } else if (def->type == RF_TYPE_BOOL) {
        out[0] = (uint8_t)rf_wire_get(in, 1);
    } else if (def->quantise == RF_QUANTISE_NONE) {
        get_floats(in, def, out);
    } else {
        get_quantised(in, world, column, handle, update, out);
    }
    return (rf_str){(const char *)out, size};
}
