// tight_cell.h: cells of three or four binary32 that hold a stamp and the value, nothing else (rf_column.tight): a
// position and a rotation, which most updates are about. What the compiler knows the size of costs a few instructions.
#ifndef RF_CORE_TIGHT_CELL_H
#define RF_CORE_TIGHT_CELL_H

#include "column.h"
#include "varint.h"

// A value of 12 or 16 bytes, as it lies in memory on a little-endian machine.
typedef struct rf_tight_value {
    uint64_t low, high;
} rf_tight_value;

static inline rf_tight_value rf_tight_load_12(const uint8_t *from) {
    return (rf_tight_value){rf_load64(from), rf_load32(from + 8)};
}

static inline rf_tight_value rf_tight_load_16(const uint8_t *from) {
    return (rf_tight_value){rf_load64(from), rf_load64(from + 8)};
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

// Not 0 if one of two binary32 is infinite or no number: an exponent of ones, plus one, runs over into the place of
// the sign.
static inline uint64_t rf_tight_infinite(uint64_t two) {
    return ((two & UINT64_C(0x7f8000007f800000)) + UINT64_C(0x0080000000800000)) & UINT64_C(0x8000000080000000);
}

static inline bool rf_tight_finite(rf_tight_value value) {
    return (rf_tight_infinite(value.low) | rf_tight_infinite(value.high)) == 0;
}

// These return false if the very same bits were there already.

static inline bool rf_tight_store_12(uint8_t *cell, rf_tight_value value, uint32_t revision) {
    uint32_t high = (uint32_t)value.high;
    if (((value.low ^ rf_load64(cell + 4)) | (high ^ rf_load32(cell + 12))) == 0) return false;
    rf_cell_set_stamp(cell, revision);
    memcpy(cell + 4, &value.low, 8);
    memcpy(cell + 12, &high, 4);
    return true;
}

static inline bool rf_tight_store_16(uint8_t *cell, rf_tight_value value, uint32_t revision) {
    if (((value.low ^ rf_load64(cell + 4)) | (value.high ^ rf_load64(cell + 12))) == 0) return false;
    rf_cell_set_stamp(cell, revision);
    memcpy(cell + 4, &value.low, 8);
    memcpy(cell + 12, &value.high, 8);
    return true;
}

#endif
