// wire_page.h: what an encoder does for 64 entities at a time, once for each set of instructions (wire_page.inl).
#ifndef RF_CORE_WIRE_PAGE_H
#define RF_CORE_WIRE_PAGE_H

#include "frame/wire_out.h"
#include "wire_values.h"
#include "world/world_state.h"

// A component of which something is said of the 64 entities at hand.
typedef struct rf_wire_part {
    const rf_column *column;
    const rf_quantiser *quantiser;
    const rf_column_page *page;
    uint64_t bit;         // in a mask
    uint64_t said;        // a bit for each entity of which it may be said
    bool short_;          // what is said of those who have it is in sayings, one after the other
    uint32_t count, next; // of them
    rf_wire_sayings sayings;
} rf_wire_part;

// Updates of all of `who`, of whom all parts speak, in sayings, from the next one on. Their mask is the recent one,
// nothing is removed. last: the place of the one before, from -1 down if it is on another page; answers the last one.
// There must be room.
typedef int64_t rf_wire_put_even(rf_wire_out *out, const rf_wire_part *parts, uint32_t part_count, uint64_t who,
                                 int64_t last);

// The same where there are two sayings (or one; the other has no bits then), together of at most RF_WIRE_PAIR_BITS, of
// each of `who` from i on. step: from the one before to the i-th, at most RF_WIRE_PAIR_STEP.
#define RF_WIRE_PAIR_BITS (128 - 7 - 10)
#define RF_WIRE_PAIR_STEP 63
typedef void rf_wire_put_pairs(rf_wire_out *out, const rf_wire_sayings *one, const rf_wire_sayings *two,
                               const rf_wire_places *who, uint32_t i, uint32_t step);

typedef struct rf_wire_way {
    const char *name;
    bool (*available)(void);
    rf_wire_put_even *put_even;
    rf_wire_put_pairs *put_pairs;   // or NULL
    rf_wire_values_function *steps; // three binary32
    rf_wire_values_function *turns;
} rf_wire_way;

// The fastest first; the last is always available. All give the same bits.
extern const rf_wire_way *const rf_wire_ways[];
const rf_wire_way *rf_wire_best_way(void);

// NULL: it is not for such a component: what can be said of a value does not fit into 64 bits.
rf_wire_values_function *rf_wire_values_for(const rf_quantiser *quantiser, const rf_wire_way *way);

// rf_encode_packed, in one of these ways.
rf_status rf_encode_packed_by(const rf_wire_way *way, const rf_world *world, bool diff, uint64_t from, size_t limit,
                              rf_allocator allocator, uint8_t **out, size_t *len);

#endif
