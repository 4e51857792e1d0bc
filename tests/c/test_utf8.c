// Well-formed UTF-8, against a decoder that does it the other way: decode first, then judge the number.
#include "core/base/utf8.h"

#include <roomfold/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support.h"

static uint64_t random_state = 88172645463325252;

static uint64_t random_bits(void) {
    return next_random(&random_state);
}

static uint32_t random_below(uint32_t limit) {
    return (uint32_t)((random_bits() >> 32) * limit >> 32);
}

// Bytes of the character at the start, 0 if it is ill-formed.
static size_t reference_sequence(const uint8_t *at, size_t left) {
    static const uint32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
    size_t size = at[0] < 0x80 ? 1 : at[0] >> 5 == 6 ? 2 : at[0] >> 4 == 14 ? 3 : at[0] >> 3 == 30 ? 4 : 0;
    uint32_t character = size == 1 ? at[0] : at[0] & (0x7fu >> size);
    if (size == 0 || size > left) return 0;
    for (size_t i = 1; i < size; i++) {
        if (at[i] >> 6 != 2) return 0;
        character = character << 6 | (at[i] & 0x3f);
    }
    if (size > 1 && character < smallest[size]) return 0;
    return character > 0x10ffff || (character >= 0xd800 && character <= 0xdfff) ? 0 : size;
}

static size_t reference_check(const uint8_t *bytes, size_t len) {
    size_t at = 0, size;
    while (at < len && (size = reference_sequence(bytes + at, len - at)) > 0) at += size;
    return at;
}

// In memory of exactly that size, so that reading beyond it is seen.
static size_t check(const uint8_t *bytes, size_t len) {
    char *copy = malloc(len > 0 ? len : 1);
    size_t out;
    REQUIRE(copy != NULL);
    memcpy(copy, bytes, len);
    out = rf_utf8_check((rf_str){.data = copy, .len = len});
    REQUIRE((rf_utf8_valid((rf_str){.data = copy, .len = len})) == (out == len));
    free(copy);
    return out;
}

static size_t sequence(const uint8_t *bytes, size_t len) {
    return rf_utf8_sequence((const char *)bytes, (const char *)bytes + len);
}

START_TEST(all_of_one_to_three_bytes) {
    uint8_t bytes[3];
    for (uint32_t i = 0; i < 1 << 24; i++) {
        bytes[0] = (uint8_t)(i >> 16);
        bytes[1] = (uint8_t)(i >> 8);
        bytes[2] = (uint8_t)i;
        for (size_t len = bytes[2] == 0 ? 1 : 3; len <= 3; len++)
            if (sequence(bytes, len) != reference_sequence(bytes, len)) ck_abort_msg("%06x, %zu bytes", i, len);
    }
}
END_TEST

START_TEST(four_bytes_at_every_edge) {
    static const uint8_t edges[] = {0x00, 0x22, 0x7f, 0x80, 0x81, 0x8f, 0x90, 0x9f,
                                    0xa0, 0xbe, 0xbf, 0xc0, 0xc2, 0xf0, 0xff};
    uint8_t bytes[4];
    for (uint32_t lead = 0; lead < 256; lead++)
        for (uint32_t second = 0; second < 256; second++)
            for (size_t i = 0; i < sizeof edges * sizeof edges; i++) {
                bytes[0] = (uint8_t)lead;
                bytes[1] = (uint8_t)second;
                bytes[2] = edges[i / sizeof edges];
                bytes[3] = edges[i % sizeof edges];
                if (sequence(bytes, 4) != reference_sequence(bytes, 4))
                    ck_abort_msg("%02x %02x %02x %02x", bytes[0], bytes[1], bytes[2], bytes[3]);
            }
}
END_TEST

START_TEST(every_character_of_four_bytes) {
    for (uint32_t character = 0x10000; character <= 0x10ffff; character++) {
        uint8_t bytes[] = {(uint8_t)(0xf0 | character >> 18), (uint8_t)(0x80 | (character >> 12 & 0x3f)),
                           (uint8_t)(0x80 | (character >> 6 & 0x3f)), (uint8_t)(0x80 | (character & 0x3f))};
        if (sequence(bytes, 4) != 4 || sequence(bytes, 3) != 0) ck_abort_msg("%x", character);
    }
}
END_TEST

START_TEST(empty_is_valid) {
    REQUIRE((rf_utf8_check((rf_str){.data = NULL, .len = 0})) == 0);
    REQUIRE(rf_utf8_valid((rf_str){.data = NULL, .len = 0}));
    REQUIRE(check((const uint8_t *)"", 0) == 0);
}
END_TEST

START_TEST(one_bad_byte_at_every_offset) {
    uint8_t bytes[64];
    for (size_t len = 1; len <= sizeof bytes; len++)
        for (size_t at = 0; at < len; at++) {
            memset(bytes, 'a', len);
            bytes[at] = 0xff;
            REQUIRE(check(bytes, len) == at);
            bytes[at] = 0xe2; // begins a character that does not come
            REQUIRE(check(bytes, len) == at);
            bytes[at] = 0x7f;
            REQUIRE(check(bytes, len) == len);
        }
}
END_TEST

START_TEST(random_bytes) {
    static const char *parts[] = {
        "a",        "12345678",     "\xc3\xa9", "\xe2\x82\xac", "\xf0\x9f\x98\x80", "\x80",
        "\xed\xa0", "\xed\x9f\xbf", "\xc0\xaf", "\xf4\x90",     "\xf4\x8f\xbf\xbf", "\xe0\xa0"};
    uint8_t bytes[256];
    for (int i = 0; i < 200000; i++) {
        size_t len = 0, count = random_below(20), valid = i % 4 ? 5 : sizeof parts / sizeof *parts;
        for (size_t part = 0; part < count; part++) {
            const char *chosen = parts[random_below((uint32_t)valid)];
            memcpy(bytes + len, chosen, strlen(chosen));
            len += strlen(chosen);
        }
        if (len > 0 && i % 3 == 0) bytes[random_below((uint32_t)len)] = (uint8_t)random_bits();
        REQUIRE(check(bytes, len) == reference_check(bytes, len));
    }
}
END_TEST

static void add(TCase *tests) {
    tcase_add_test(tests, all_of_one_to_three_bytes);
    tcase_add_test(tests, four_bytes_at_every_edge);
    tcase_add_test(tests, every_character_of_four_bytes);
    tcase_add_test(tests, empty_is_valid);
    tcase_add_test(tests, one_bad_byte_at_every_offset);
    tcase_add_test(tests, random_bytes);
}

int main(void) {
    return run_tests("utf8", add);
}
