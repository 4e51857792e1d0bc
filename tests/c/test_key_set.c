// Sets of keys for objects inside objects, against a plain search.
#include "core/base/key_set.h"
#include "support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct open_object {
    rf_str keys[400];
    size_t count;
} open_object;

static void free_keys(const open_object *level) {
    for (size_t i = 0; i < level->count; i++) free((void *)(uintptr_t)level->keys[i].data);
}

START_TEST(finds_what_a_plain_search_finds) {
    static char names[2000][8];
    uint64_t state = 17;
    rf_key_set set;
    rf_key_set_init(&set, rf_allocator_default(), 42);
    for (int round = 0; round < 300; round++) {
        open_object levels[8];
        size_t depth = 0;
        rf_key_set_reset(&set);
        for (int step = 0; step < 800; step++) {
            unsigned what = (unsigned)(next_random(&state) % 100);
            if (depth == 0 || (what < 2 && depth < 8)) {
                rf_key_set_push(&set);
                levels[depth++].count = 0;
            } else if (what < 4) {
                rf_key_set_pop(&set);
                free_keys(&levels[--depth]);
            } else if (levels[depth - 1].count < 400) {
                char *name = names[next_random(&state) % 2000];
                size_t at = 0, len = (size_t)sprintf(name, "%u", (unsigned)(next_random(&state) % 300));
                rf_status status;
                rf_str key = {name, len};
                char *copy = malloc(len + 1);
                memcpy(copy, name, len + 1);
                key.data = copy; // it must stay where it is
                while (at < levels[depth - 1].count && !(levels[depth - 1].keys[at].len == len &&
                                                         memcmp(levels[depth - 1].keys[at].data, copy, len) == 0))
                    at++;
                status = rf_key_set_add(&set, key);
                REQUIRE((status == RF_DUPLICATE_KEY) == (at < levels[depth - 1].count));
                if (status == RF_OK)
                    levels[depth - 1].keys[levels[depth - 1].count++] = key;
                else
                    free(copy);
            }
        }
        while (depth > 0) free_keys(&levels[--depth]);
    }
    rf_key_set_free(&set);
}
END_TEST

START_TEST(survives_every_failing_allocation) {
    bool done = false;
    for (long n = 1; !done; n++) {
        test_memory memory = {.fail_at = n};
        static char names[200][8];
        rf_key_set set;
        done = true;
        rf_key_set_init(&set, test_allocator(&memory), 1);
        rf_key_set_push(&set);
        for (int i = 0; i < 200 && done; i++) {
            rf_str key = {names[i], (size_t)sprintf(names[i], "k%d", i)};
            rf_status status = rf_key_set_add(&set, key);
            ck_assert(status == RF_OK || status == RF_NO_MEMORY);
            done = status == RF_OK;
        }
        rf_key_set_free(&set);
        ck_assert_int_eq(memory.blocks, 0);
    }
}
END_TEST

static void add(TCase *tests) {
    tcase_add_test(tests, finds_what_a_plain_search_finds);
    tcase_add_test(tests, survives_every_failing_allocation);
}

int main(void) {
    return run_tests("key_set", add);
}
