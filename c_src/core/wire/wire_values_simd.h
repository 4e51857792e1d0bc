// wire_values_simd.h: shared by the encoders with vector instructions.
#ifndef RF_CORE_WIRE_VALUES_SIMD_H
#define RF_CORE_WIRE_VALUES_SIMD_H

#include "base/bits.h"
#include "base/simd_targets.h"
#include "frame/wire_numbers.h"
#include "wire_page.h"

#if RF_SIMD_X86
extern const rf_wire_ops rf_wire_ops_avx2, rf_wire_ops_avx512;
#endif

// Makes the compiler load numbers one by one from an array that was stored by one instruction, instead of extracting
// them from the register, which would occupy the computing units.
#define RF_WIRE_IN_MEMORY(array) __asm__("" : "+m"(array))

// The layout of encoded values, the same for all values of a component.
typedef struct rf_wire_layout {
    unsigned bits;                    // of an integer
    unsigned whole_head, whole_place; // of a full value: its first bits, and where the integers begin
    unsigned index_bits;              // before the integers
    unsigned flags_at;                // of a delta: where the bits are that tell which numbers changed
    bool update;
} rf_wire_layout;

// Finds the log entry for an entity whose newest entry is too new; *at: its offset. False: there is none.
static inline bool rf_wire_older_entry(const rf_wire_values *values, uint32_t handle, uint32_t number, uint32_t *at) {
    const rf_value_log *log = &values->column->log;
    const uint8_t *value = rf_value_log_before(log, handle, number, values->since);
    if (value) *at = (uint32_t)(value - log->entries) - (uint32_t)sizeof(rf_old_value);
    return value != NULL;
}

static inline rf_wire_layout rf_wire_layout_of(const rf_quantiser *quantiser, bool update, unsigned index_bits) {
    return (rf_wire_layout){.bits = quantiser->bits,
                            .whole_head = update,
                            .whole_place = (update ? 2u : 1u) + index_bits,
                            .index_bits = index_bits,
                            .flags_at = 1 + index_bits + RF_WIRE_DELTA_WIDTH_BITS,
                            .update = update};
}

#endif
