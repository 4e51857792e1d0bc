#include "history.h"

bool rf_history_init(rf_history *history, rf_mem *mem, uint32_t length) {
    *history = (rf_history){.length = length};
    history->seqs = rf_mem_zero(mem, length * sizeof *history->seqs);
    return history->seqs != NULL;
}

static rf_tombstone *dead_at(rf_history *history, uint32_t i) {
    return &history->dead[(history->dead_first + i) % history->dead_capacity];
}

void rf_history_free(rf_history *history, rf_mem *mem) {
    for (uint32_t i = 0; i < history->dead_count; i++) rf_entity_id_free(&dead_at(history, i)->id, mem);
    rf_mem_free(mem, history->dead, history->dead_capacity * sizeof *history->dead);
    rf_mem_free(mem, history->seqs, history->length * sizeof *history->seqs);
    *history = (rf_history){0};
}

bool rf_history_copy(rf_history *to, const rf_history *from, rf_mem *mem) {
    if (!rf_history_init(to, mem, from->length)) return false;
    to->revision = from->revision;
    memcpy(to->seqs, from->seqs, from->length * sizeof *from->seqs);
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

uint32_t rf_history_after(const rf_history *history, uint64_t seq) {
    uint32_t low = rf_history_oldest(history) + 1, high = history->revision + 1;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (history->seqs[middle % history->length] > seq)
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

static void forget(rf_history *history, rf_mem *mem) {
    uint32_t oldest = rf_history_oldest(history);
    while (history->dead_count > 0 && dead_at(history, 0)->died <= oldest) {
        rf_entity_id_free(&dead_at(history, 0)->id, mem);
        history->dead_first = (history->dead_first + 1) % history->dead_capacity;
        history->dead_count--;
    }
}

bool rf_history_reserve(rf_history *history, rf_mem *mem) {
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

void rf_history_bury(rf_history *history, const rf_tombstone *tombstone) {
    history->dead_count++;
    *dead_at(history, history->dead_count - 1) = *tombstone;
}
