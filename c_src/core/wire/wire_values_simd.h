// wire_values_simd.h: what the ways to quantise with vector instructions share.
#ifndef RF_CORE_WIRE_VALUES_SIMD_H
#define RF_CORE_WIRE_VALUES_SIMD_H

#include "base/bits.h"
#include "base/simd_targets.h"
#include "frame/wire_numbers.h"
#include "wire_page.h"

#if RF_SIMD_X86
extern const rf_wire_way rf_wire_way_avx2, rf_wire_way_avx512;
#endif

// What was stored there by one instruction is loaded number by number, not taken out of the register again, which would
// keep the units busy that compute.
#define RF_WIRE_IN_MEMORY(array) __asm__("" : "+m"(array))

// Where things stand in what is said, the same for all values of a component.
typedef struct rf_wire_layout {
    unsigned bits;                    // of an integer
    unsigned whole_head, whole_place; // of a whole: what stands first, and where the integers begin
    unsigned index_bits;              // in front of them
    unsigned flags_at;                // of a delta: what says which numbers changed
    bool update;
} rf_wire_layout;

// Where an entry of the log begins that is not the newest of its entity. false: there is none.
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
