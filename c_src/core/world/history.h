// history.h: what a world remembers of its past, to answer what changed since a seq.
//
// Internally, time is counted in revisions: each event that takes a seq is one. A revision fits into 32 bits, however
// far seqs jump. Usually consecutive revisions have consecutive seqs; only the exceptions (jumps) are stored.
#ifndef RF_CORE_HISTORY_H
#define RF_CORE_HISTORY_H

#include "entity_id.h"

// An entity that was deleted.
typedef struct rf_tombstone {
    rf_entity_id id;
    uint32_t handle;
    uint32_t since; // revision of its creation
    uint32_t died;  // revision of its deletion
} rf_tombstone;

// From this revision on, seqs count up by one from this seq, until the next jump.
typedef struct rf_seq_jump {
    uint64_t seq;
    uint32_t revision;
} rf_seq_jump;

typedef struct rf_history {
    uint32_t length;    // how many seqs back a diff can start
    uint32_t revision;  // the newest; 0 before the first event
    uint64_t forgotten; // seqs below this have been dropped, for lack of memory
    rf_seq_jump first;  // where the history starts
    rf_seq_jump *jumps; // a ring: the later ones, oldest first
    uint32_t jump_first, jump_count, jump_capacity;
    rf_tombstone *dead; // another ring, oldest first
    uint32_t dead_first, dead_count, dead_capacity;
} rf_history;

// seq: of revision 0.
void rf_history_init(rf_history *history, uint32_t length, uint64_t seq);
void rf_history_free(rf_history *history, rf_mem *mem);
// On failure, `to` can be freed.
bool rf_history_copy(rf_history *to, const rf_history *from, rf_mem *mem);
// The first revision whose seq is above this one; revision + 1 if there is none. The seq must be one of the last
// `length`.
uint32_t rf_history_after(const rf_history *history, uint64_t seq);
// The seq of a revision; of one that is older than the history, at most the seq where that starts.
uint64_t rf_history_seq(const rf_history *history, uint32_t revision);
// Records that the next revision has this seq. If there is no memory for that, older history is dropped.
void rf_history_jump(rf_history *history, rf_mem *mem, uint64_t seq);
// Forgets the revisions up to `cut` and renumbers the others from there.
void rf_history_renumber(rf_history *history, uint32_t cut);
// Drops old tombstones, and reserves one more; false when out of memory.
bool rf_history_grow(rf_history *history, rf_mem *mem);

// The position of item i of a ring; i is at most its capacity. (A division would be slower.)
static inline uint32_t rf_history_ring(uint32_t first, uint32_t i, uint32_t capacity) {
    uint32_t left = capacity - first;
    return i < left ? first + i : i - left;
}

static inline const rf_tombstone *rf_history_dead(const rf_history *history, uint32_t i) {
    return &history->dead[rf_history_ring(history->dead_first, i, history->dead_capacity)];
}

// The first tombstone of an entity deleted at this revision or later.
static inline uint32_t rf_history_dead_since(const rf_history *history, uint32_t since) {
    uint32_t i = history->dead_count;
    while (i > 0 && rf_history_dead(history, i - 1)->died >= since) i--;
    return i;
}

// No diff distinguishes stamps below this.
static inline uint32_t rf_history_oldest(const rf_history *history) {
    return history->revision > history->length ? history->revision - history->length : 0;
}

// Whether no diff needs the oldest tombstone any more.
static inline bool rf_history_has_old(const rf_history *history) {
    return history->dead_count > 0 && history->dead[history->dead_first].died <= rf_history_oldest(history);
}

// Reserves one more tombstone; false when out of memory.
static inline bool rf_history_reserve(rf_history *history, rf_mem *mem) {
    if (history->dead_count < history->dead_capacity && !rf_history_has_old(history)) return true;
    return rf_history_grow(history, mem);
}

// Takes ownership of the id's memory.
static inline void rf_history_add_tombstone(rf_history *history, const rf_tombstone *tombstone) {
    history->dead[rf_history_ring(history->dead_first, history->dead_count++, history->dead_capacity)] = *tombstone;
}

#endif
