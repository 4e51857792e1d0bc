// support.h: shared by the C tests.
#ifndef TESTS_SUPPORT_H
#define TESTS_SUPPORT_H

#include <check.h>
#include <jansson.h>
#include <roomfold/roomfold.h>

#define STR(literal) ((rf_str){(literal), sizeof(literal) - 1})

// An assertion for code that runs a million times (ck_assert reports its position to the runner each time), or without
// a runner.
#define REQUIRE(condition) REQUIRE_MSG(condition, "%s", #condition)
#define REQUIRE_MSG(condition, ...)                                                                                    \
    do {                                                                                                               \
        if (!(condition)) ck_abort_msg(__VA_ARGS__);                                                                   \
    } while (0)

// Runs a test case as a suite; returns main's exit code.
int run_tests(const char *name, void (*add)(TCase *));

// Reads a whole file, plain or .gz; data is NULL if it does not exist. Free it with free.
rf_str read_file(const char *path);

// malloc that fails the n-th allocation from now on (0: never) and all that follow, or only that one, and counts what
// is in use.
typedef struct test_memory {
    long fail_at, allocations, blocks;
    bool once, failed;
} test_memory;
rf_allocator test_allocator(test_memory *memory);

// A world with the default schema and the rules of priv/rules/doom.json.
rf_world *doom_world(rf_allocator allocator);
rf_rules *doom_rules(rf_allocator allocator, rf_schema *schema);

// Folds JSON text at once. The caller frees the report.
rf_report fold_text(rf_world *world, rf_str text);
rf_report fold_literal(rf_world *world, const char *text);

// The world, or one of its entities, as a jansson value; a binary32 as its exact double.
json_t *world_json(const rf_world *world);
json_t *entity_json(const rf_world *world, rf_entity entity);
json_t *diff_json(const rf_world *world, uint64_t from);
// Applies such a diff to such a snapshot.
void apply_json(json_t *snapshot, json_t *diff);

// What ROOMFOLD_ALL_FLOATS asks for: 1 is all of count, 3/64 the third of 64 parts. False: it is not set.
bool all_floats(uint64_t count, uint64_t *first, uint64_t *end);
// Whether it asks for a part: that test then runs alone, without a time limit.
bool floats_alone(TCase *tests);

// A random generator with the same numbers everywhere (xorshift64*).
uint64_t next_random(uint64_t *state);

// A new world with DOOM's rules, with or without quantised floats, to be encoded for receivers.
rf_world *doom_sender(bool quantised, uint32_t history);

#endif
