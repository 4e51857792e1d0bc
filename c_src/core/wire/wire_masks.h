// wire_masks.h: which components of an entity follow, as bits: most often those of an entity before
// (docs/wire-format.md, "Mask").
#ifndef RF_CORE_WIRE_MASKS_H
#define RF_CORE_WIRE_MASKS_H

#include "frame/wire_in.h"
#include "frame/wire_out.h"

// The last two masks of a list of entities; zeroed at its start.
typedef struct rf_wire_masks {
    uint64_t recent, before;
} rf_wire_masks;

static inline void rf_wire_masks_add(rf_wire_masks *masks, uint64_t mask) {
    masks->before = masks->recent;
    masks->recent = mask;
}

// count: the components of the schema. The bits must be reserved.
static inline void rf_wire_put_mask(rf_wire_out *out, unsigned count, rf_wire_masks *masks, uint64_t mask) {
    if (mask == masks->recent) {
        rf_wire_bits(out, 0, 1);
        return;
    }
    if (mask == masks->before) {
        rf_wire_bits(out, 1, 2);
    } else {
        rf_wire_bits(out, 3, 2);
        rf_wire_bits(out, (uint32_t)mask, count < 32 ? count : 32);
        if (count > 32) rf_wire_bits(out, (uint32_t)(mask >> 32), count - 32);
    }
    rf_wire_masks_add(masks, mask);
}

static inline uint64_t rf_wire_get_mask(rf_wire_in *in, unsigned count, rf_wire_masks *masks) {
    uint64_t mask;
    if (rf_wire_get(in, 1) == 0) return masks->recent;
    if (rf_wire_get(in, 1) == 0) {
        mask = masks->before;
    } else {
        mask = count > 0 ? rf_wire_get(in, count < 32 ? count : 32) : 0;
        if (count > 32) mask |= (uint64_t)rf_wire_get(in, count - 32) << 32;
    }
    rf_wire_masks_add(masks, mask);
    return mask;
}

#endif
