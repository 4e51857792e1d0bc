#include "history.h"

void rf_history_init(rf_history *history, uint32_t length, uint64_t seq) {
    *history = (rf_history){.length = length, .first.seq = seq};
}

static rf_seq_jump *jump_at(const rf_history *history, uint32_t i) {
    return &history->jumps[rf_history_ring(history->jump_first, i, history->jump_capacity)];
}

static rf_tombstone *dead_at(rf_history *history, uint32_t i) {
    return &history->dead[rf_history_ring(history->dead_first, i, history->dead_capacity)];
}

void rf_history_free(rf_history *history, rf_mem *mem) {
    for (uint32_t i = 0; i < history->dead_count; i++) rf_entity_id_free(&dead_at(history, i)->id, mem);
    rf_mem_free(mem, history->dead, history->dead_capacity * sizeof *history->dead);
    rf_mem_free(mem, history->jumps, history->jump_capacity * sizeof *history->jumps);
    *history = (rf_history){0};
}

static bool copy_jumps(rf_history *to, const rf_history *from, rf_mem *mem) {
    if (from->jump_count == 0) return true;
    to->jumps = rf_mem_alloc(mem, from->jump_count * sizeof *to->jumps);
    if (!to->jumps) return false;
    to->jump_capacity = to->jump_count = from->jump_count;
    for (uint32_t i = 0; i < from->jump_count; i++) to->jumps[i] = *jump_at(from, i);
    return true;
}

bool rf_history_copy(rf_history *to, const rf_history *from, rf_mem *mem) {
    *to = (rf_history){
        .length = from->length, .revision = from->revision, .forgotten = from->forgotten, .first = from->first};
    if (!copy_jumps(to, from, mem)) return false;
    if (from->dead_count == 0) return true;
    to->dead = rf_mem_zero(mem, from->dead_count * sizeof *to->dead);
    if (!to->dead) return false;
    to->dead_capacity = from->dead_count;
    for (uint32_t i = 0; i < from->dead_count; i++) {
        const rf_tombstone *tombstone = rf_history_dead(from, i);
        to->dead[i] = *tombstone;
        if (!rf_entity_id_set(&to->dead[i].id, mem, rf_entity_id_str(&tombstone->id))) return false;
        to->dead_count++;
    }
    return true;
}

// How many jumps are at this seq and revision or an earlier one. Both ascend: one of them is to be the highest there
// is.
static uint32_t jumps_until(const rf_history *history, uint64_t seq, uint32_t revision) {
    uint32_t low = 0, high = history->jump_count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        const rf_seq_jump *jump = jump_at(history, middle);
        if (jump->seq > seq || jump->revision > revision)
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

static const rf_seq_jump *jump_before(const rf_history *history, uint32_t count) {
    return count > 0 ? jump_at(history, count - 1) : &history->first;
}

uint32_t rf_history_after(const rf_history *history, uint64_t seq) {
    uint32_t count = jumps_until(history, seq, UINT32_MAX), end = history->revision + 1, found;
    const rf_seq_jump *jump = jump_before(history, count);
    if (count < history->jump_count) end = jump_at(history, count)->revision;
    found = jump->seq > seq                           ? jump->revision
            : seq - jump->seq >= end - jump->revision ? end
                                                      : jump->revision + (uint32_t)(seq - jump->seq) + 1;
    return found > rf_history_oldest(history) ? found : rf_history_oldest(history) + 1;
}

uint64_t rf_history_seq(const rf_history *history, uint32_t revision) {
    const rf_seq_jump *jump = jump_before(history, jumps_until(history, UINT64_MAX, revision));
    return revision > jump->revision ? jump->seq + (revision - jump->revision) : jump->seq;
}

static void forget_jumps(rf_history *history) {
    uint32_t oldest = rf_history_oldest(history);
    while (history->jump_count > 0 && jump_at(history, 0)->revision <= oldest) {
        history->first = *jump_at(history, 0);
        history->jump_first = rf_history_ring(history->jump_first, 1, history->jump_capacity);
        history->jump_count--;
    }
}

static bool reserve_jump(rf_history *history, rf_mem *mem) {
    uint32_t capacity = history->jump_capacity ? history->jump_capacity * 2 : 8;
    rf_seq_jump *jumps;
    if (history->jump_count < history->jump_capacity) return true;
    jumps = rf_mem_alloc(mem, capacity * sizeof *jumps);
    if (!jumps) return false;
    for (uint32_t i = 0; i < history->jump_count; i++) jumps[i] = *jump_at(history, i);
    rf_mem_free(mem, history->jumps, history->jump_capacity * sizeof *jumps);
    history->jumps = jumps;
    history->jump_capacity = capacity;
    history->jump_first = 0;
    return true;
}

void rf_history_jump(rf_history *history, rf_mem *mem, uint64_t seq) {
    rf_seq_jump jump = {.seq = seq, .revision = history->revision + 1};
    forget_jumps(history);
    if (reserve_jump(history, mem)) {
        history->jump_count++;
        *jump_at(history, history->jump_count - 1) = jump;
    } else {
        history->first = jump;
        history->jump_count = 0;
        history->forgotten = seq;
    }
}

static void renumber_jump(rf_seq_jump *jump, uint32_t cut) {
    if (jump->revision < cut) jump->seq += cut - jump->revision;
    jump->revision = jump->revision < cut ? 0 : jump->revision - cut;
}

void rf_history_renumber(rf_history *history, uint32_t cut) {
    forget_jumps(history);
    renumber_jump(&history->first, cut);
    for (uint32_t i = 0; i < history->jump_count; i++) renumber_jump(jump_at(history, i), cut);
    history->revision -= cut;
}

static void forget(rf_history *history, rf_mem *mem) {
    while (rf_history_has_old(history)) {
        rf_entity_id_free(&dead_at(history, 0)->id, mem);
        history->dead_first = rf_history_ring(history->dead_first, 1, history->dead_capacity);
        history->dead_count--;
    }
}

bool rf_history_grow(rf_history *history, rf_mem *mem) {
    uint32_t capacity;
    rf_tombstone *dead;
    forget(history, mem);
    if (history->dead_count < history->dead_capacity) return true;
    capacity = history->dead_capacity ? history->dead_capacity * 2 : 8;
    dead = rf_mem_alloc(mem, capacity * sizeof *dead);
    if (!dead) return false;
    for (uint32_t i = 0; i < history->dead_count; i++) dead[i] = *dead_at(history, i);
    rf_mem_free(mem, history->dead, history->dead_capacity * sizeof *dead);
    history->dead = dead;
    history->dead_capacity = capacity;
    history->dead_first = 0;
    return true;
}
