// The input of the port program, split into frames (c_src/port/frames.c): however the bytes are cut into reads, the
// same frames come out; memory grows with the bytes that came, not with what they announce, and is given back.
#include "port/big_endian.h"
#include "port/frames.h"
#include "support.h"

#include <stdlib.h>
#include <string.h>

#define READ ((size_t)64 << 10) // what one read has room for, at least
#define LIMIT ((size_t)4 << 20)

// What frames.c writes answers with needs Erlang's library ei. No answer is written here.
bool port_reserve(port_answer *answer, size_t count) {
    (void)answer, (void)count;
    return false;
}

void port_put_version(port_answer *answer) {
    (void)answer;
}

// ---- a stream of frames -----------------------------------------------------------------------------

typedef struct stream {
    char *bytes;
    size_t len, sent;
    uint32_t frames, found;
} stream;

static char byte_of(uint32_t call, size_t at) {
    return (char)(call * 31 + at * 7 + at / 251);
}

// Adds a frame with so many bytes behind its length, at least 4.
static void add_frame(stream *s, size_t len) {
    char *at;
    s->bytes = realloc(s->bytes, s->len + 4 + len);
    at = s->bytes + s->len;
    port_store_u32(at, (uint32_t)len);
    port_store_u32(at + 4, s->frames);
    for (size_t i = 0; i < len - 4; i++) at[8 + i] = byte_of(s->frames, i);
    s->len += 4 + len;
    s->frames++;
}

static bool is_next(const stream *s, const port_frame *frame, size_t len) {
    if (frame->call != s->found || frame->term.len != len - 4) return false;
    for (size_t i = 0; i < frame->term.len; i++)
        if (frame->term.data[i] != byte_of(s->found, i)) return false;
    return true;
}

// One read, of at most `most` bytes, and all frames that are complete then. `at`: where in the stream the next frame
// is.
static void read_once(port_input *input, stream *s, size_t most, size_t *at) {
    size_t room, waiting = s->sent - *at, count = s->len - s->sent;
    char *to = port_input_room(input, &room);
    port_frame frame;
    REQUIRE(to && room >= (input->limit < READ - 4 ? input->limit + 4 : READ));
    REQUIRE(input->capacity <= ((size_t)1 << 20) || input->capacity <= 2 * waiting + READ || waiting > 0);
    if (count > room) count = room;
    if (count > most) count = most;
    memcpy(to, s->bytes + s->sent, count);
    port_input_came(input, count);
    s->sent += count;
    for (;;) {
        size_t left = s->sent - *at, len = left >= 4 ? port_load_u32(s->bytes + *at) : 0;
        port_next next = port_input_next(input, &frame);
        if (left < 4 || left < 4 + len) {
            REQUIRE(next == PORT_MORE);
            break;
        }
        REQUIRE(next == PORT_FRAME && is_next(s, &frame, len));
        *at += 4 + len;
        s->found++;
    }
}

// Bytes of each read: at most `most`, or a random number of them.
static void read_all(stream *s, size_t most, uint64_t *state) {
    port_input input = {.limit = LIMIT};
    size_t at = 0;
    s->sent = 0;
    s->found = 0;
    while (s->sent < s->len) read_once(&input, s, state ? 1 + (size_t)(next_random(state) % most) : most, &at);
    ck_assert_uint_eq(s->found, s->frames);
    port_input_free(&input);
}

static void read_in_many_ways(stream *s) {
    static const size_t reads[] = {READ - 5, READ - 4, READ - 3, READ - 1, READ,
                                   READ + 1, READ + 4, READ + 5, SIZE_MAX};
    uint64_t state = 5;
    for (size_t i = 0; i < sizeof reads / sizeof *reads; i++) read_all(s, reads[i], NULL);
    for (int i = 0; i < 3; i++) read_all(s, 2 * READ, &state);
    free(s->bytes);
}

// ---- tests ------------------------------------------------------------------------------------------

START_TEST(small_frames_by_the_byte) {
    stream s = {0};
    for (size_t len = 4; len < 60; len++) add_frame(&s, len);
    for (size_t most = 1; most < 130; most++) read_all(&s, most, NULL);
    free(s.bytes);
}
END_TEST

// The second frame begins at each byte around the end of a read, so that its length is cut, too, or its call.
START_TEST(frames_that_end_about_where_a_read_does) {
    for (size_t len = READ - 20; len <= READ + 12; len++) {
        stream s = {0};
        add_frame(&s, len);
        for (int i = 0; i < 3; i++) add_frame(&s, 40);
        add_frame(&s, 2 * READ);
        add_frame(&s, 4);
        read_in_many_ways(&s);
    }
}
END_TEST

START_TEST(frames_longer_than_a_read) {
    stream s = {0};
    for (size_t factor = 2; factor <= 20; factor += 3) {
        add_frame(&s, factor * READ - 4);
        add_frame(&s, factor * READ + 1);
        add_frame(&s, 5);
    }
    read_in_many_ways(&s);
}
END_TEST

START_TEST(random_frames_in_random_reads) {
    uint64_t state = 77;
    for (int round = 0; round < 30; round++) {
        stream s = {0};
        while (s.len < 30 * READ) {
            size_t most = next_random(&state) % 8 == 0 ? 3 * READ : 300;
            add_frame(&s, 4 + (size_t)(next_random(&state) % most));
        }
        read_all(&s, SIZE_MAX, NULL);
        read_all(&s, 1000 + (size_t)(next_random(&state) % (4 * READ)), &state);
        free(s.bytes);
    }
}
END_TEST

