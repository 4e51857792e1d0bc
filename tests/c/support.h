// support.h: what the C tests share.
#ifndef TESTS_SUPPORT_H
#define TESTS_SUPPORT_H

#include <check.h>
#include <jansson.h>
#include <roomfold/roomfold.h>

#define STR(literal) ((rf_str){(literal), sizeof(literal) - 1})

// For what is done a million times, and without a runner, too: ck_assert tells it where it is, each time.
#define REQUIRE(condition) REQUIRE_MSG(condition, "%s", #condition)
#define REQUIRE_MSG(condition, ...)                                                                                    \
    do {                                                                                                               \
        if (!(condition)) ck_abort_msg(__VA_ARGS__);                                                                   \
    } while (0)

// Runs one test case as a suite of its own; what main returns.
int run_tests(const char *name, void (*add)(TCase *));

// A whole file, plain or .gz; data is NULL if it is not there. Freed with free.
rf_str read_file(const char *path);

// malloc that fails the n-th allocation from now on (0: never), and counts what is in use.
typedef struct test_memory {
    long fail_at, allocations, blocks;
} test_memory;
rf_allocator test_allocator(test_memory *memory);

// A world with the default schema and the rules of priv/rules/doom.json.
rf_world *doom_world(rf_allocator allocator);
rf_rules *doom_rules(rf_allocator allocator, rf_schema *schema);

// Folds JSON text in one go; the report is the caller's.
rf_report fold_text(rf_world *world, rf_str text);
rf_report fold_literal(rf_world *world, const char *text);

// The world, or one of its entities, as jansson sees it; a binary32 as its exact double.
json_t *world_json(const rf_world *world);
json_t *entity_json(const rf_world *world, rf_entity entity);
json_t *diff_json(const rf_world *world, uint64_t from);
// Applies such a diff to such a snapshot.
void apply_json(json_t *snapshot, json_t *diff);

// What ROOMFOLD_ALL_FLOATS asks for: 1 is all of count, 3/64 the third of 64 parts. False: it is not set.
bool all_floats(uint64_t count, uint64_t *first, uint64_t *end);
// Whether it is a part, of a test that is to run alone then, for as long as it takes.
bool floats_alone(TCase *tests);

// A small generator: the same numbers everywhere (xorshift64*).
uint64_t next_random(uint64_t *state);

// A new world with DOOM's rules, whose floats are quantised or not, to be sent to others.
rf_world *doom_sender(bool quantised, uint32_t history);

#endif
