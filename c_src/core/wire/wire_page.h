// wire_page.h: the parts of an encoder that handle 64 entities at a time, once per instruction set (wire_page.inl).
#ifndef RF_CORE_WIRE_PAGE_H
#define RF_CORE_WIRE_PAGE_H

#include "frame/wire_out.h"
#include "wire_values.h"
#include "world/world_state.h"

// A component to encode, for the current 64 entities.
typedef struct rf_wire_part {
    const rf_column *column;
    const rf_quantiser *quantiser;
    const rf_column_page *page;
    uint64_t bit;         // in a mask
    uint64_t candidates;  // a bit per entity for which it may be encoded
    bool coded;           // the encoded values are in `codes`, one after the other
    uint32_t count, next; // of these values
    rf_wire_codes codes;
} rf_wire_part;

// Writes updates of these entities; every part has an encoded value for each of them. Their mask is the recent one,
// and nothing is removed. last: the position of the previous entity, negative if on an earlier page; returns the new
// last. The bits must be reserved.
typedef int64_t rf_wire_put_even(rf_wire_out *out, const rf_wire_part *parts, uint32_t part_count, uint64_t entities,
                                 int64_t last);

// The same for two parts (or one; the other has no bits then) of together at most RF_WIRE_PAIR_BITS per entity, from
// entity i on. step: from the previous entity to the i-th, at most RF_WIRE_PAIR_STEP.
#define RF_WIRE_PAIR_BITS (128 - 7 - 10)
#define RF_WIRE_PAIR_STEP 63
typedef void rf_wire_put_pairs(rf_wire_out *out, const rf_wire_codes *one, const rf_wire_codes *two,
                               const rf_wire_places *places, uint32_t i, uint32_t step);

// An implementation for an instruction set.
typedef struct rf_wire_ops {
    const char *name;
    bool (*available)(void);
    rf_wire_put_even *put_even;
    rf_wire_put_pairs *put_pairs;   // or NULL
    rf_wire_values_function *steps; // three binary32
    rf_wire_values_function *quaternions;
} rf_wire_ops;

// All of them, the fastest first; the last is always available. All give the same bits.
extern const rf_wire_ops *const rf_wire_all_ops[];
const rf_wire_ops *rf_wire_best_ops(void);

// NULL: not possible for this component, whose encoded values may not fit in 64 bits.
rf_wire_values_function *rf_wire_values_for(const rf_quantiser *quantiser, const rf_wire_ops *ops);

// rf_encode_packed with one of these implementations.
rf_status rf_encode_packed_by(const rf_wire_ops *ops, const rf_world *world, bool diff, uint64_t from, size_t limit,
                              rf_allocator allocator, uint8_t **out, size_t *len);

#endif
