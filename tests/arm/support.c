// support.c: the part of tests/c/support.c that the tests of hits need, without libraries.
#include "support.h"

int run_tests(const char *name, void (*add)(TCase *)) {
    TCase tests = {0};
    printf("%s, best path: %s\n", name, rf_simd_name(rf_simd_best()));
    add(&tests);
    printf("%s: %d tests passed\n", name, tests.tests);
    return 0;
}

uint64_t next_random(uint64_t *state) {
    *state ^= *state >> 12;
    *state ^= *state << 25;
    *state ^= *state >> 27;
    return *state * UINT64_C(2685821657736338717);
}