static port_next next_of(port_input *input, const void *bytes, size_t len) {
    port_frame frame;
    size_t room;
    char *to = port_input_room(input, &room);
    ck_assert_ptr_nonnull(to);
    ck_assert_uint_ge(room, len);
    memcpy(to, bytes, len);
    port_input_came(input, len);
    return port_input_next(input, &frame);
}

START_TEST(lengths_at_their_limits) {
    static const size_t limits[] = {1024, READ - 5, READ - 4, READ - 3, READ, LIMIT, PORT_LIMIT_MAX};
    for (size_t i = 0; i < sizeof limits / sizeof *limits; i++) {
        for (size_t len = 0; len < 5; len++) {
            port_input input = {.limit = limits[i]};
            char head[8] = {0};
            port_store_u32(head, (uint32_t)len);
            ck_assert_int_eq(next_of(&input, head, 8), len < 4 ? PORT_TOO_SHORT : PORT_FRAME);
            port_input_free(&input);
        }
        for (size_t more = 0; more < 2; more++) {
            port_input input = {.limit = limits[i]};
            char head[4];
            port_store_u32(head, (uint32_t)(limits[i] + more));
            ck_assert_int_eq(next_of(&input, head, 3), PORT_MORE);
            ck_assert_int_eq(next_of(&input, head + 3, 1), more ? PORT_TOO_LONG : PORT_MORE);
            port_input_free(&input);
        }
    }
}
END_TEST

// The highest byte of a length is alone at the end of a read. (It is 0 below 16 MB.)
START_TEST(a_single_byte_waits) {
    static const char first[] = {0, 0, 0, 4, 0, 0, 0, 7, 1}, rest[] = {0, 0, 0};
    port_input input = {.limit = LIMIT};
    port_frame frame;
    ck_assert_int_eq(next_of(&input, first, sizeof first), PORT_FRAME);
    ck_assert_int_eq(port_input_next(&input, &frame), PORT_MORE);
    ck_assert_int_eq(next_of(&input, rest, sizeof rest), PORT_TOO_LONG);
    port_input_free(&input);
}
END_TEST

// Where no frame may be as long as a read, a read is no longer.
START_TEST(a_low_limit_takes_little_memory) {
    for (size_t limit = 1024; limit < READ + 10; limit += limit < READ - 1000 ? 1000 : 1) {
        port_input input = {.limit = limit};
        size_t room;
        ck_assert_ptr_nonnull(port_input_room(&input, &room));
        ck_assert_uint_eq(room, limit + 4 < READ ? limit + 4 : READ);
        ck_assert_uint_eq(input.capacity, room);
        port_input_free(&input);
    }
}
END_TEST

START_TEST(what_is_announced_takes_no_memory) {
    port_input input = {.limit = PORT_LIMIT_MAX};
    char head[4];
    size_t room, came = 4;
    port_store_u32(head, (uint32_t)PORT_LIMIT_MAX);
    ck_assert_int_eq(next_of(&input, head, 4), PORT_MORE);
    while (came < 10 * READ) {
        ck_assert_ptr_nonnull(port_input_room(&input, &room));
        ck_assert_uint_le(input.capacity, 2 * came + READ);
        memset(input.bytes + input.end, 0, 1000);
        port_input_came(&input, 1000);
        came += 1000;
    }
    port_input_free(&input);
    ck_assert(!input.bytes && input.capacity == 0 && input.start == 0 && input.end == 0);
}
END_TEST

// What a long frame took is given back when nothing waits any more; what is moderate is kept.
START_TEST(memory_is_given_back) {
    static const size_t lens[] = {LIMIT, LIMIT / 2, 100};
    for (size_t i = 0; i < sizeof lens / sizeof *lens; i++) {
        stream s = {0};
        port_input input = {.limit = LIMIT};
        size_t at = 0, room, before;
        add_frame(&s, lens[i]);
        while (s.sent < s.len) read_once(&input, &s, SIZE_MAX, &at);
        before = input.capacity;
        ck_assert_uint_ge(before, lens[i]);
        ck_assert_ptr_nonnull(port_input_room(&input, &room));
        ck_assert_uint_eq(input.capacity, i < 2 ? READ : before);
        port_input_free(&input);
        free(s.bytes);
    }
}
END_TEST

// A piece of the next frame waits: that stays.
START_TEST(nothing_that_waits_is_given_back) {
    stream s = {0};
    port_input input = {.limit = LIMIT};
    size_t at = 0;
    add_frame(&s, LIMIT);
    add_frame(&s, 100);
    s.len -= 50;
    while (s.sent < s.len) read_once(&input, &s, SIZE_MAX, &at);
    s.len += 50;
    while (s.sent < s.len) read_once(&input, &s, 1, &at);
    ck_assert_uint_eq(s.found, 2);
    port_input_free(&input);
    free(s.bytes);
}
END_TEST

static void add(TCase *tests) {
    tcase_add_test(tests, small_frames_by_the_byte);
    tcase_add_test(tests, frames_that_end_about_where_a_read_does);
    tcase_add_test(tests, frames_longer_than_a_read);
    tcase_add_test(tests, random_frames_in_random_reads);
    tcase_add_test(tests, lengths_at_their_limits);
    tcase_add_test(tests, a_single_byte_waits);
    tcase_add_test(tests, a_low_limit_takes_little_memory);
    tcase_add_test(tests, what_is_announced_takes_no_memory);
    tcase_add_test(tests, memory_is_given_back);
    tcase_add_test(tests, nothing_that_waits_is_given_back);
}

int main(void) {
    return run_tests("port_frames", add);
}
