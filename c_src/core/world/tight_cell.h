// tight_cell.h: fast access to cells of three or four binary32 (rf_column.tight), such as positions and rotations,
// which most updates change. Such a cell is a stamp, the value and, for a quantised component, its link. The size, 12
// or 16, is known at compile time, so that a copy takes a few instructions.
#ifndef RF_CORE_TIGHT_CELL_H
#define RF_CORE_TIGHT_CELL_H

#include "column.h"
#include "base/varint.h"

// A value of 12 or 16 bytes, as in memory on a little-endian machine.
typedef struct rf_tight_value {
    uint64_t low, high;
} rf_tight_value;

static inline rf_tight_value rf_tight_load(const uint8_t *from, unsigned size) {
    return (rf_tight_value){rf_load64(from), size == 12 ? rf_load32(from + 8) : rf_load64(from + 8)};
}

static inline uint32_t rf_tight_narrow(double number) {
    float narrow = (float)number;
    uint32_t bits;
    memcpy(&bits, &narrow, sizeof bits);
    return bits;
}

static inline rf_tight_value rf_tight_of_3(const double *numbers) {
    return (rf_tight_value){rf_tight_narrow(numbers[0]) | (uint64_t)rf_tight_narrow(numbers[1]) << 32,
                            rf_tight_narrow(numbers[2])};
}

static inline rf_tight_value rf_tight_of_4(const double *numbers) {
    return (rf_tight_value){rf_tight_narrow(numbers[0]) | (uint64_t)rf_tight_narrow(numbers[1]) << 32,
                            rf_tight_narrow(numbers[2]) | (uint64_t)rf_tight_narrow(numbers[3]) << 32};
}

// Not 0 if one of two binary32 is infinite or NaN: adding one to an exponent of all ones carries into the sign bit.
static inline uint64_t rf_tight_infinite(uint64_t two) {
    return ((two & UINT64_C(0x7f8000007f800000)) + UINT64_C(0x0080000000800000)) & UINT64_C(0x8000000080000000);
}

static inline bool rf_tight_finite(rf_tight_value value) {
    return (rf_tight_infinite(value.low) | rf_tight_infinite(value.high)) == 0;
}

// Whether the cell already contains exactly these bits.
static inline bool rf_tight_same(const uint8_t *cell, unsigned size, rf_tight_value value) {
    rf_tight_value old = rf_tight_load(cell + 4, size);
    return ((value.low ^ old.low) | (value.high ^ old.high)) == 0;
}

// Stores a value; false if the cell already contained exactly these bits. log: of a quantised component, otherwise
// NULL.
static inline bool rf_tight_store(uint8_t *cell, unsigned size, rf_tight_value value, uint32_t revision,
                                  rf_value_log *log, uint32_t handle) {
    uint32_t high = (uint32_t)value.high;
    if (rf_tight_same(cell, size, value)) return false;
    if (log) {
        uint32_t *link = (uint32_t *)(void *)(cell + 4 + size);
        *link = rf_value_log_add(log, handle, *link, rf_cell_stamp(cell), revision, cell + 4, size);
    }
    rf_cell_set_stamp(cell, revision);
    memcpy(cell + 4, &value.low, 8);
    if (size == 12)
        memcpy(cell + 12, &high, 4);
    else
        memcpy(cell + 12, &value.high, 8);
    return true;
}

#endif
