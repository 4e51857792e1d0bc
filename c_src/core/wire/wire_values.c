#include "wire_values.h"

#include "base/bits.h"
#include "base/varint.h"
#include "frame/wire_numbers.h"
#include "wire_values_simd.h"

// Bits of a value that is being encoded.
typedef struct code {
    uint64_t bits;
    unsigned len;
} code;

static void put(code *out, uint64_t more, unsigned bits) {
    if (bits > 0) out->bits |= more << out->len;
    out->len += bits;
}

static void put_whole(code *out, const rf_quantiser *quantiser, bool update, uint32_t index, const uint32_t *numbers) {
    put(out, update, update ? 2 : 1);
    if (quantiser->kind == RF_QUANTISE_SMALLEST_THREE) put(out, index, 2);
    for (unsigned i = 0; i < quantiser->count; i++) put(out, numbers[i], quantiser->bits);
}

// Puts a delta, or nothing if nothing changed. False: the full value is not longer.
static bool put_delta(code *out, const rf_quantiser *quantiser, uint32_t index, const uint32_t *numbers,
                      const uint32_t *old) {
    unsigned count = quantiser->count, changed = 0, flags = 0, width;
    uint32_t zigzags[3], all = 0;
    for (unsigned i = 0; i < count; i++) {
        zigzags[i] = (uint32_t)rf_zigzag_encode((int64_t)numbers[i] - old[i]);
        all |= zigzags[i];
        changed += zigzags[i] != 0;
        flags |= (unsigned)(zigzags[i] != 0) << i;
    }
    if (all == 0) return true;
    width = rf_high_bit(all) + 1;
    if (width > RF_WIRE_DELTA_BITS ||
        1 + RF_WIRE_DELTA_WIDTH_BITS + count + changed * width >= 2 + count * quantiser->bits)
        return false;
    put(out, 0, 1);
    if (quantiser->kind == RF_QUANTISE_SMALLEST_THREE) put(out, index, 2);
    put(out, width - 1, RF_WIRE_DELTA_WIDTH_BITS);
    put(out, flags, count);
    for (unsigned i = 0; i < count; i++) put(out, zigzags[i], zigzags[i] != 0 ? width : 0);
    return true;
}

// The value that the receiver has; NULL: unknown.
static const void *value_before(const rf_wire_values *values, uint32_t place, const uint8_t *cell) {
    const rf_column *column = values->column;
    uint32_t newest = *(const uint32_t *)(const void *)(cell + column->link_offset);
    return rf_value_log_before(&column->log, values->first + place, newest, values->since);
}

static void one_by_one(const rf_quantiser *quantiser, const rf_wire_values *values, rf_wire_codes *out) {
    const bool update = values->since > 0;
    for (uint32_t i = 0; i < values->places->count; i++) {
        const uint8_t *cell = values->cells + (size_t)values->places->at[i] * values->column->stride;
        const void *was = NULL;
        uint32_t numbers[3], old[3], index = 0, old_index = 0;
        code it = {0};
        out->len[i] = 0;
        if (rf_cell_stamp(cell) < values->since) continue;
        if (update) was = value_before(values, values->places->at[i], cell);
        if (!rf_quantise_value(quantiser, cell + values->column->value_offset, false, &index, numbers))
            it.len = RF_WIRE_VALUE_RAW;
        else if (!was || !rf_quantise_value(quantiser, was, false, &old_index, old) || old_index != index ||
                 !put_delta(&it, quantiser, index, numbers, old))
            put_whole(&it, quantiser, update, index, numbers);
        out->bits[i] = it.bits;
        out->len[i] = (uint8_t)it.len;
    }
}

static bool always(void) {
    return true;
}

#define TARGET
#include "wire_page.inl"

static const rf_wire_ops scalar = {"scalar", always, put_even, NULL, one_by_one, one_by_one};

const rf_wire_ops *const rf_wire_all_ops[] = {
#if RF_SIMD_X86
    &rf_wire_ops_avx512, &rf_wire_ops_avx2,
#endif
    &scalar};

const rf_wire_ops *rf_wire_best_ops(void) {
    const rf_wire_ops *const *ops = rf_wire_all_ops;
    while (!(*ops)->available()) ops++;
    return *ops;
}

rf_wire_values_function *rf_wire_values_for(const rf_quantiser *quantiser, const rf_wire_ops *ops) {
    bool quaternion = quantiser->kind == RF_QUANTISE_SMALLEST_THREE;
    if (quantiser->kind == RF_QUANTISE_NONE || quantiser->count > 3) return NULL;
    if (2u + (quaternion ? 2u : 0u) + quantiser->count * quantiser->bits > 64) return NULL;
    if (quaternion) return ops->quaternions;
    return quantiser->count == 3 && !quantiser->wide ? ops->steps : one_by_one;
}
