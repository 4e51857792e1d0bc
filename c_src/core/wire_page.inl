// wire_page.inl: the loops of wire_page.h, for the instructions that TARGET says.
#include "bits.h"

TARGET static uint64_t changed(const rf_slot_page *page, uint32_t since, bool creates, bool *others) {
    // A page on which nothing was created has no creates.
    const uint32_t created = page->created >= since ? since : UINT32_MAX;
    uint64_t who = 0;
    bool any = false;
    for (uint64_t mask = page->alive; mask != 0; mask &= mask - 1) {
        uint32_t place = rf_low_bit(mask);
        const rf_slot *slot = &page->slots[place];
        bool is = (slot->changed >= since) & ((slot->created >= created) == creates);
        who |= (uint64_t)is << place;
        any |= is & (slot->others != NULL);
    }
    *others = any;
    return who;
}

TARGET static uint64_t said(const rf_column *column, const rf_column_page *page, uint64_t who, uint32_t since) {
    const uint8_t *cells = rf_column_cell(column, page, 0);
    const size_t stride = column->stride;
    uint64_t out = 0;
    for (; who != 0; who &= who - 1) {
        uint32_t place = rf_low_bit(who);
        out |= (uint64_t)(rf_cell_stamp(cells + place * stride) >= since) << place;
    }
    return out;
}

TARGET static void find_values(rf_wire_values *values, const rf_wire_part *part, uint32_t first, uint32_t since) {
    const rf_column *column = part->column;
    const uint8_t *cells = rf_column_cell(column, part->page, 0);
    const size_t stride = column->stride, offset = column->value_offset, link = column->link_offset;
    const rf_value_log log = column->log; // so that it stays in registers
    uint32_t n = 0;
    for (uint64_t who = part->said & part->page->present; who != 0; who &= who - 1, n++) {
        const uint32_t place = rf_low_bit(who);
        const uint8_t *cell = cells + place * stride, *now = cell + offset, *was = NULL;
        if (since > 0)
            was = rf_value_log_before(&log, first + place, *(const uint32_t *)(const void *)(cell + link), since);
        values->now[n] = now;
        values->was[n] = was ? was : now;
    }
    values->count = n;
    values->update = since > 0;
}

// A frame's end while a page is written: the same as rf_wire_out has, in registers.
typedef struct pen {
    uint8_t *at;
    uint64_t held, count;
} pen;

// Up to 64 bits.
TARGET static inline void pen_put(pen *p, uint64_t value, uint64_t bits) {
    uint64_t low = p->held | value << p->count, high = (value >> 1) >> (63 - p->count), count = p->count + bits;
    rf_store64(p->at, low);
    rf_store64(p->at + 8, high);
    p->at += count / 8;
    p->held = count >= 64 ? high : low >> (count & 56);
    p->count = count % 8;
}

TARGET static int64_t put_even(rf_wire_out *out, rf_wire_part *parts, uint32_t part_count, uint64_t who, int64_t last) {
    const rf_wire_sayings *sayings = &parts[0].sayings;
    pen p = {out->buf.data + out->buf.len, out->held, out->count};
    for (uint32_t i = 0; who != 0; who &= who - 1, i++) {
        const int64_t place = rf_low_bit(who);
        uint64_t step = (uint64_t)(place - last);
        last = place;
        for (; step > 7; step >>= 3) pen_put(&p, (step & 7) | 8, 4);
        if (sayings->len[i] <= 64 - 6) {
            pen_put(&p, step | sayings->bits[i] << 6, sayings->len[i] + 6u);
        } else {
            pen_put(&p, step, 6);
            pen_put(&p, sayings->bits[i], sayings->len[i]);
        }
        for (uint32_t k = 1; k < part_count; k++) pen_put(&p, parts[k].sayings.bits[i], parts[k].sayings.len[i]);
    }
    out->buf.len = (size_t)(p.at - out->buf.data);
    out->held = p.held;
    out->count = (unsigned)p.count;
    return last;
}
