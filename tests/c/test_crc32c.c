// The log's checksums (c_src/log/crc32c.c): with the processor's instruction, where there is one, and by the tables
// that other machines use.
#include "log/crc32c.h"
#include "support.h"

#include <stdlib.h>
#include <string.h>

typedef uint32_t checksum(uint32_t sum, const void *bytes, size_t len);

static checksum *const both[] = {log_crc32c, log_crc32c_by_tables};

// Bit by bit, as CRC-32C is defined.
static uint32_t slow(uint32_t sum, const void *bytes, size_t len) {
    const unsigned char *at = bytes;
    sum = ~sum;
    for (size_t i = 0; i < len; i++) {
        sum ^= at[i];
        for (int bit = 0; bit < 8; bit++) sum = sum >> 1 ^ (sum & 1 ? 0x82F63B78u : 0);
    }
    return ~sum;
}

// RFC 3720, B.4, and the check value of the catalogue of CRCs.
START_TEST(known_values) {
    unsigned char zeros[32] = {0}, ones[32], up[32], down[32];
    memset(ones, 0xFF, sizeof ones);
    for (unsigned i = 0; i < 32; i++) up[i] = (unsigned char)i, down[i] = (unsigned char)(31 - i);
    log_crc32c_init();
    for (int i = 0; i < 2; i++) {
        ck_assert_uint_eq(both[i](0, "123456789", 9), 0xE3069283u);
        ck_assert_uint_eq(both[i](0, zeros, 32), 0x8A9136AAu);
        ck_assert_uint_eq(both[i](0, ones, 32), 0x62A8AB43u);
        ck_assert_uint_eq(both[i](0, up, 32), 0x46DD794Eu);
        ck_assert_uint_eq(both[i](0, down, 32), 0x113FDB5Cu);
        ck_assert_uint_eq(both[i](7, zeros, 0), 7);
    }
}
END_TEST

// Of any length, from any address, and continued.
START_TEST(any_bytes) {
    uint64_t state = 5;
    log_crc32c_init();
    for (size_t len = 0; len < 70; len++) {
        for (size_t from = 0; from < 8; from++) {
            // Of exactly so many bytes, so that a sanitizer sees one too far.
            unsigned char *bytes = malloc(from + len > 0 ? from + len : 1);
            uint32_t sum = len % 3 == 0 ? 0 : (uint32_t)next_random(&state), expected;
            for (size_t i = 0; i < from + len; i++) bytes[i] = (unsigned char)next_random(&state);
            expected = slow(sum, bytes + from, len);
            for (int i = 0; i < 2; i++) {
                size_t first = len / 3;
                REQUIRE(both[i](sum, bytes + from, len) == expected);
                REQUIRE(both[i](both[i](sum, bytes + from, first), bytes + from + first, len - first) == expected);
            }
            free(bytes);
        }
    }
}
END_TEST

START_TEST(numbers) {
    log_crc32c_init();
    ck_assert_uint_eq(log_crc32c_number(3, UINT64_C(0x0807060504030201)), slow(3, "\1\2\3\4\5\6\7\10", 8));
    ck_assert_uint_eq(log_crc32c_number(0, UINT64_MAX), slow(0, "\xff\xff\xff\xff\xff\xff\xff\xff", 8));
}
END_TEST

static void add(TCase *tests) {
    tcase_add_test(tests, known_values);
    tcase_add_test(tests, any_bytes);
    tcase_add_test(tests, numbers);
}

int main(void) {
    return run_tests("crc32c", add);
}
