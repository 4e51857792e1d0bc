// check.h: the part of the library check that tests/c/test_hit.c and test_determinism.c need, for processors with a
// compiler and an emulator but no libraries (tools/arm). A failing test ends the program.
#ifndef TESTS_ARM_CHECK_H
#define TESTS_ARM_CHECK_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct TCase {
    int tests;
} TCase;

#define START_TEST(name) static void name(void)
#define END_TEST
// The geometry of pairs of shapes uses no SIMD, and would take an emulator a long time.
#define tcase_add_test(list, test)                                                                                     \
    do {                                                                                                               \
        if (strncmp(#test, "shapes_", 7) == 0) {                                                                       \
            printf("  left out: %s\n", #test);                                                                         \
            break;                                                                                                     \
        }                                                                                                              \
        (list)->tests++;                                                                                               \
        printf("  %s\n", #test);                                                                                       \
        fflush(stdout);                                                                                                \
        test();                                                                                                        \
    } while (0)

#define ck_abort_msg(...) (fprintf(stderr, "%s:%d: ", __FILE__, __LINE__), fprintf(stderr, __VA_ARGS__), exit(1))
#define ck_assert_msg(condition, ...)                                                                                  \
    do {                                                                                                               \
        if (!(condition)) ck_abort_msg(__VA_ARGS__);                                                                   \
    } while (0)
#define ck_assert(condition) ck_assert_msg(condition, "%s", #condition)
#define ck_assert_int_eq(a, b) ck_assert((a) == (b))
#define ck_assert_uint_eq(a, b) ck_assert((a) == (b))
#define ck_assert_uint_gt(a, b) ck_assert((a) > (b))
#define ck_assert_uint_lt(a, b) ck_assert((a) < (b))
#define ck_assert_double_eq(a, b) ck_assert((a) == (b))
#define ck_assert_mem_eq(a, b, len) ck_assert(memcmp(a, b, len) == 0)

#endif
