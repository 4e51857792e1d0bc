// wire_page.inl: the loops of wire_page.h, compiled for the instruction set in TARGET.
#include "base/bits.h"

// The end of the frame while a page is written: the fields of rf_wire_out, in registers.
typedef struct pen {
    uint8_t *at;
    uint64_t held, count;
} pen;

#define SHORT_BITS 56 // in addition to the 7 that may be held

// Puts up to SHORT_BITS bits.
TARGET static inline void pen_put(pen *p, uint64_t value, uint64_t bits) {
    uint64_t held = p->held | value << p->count, count = p->count + bits;
    rf_store64(p->at, held);
    p->at += count / 8;
    p->held = held >> (count & 56);
    p->count = count % 8;
}

// Puts up to 64 bits.
TARGET static inline void pen_put_long(pen *p, uint64_t value, uint64_t bits) {
    if (bits > SHORT_BITS) {
        pen_put(p, value & (UINT64_MAX >> 32), 32);
        pen_put(p, value >> 32, bits - 32);
    } else {
        pen_put(p, value, bits);
    }
}

// An update with the recent mask begins with the last group of three bits of the handle and two zero bits: the recent
// mask, and no flags.
#define HEAD_BITS 6

TARGET static inline uint64_t put_step(pen *p, uint64_t step) {
    for (; step > 7; step >>= 3) pen_put(p, (step & 7) | 8, 4);
    return step;
}

TARGET static inline __attribute__((always_inline)) int64_t put_all(pen *p, const rf_wire_part *parts,
                                                                    uint32_t part_count, uint64_t entities, int64_t last) {
    const rf_wire_codes *ends = &parts[part_count - 1].codes;
    int64_t place = rf_low_bit(entities);
    pen_put(p, put_step(p, (uint64_t)(place - last)), HEAD_BITS);
    for (uint32_t i = parts[0].next;; i++) {
        uint64_t step;
        for (uint32_t k = 0; k + 1 < part_count; k++)
            pen_put_long(p, parts[k].codes.bits[i], parts[k].codes.len[i]);
        last = place;
        entities &= entities - 1;
        if (entities == 0) {
            pen_put_long(p, ends->bits[i], ends->len[i]);
            return last;
        }
        place = rf_low_bit(entities);
        step = (uint64_t)(place - last);
        if (step <= 7 && ends->len[i] <= SHORT_BITS - HEAD_BITS) { // together with the next update's head
            pen_put(p, ends->bits[i] | step << ends->len[i], ends->len[i] + (uint64_t)HEAD_BITS);
        } else {
            pen_put_long(p, ends->bits[i], ends->len[i]);
            pen_put(p, put_step(p, step), HEAD_BITS);
        }
    }
}

TARGET static int64_t put_even(rf_wire_out *out, const rf_wire_part *parts, uint32_t part_count, uint64_t entities,
                               int64_t last) {
    pen p = {out->buf.data + out->buf.len, out->held, out->count};
    if (part_count == 2) // a constant for the compiler: position and rotation
        last = put_all(&p, parts, 2, entities, last);
    else
        last = put_all(&p, parts, part_count, entities, last);
    out->buf.len = (size_t)(p.at - out->buf.data);
    out->held = p.held;
    out->count = (unsigned)p.count;
    return last;
}
