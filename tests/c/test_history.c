// What a world remembers of its seqs, against a list of all of them.
#include "core/world/history.h"
#include "support.h"

#include <stdlib.h>

enum { LENGTH = 50, STEPS = 3000 };

typedef struct all_seqs {
    rf_history history;
    uint64_t seqs[STEPS + 1], newest; // of each revision
    uint32_t cut;                     // revisions that renumbering took away
} all_seqs;

static uint64_t state = 12;

static void advance(all_seqs *all, rf_mem *mem, uint64_t seq) {
    if (seq != all->newest + 1) rf_history_jump(&all->history, mem, seq);
    all->history.revision++;
    all->newest = all->seqs[all->history.revision + all->cut] = seq;
}

static uint32_t after(const all_seqs *all, uint64_t seq) {
    uint32_t revision = all->history.revision, oldest = rf_history_oldest(&all->history);
    while (revision > oldest && all->seqs[revision + all->cut] > seq) revision--;
    return revision + 1;
}

static uint64_t later(uint64_t a, uint64_t b) {
    return a > b ? a : b;
}

static void check_all(const all_seqs *all) {
    uint64_t from = all->newest > LENGTH ? all->newest - LENGTH : 0;
    if (from < all->history.forgotten) from = all->history.forgotten;
    for (uint64_t seq = from; seq <= all->newest; seq++)
        REQUIRE(rf_history_after(&all->history, seq) == after(all, seq));
    for (uint32_t revision = rf_history_oldest(&all->history); revision <= all->history.revision; revision++)
        REQUIRE(later(rf_history_seq(&all->history, revision), from) == later(all->seqs[revision + all->cut], from));
}

// gap: one in so many seqs is not the next; 1: none is.
static void check_history(rf_mem *mem, unsigned gap, uint64_t start) {
    all_seqs *all = calloc(1, sizeof *all);
    rf_history copy;
    rf_history_init(&all->history, LENGTH, start);
    all->newest = all->seqs[0] = start;
    for (int i = 0; i < STEPS; i++) {
        bool jump = next_random(&state) % gap == 0;
        advance(all, mem, all->newest + 1 + (jump ? 1 + next_random(&state) % 60 : 0));
        check_all(all);
        if (i % 700 == 699) {
            uint32_t cut = rf_history_oldest(&all->history);
            rf_history_renumber(&all->history, cut);
            all->cut += cut;
            check_all(all);
        }
    }
    ck_assert_uint_le(all->history.jump_capacity, 2 * LENGTH);
    ck_assert(rf_history_copy(&copy, &all->history, mem));
    for (uint64_t seq = all->newest - LENGTH; seq <= all->newest; seq++)
        ck_assert_uint_eq(rf_history_after(&copy, seq), rf_history_after(&all->history, seq));
    rf_history_free(&copy, mem);
    rf_history_free(&all->history, mem);
    free(all);
}

START_TEST(knows_the_revision_of_each_seq) {
    static const unsigned gaps[] = {1, 2, 7, 100, 1000000};
    rf_mem mem = {.allocator = rf_allocator_default()};
    for (size_t i = 0; i < sizeof gaps / sizeof *gaps; i++) check_history(&mem, gaps[i], i * 1000);
    ck_assert_uint_eq(mem.used, 0);
}
END_TEST

START_TEST(nothing_is_kept_where_every_seq_is_the_next) {
    rf_mem mem = {.allocator = rf_allocator_default()};
    check_history(&mem, 1u << 31, 5);
    ck_assert_uint_eq(mem.used, 0);
}
END_TEST

// Without memory it remembers less, and says so.
START_TEST(forgets_when_memory_runs_out) {
    test_memory memory = {0};
    rf_mem mem = {.allocator = test_allocator(&memory)};
    all_seqs *all = calloc(1, sizeof *all);
    rf_history_init(&all->history, LENGTH, 0);
    for (int i = 0; i < 300; i++) {
        memory.fail_at = i % 9 == 0 ? 1 : 0;
        advance(all, &mem, all->newest + 1 + (uint64_t)(i % 3 == 0));
        check_all(all);
    }
    ck_assert_uint_gt(all->history.forgotten, 0);
    rf_history_free(&all->history, &mem);
    ck_assert_int_eq(memory.blocks, 0);
    free(all);
}
END_TEST

static void add(TCase *tests) {
    tcase_add_test(tests, knows_the_revision_of_each_seq);
    tcase_add_test(tests, nothing_is_kept_where_every_seq_is_the_next);
    tcase_add_test(tests, forgets_when_memory_runs_out);
}

int main(void) {
    return run_tests("history", add);
}
