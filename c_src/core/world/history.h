// history.h: what a world remembers of its past, so that it can say what changed since a seq.
//
// Inside, time is counted in revisions: each event that takes a seq is one. They fit into 32 bits wherever something is
// stamped, and a seq that jumps costs nothing. Mostly each revision has the seq behind the one before's: only where it
// has not, that is written down.
#ifndef RF_CORE_HISTORY_H
#define RF_CORE_HISTORY_H

#include "entity_id.h"

// An entity that was deleted.
typedef struct rf_tombstone {
    rf_entity_id id;
    uint32_t handle;
    uint32_t since; // revision it came to exist at
    uint32_t died;  // revision it was deleted at
} rf_tombstone;

// This revision has this seq, and each one behind it the next, up to the revision of the next jump.
typedef struct rf_seq_jump {
    uint64_t seq;
    uint32_t revision;
} rf_seq_jump;

typedef struct rf_history {
    uint32_t length;    // seqs that can be asked for
    uint32_t revision;  // the newest; 0 before the first event
    uint64_t forgotten; // seqs below this can't be, for want of memory
    rf_seq_jump first;  // where what is remembered begins
    rf_seq_jump *jumps; // a ring: those behind it, oldest first
    uint32_t jump_first, jump_count, jump_capacity;
    rf_tombstone *dead; // a ring too: oldest first
    uint32_t dead_first, dead_count, dead_capacity;
} rf_history;

// seq: of revision 0.
void rf_history_init(rf_history *history, uint32_t length, uint64_t seq);
void rf_history_free(rf_history *history, rf_mem *mem);
// On failure `to` is ready to be freed.
bool rf_history_copy(rf_history *to, const rf_history *from, rf_mem *mem);
// The first revision whose seq is above this one; revision + 1 if there is none. The seq must be one of the last
// `length`.
uint32_t rf_history_after(const rf_history *history, uint64_t seq);
// The next revision has a seq that is not the next. Without memory for that, what was before is forgotten.
void rf_history_jump(rf_history *history, rf_mem *mem, uint64_t seq);
// The revisions up to `cut` are forgotten, and the others counted from there.
void rf_history_renumber(rf_history *history, uint32_t cut);
// Forgets old tombstones, then makes room for one more; false when out of memory.
bool rf_history_make_room(rf_history *history, rf_mem *mem);

// Where the i-th of a ring is, i being at most its capacity. (A division would take longer.)
static inline uint32_t rf_history_ring(uint32_t first, uint32_t i, uint32_t capacity) {
    uint32_t left = capacity - first;
    return i < left ? first + i : i - left;
}

static inline const rf_tombstone *rf_history_dead(const rf_history *history, uint32_t i) {
    return &history->dead[rf_history_ring(history->dead_first, i, history->dead_capacity)];
}

// The first of those who died at this revision or later.
static inline uint32_t rf_history_dead_since(const rf_history *history, uint32_t since) {
    uint32_t i = history->dead_count;
    while (i > 0 && rf_history_dead(history, i - 1)->died >= since) i--;
    return i;
}

// Stamps below this can't be told apart by any diff.
static inline uint32_t rf_history_oldest(const rf_history *history) {
    return history->revision > history->length ? history->revision - history->length : 0;
}

// Whether the oldest tombstone is of no use to any diff.
static inline bool rf_history_has_old(const rf_history *history) {
    return history->dead_count > 0 && history->dead[history->dead_first].died <= rf_history_oldest(history);
}

// Room for one more tombstone; false when out of memory.
static inline bool rf_history_reserve(rf_history *history, rf_mem *mem) {
    if (history->dead_count < history->dead_capacity && !rf_history_has_old(history)) return true;
    return rf_history_make_room(history, mem);
}

// Takes over the id's memory.
static inline void rf_history_bury(rf_history *history, const rf_tombstone *tombstone) {
    history->dead[rf_history_ring(history->dead_first, history->dead_count++, history->dead_capacity)] = *tombstone;
}

#endif
