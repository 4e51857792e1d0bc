// Frames of events that need no draft (wire_events_plain.c) fold as the same events do that need one. A seq that is
// given, or said to be none, makes an event of the second kind, and says no more than an event without.
#include "core/schema/schema_state.h"
#include "core/world/world_state.h"
#include "support.h"

#include <stdlib.h>
#include <string.h>

enum { TEXTS = 150, EVENTS = 200, FRAMES = 40, STREAMS = 60, HANDLES = 90, COLUMNS = 9, NUMBERS = 6 };

// Two components of 12 and 16 bytes, which have loops of their own, other numbers, and what is no number; the last two
// have masks of two bytes. The first %s: of 12 and 16 bytes, the second: of binary64.
static const char schema_format[] =
    "{\"format\":\"roomfold-schema\",\"version\":1,\"components\":["
    "{\"name\":\"position\",\"type\":\"f32\",\"count\":3%s},{\"name\":\"rotation\",\"type\":\"f32\",\"count\":4%s},"
    "{\"name\":\"exact\",\"type\":\"f64\",\"count\":2%s},{\"name\":\"speed\",\"type\":\"f32\"},"
    "{\"name\":\"spin\",\"type\":\"f32\",\"count\":4%s},{\"name\":\"health\",\"type\":\"i64\"},"
    "{\"name\":\"alive\",\"type\":\"bool\"},{\"name\":\"far\",\"type\":\"f32\",\"count\":2},"
    "{\"name\":\"label\",\"type\":\"string\"}]}";
#define STEPS ",\"quantise\":{\"step\":0.001,\"min\":-100,\"max\":100}"
#define BITS ",\"quantise\":{\"bits\":10}"

static const char *const quantised[][4] = {
    {"", "", "", ""}, {STEPS, BITS, STEPS, BITS}, {STEPS, "", "", BITS}, {"", BITS, STEPS, ""}};

static rf_world *new_world(unsigned kind, uint32_t most, uint64_t seq) {
    rf_world_def def = rf_world_def_default();
    rf_world *world;
    char text[2048];
    const char *const *q = quantised[kind];
    int len = snprintf(text, sizeof text, schema_format, q[0], q[1], q[2], q[3]);
    def.max_entities = most;
    def.history = 300;
    def.seq = seq;
    ck_assert_int_eq(rf_schema_from_json(rf_allocator_default(), (rf_str){text, (size_t)len}, &def.schema, NULL),
                     RF_OK);
    ck_assert_int_eq(rf_world_new(&def, &world), RF_OK);
    rf_schema_release(def.schema);
    return world;
}

static rf_str encoded(const rf_world *world, bool diff, uint64_t from) {
    uint8_t *bytes;
    size_t len;
    REQUIRE(rf_encode_packed(world, diff, from, 0, rf_allocator_default(), &bytes, &len) == RF_OK);
    return (rf_str){(char *)bytes, len};
}

static void drop(rf_str frame) {
    free((char *)(uintptr_t)frame.data);
}

static bool same(rf_str a, rf_str b) {
    return a.len == b.len && memcmp(a.data, b.data, a.len) == 0;
}

// ---- frames -----------------------------------------------------------------------------------------

typedef struct writer {
    uint8_t *bytes, *to;
    uint64_t state; // of the generator
    uint64_t seq;   // of the next event, if none is given; 0: none
    uint64_t texts;
    unsigned handles; // that somebody may have
    uint32_t mask;    // of the last events
    bool longer;      // say all seqs
} writer;

static unsigned below(writer *w, unsigned count) {
    return (unsigned)(next_random(&w->state) % count);
}

static void put(writer *w, const void *bytes, size_t len) {
    if (len > 0) memcpy(w->to, bytes, len);
    w->to += len;
}

static void put_u8(writer *w, unsigned byte) {
    *w->to++ = (uint8_t)byte;
}

static void put_varint(writer *w, uint64_t number) {
    for (; number >= 0x80; number >>= 7) put_u8(w, (unsigned)(number & 0x7f) | 0x80);
    put_u8(w, (unsigned)number);
}

// Names of 1 to 3 bytes, and of lengths at the limits of an id and of what an entity keeps of it in place.
static void put_texts(writer *w) {
    static const unsigned lens[] = {0, RF_NAME_MAX + 1, RF_NAME_MAX, 15, 16, 14};
    put_varint(w, w->texts);
    for (unsigned i = 0; i < w->texts; i++) {
        unsigned len = i < 6 ? lens[i] : 2;
        put_varint(w, len);
        memset(w->to, 'a', len);
        if (len == 2) w->to[0] = (uint8_t)(1 + i / 100), w->to[1] = (uint8_t)(1 + i % 100);
        w->to += len;
    }
}

// One of a few numbers, so that many are there already.
static void put_numbers(writer *w, unsigned count, bool wide) {
    static const double numbers[NUMBERS] = {0, -0.0, 1, 0.5, -0.25, 1000};
    for (unsigned i = 0; i < count; i++) {
        double number = numbers[below(w, i == 0 ? NUMBERS : 2)];
        float narrow = (float)number;
        put(w, wide ? (const void *)&number : (const void *)&narrow, wide ? sizeof number : sizeof narrow);
    }
}

static void put_values(writer *w, uint32_t mask) {
    static const unsigned counts[COLUMNS] = {3, 4, 2, 1, 4, 0, 0, 2, 0};
    for (unsigned i = 0; i < COLUMNS; i++) {
        if (!(mask >> i & 1)) continue;
        if (counts[i] > 0)
            put_numbers(w, counts[i], i == 2);
        else if (i == 8)
            put(w, "\2hi", 3);
        else
            put_u8(w, below(w, 2));
    }
}

static uint64_t some_entity(writer *w) {
    switch (below(w, 40)) {
    case 0:
        return w->texts + w->handles + below(w, 1000); // nobody has had this handle
    case 1:
        return below(w, 2) ? (1u << 21) - 1 + below(w, 3) : UINT32_MAX;
    case 2:
    case 3:
        return below(w, 6);
    default:
        return below(w, 2) ? below(w, (unsigned)w->texts) : w->texts + below(w, w->handles);
    }
}

static uint32_t some_mask(writer *w) {
    static const uint32_t often[] = {1, 2, 3, 16, 4, 8, 19, 31, 5, 12, 128, 131};
    switch (below(w, 12)) {
    case 0:
        return below(w, 1 << COLUMNS);
    case 1:
        return 0;
    default:
        return often[below(w, sizeof often / sizeof *often)];
    }
}

// The event's seq is what the last one's says, or, once in a while, another one.
static void put_tag(writer *w, unsigned tag) {
    unsigned jump = below(w, 200);
    uint64_t seq = w->seq;
    if (jump == 0) seq += below(w, 20);
    if (jump == 1 && seq > 10) seq -= below(w, 10);
    if (jump > 195) seq = 0;
    bool say = w->longer || seq != w->seq;
    put_u8(w, tag | (!say ? 0u : seq > 0 ? 4u : 8u));
    if (say && seq > 0) put_varint(w, seq);
    w->seq = seq > 0 ? seq + 1 : 0;
}

static void put_event(writer *w) {
    unsigned kind = below(w, 20), op = kind < 14 ? 1 : kind < 17 ? 0 : 2;
    bool fields = below(w, 40) == 0;
    put_tag(w, op | (fields ? 32u : 0));
    put_varint(w, some_entity(w));
    if (op != 2) {
        if (below(w, 6) == 0) w->mask = some_mask(w);
        put_varint(w, w->mask);
        put_values(w, w->mask);
    }
    if (fields) put(w, "\1\6\0", 3); // one that nobody knows
}

// A frame of random events. The same state gives the same events, longer or not.
static rf_str random_frame(const rf_world *world, uint64_t state, bool longer) {
    writer w = {.bytes = malloc(64 * 1024), .state = state, .texts = TEXTS, .mask = 3, .longer = longer};
    w.handles = rf_world_count(world) < HANDLES ? HANDLES : rf_world_count(world);
    w.to = w.bytes;
    put_u8(&w, 0x13);
    put_varint(&w, rf_world_seq(world) - (rf_world_seq(world) > rf_world_start(world) + 20 ? below(&w, 20) : 0));
    w.seq = below(&w, 3) > 0 ? 0 : rf_world_seq(world) + 1 + (below(&w, 4) == 0 ? below(&w, 5) : 0);
    put_varint(&w, w.seq);
    put_u8(&w, world->schema->tag);
    put_texts(&w);
    put_varint(&w, EVENTS);
    for (unsigned i = 0; i < EVENTS; i++) put_event(&w);
    return (rf_str){(char *)w.bytes, (size_t)(w.to - w.bytes)};
}

// ---- two worlds -------------------------------------------------------------------------------------

static rf_status fold_frame(rf_world *world, rf_str frame, size_t slice, rf_report *report, rf_error *error) {
    rf_packed_batch batch = {.frame = frame};
    rf_status status;
    rf_fold *fold;
    rf_report_init(report, rf_allocator_default());
    status = rf_fold_new(world, report, &fold);
    while (status == RF_OK && !batch.done) status = rf_fold_packed(fold, &batch, slice, error);
    rf_fold_free(fold);
    return status;
}

static bool same_report(const rf_report *a, const rf_report *b) {
    bool out = a->folded == b->folded && a->orphaned == b->orphaned && a->stale == b->stale && a->gaps == b->gaps &&
               a->rejected_count == b->rejected_count;
    for (uint32_t i = 0; i < a->rejected_len && out; i++)
        out = a->rejected[i].index == b->rejected[i].index && a->rejected[i].status == b->rejected[i].status;
    return out;
}

// Also who has changed at all.
static bool same_changes(const rf_world *a, const rf_world *b, uint64_t from) {
    rf_diff *one, *two;
    rf_change change, other;
    bool more, out = true;
    REQUIRE(rf_diff_new(a, from, &one) == RF_OK && rf_diff_new(b, from, &two) == RF_OK);
    do {
        more = rf_diff_next(one, &change);
        out = rf_diff_next(two, &other) == more;
        if (out && more) out = change.kind == other.kind && same(change.id, other.id);
    } while (out && more);
    rf_diff_free(one);
    rf_diff_free(two);
    return out;
}

static bool same_worlds(const rf_world *a, const rf_world *b) {
    uint64_t seq = rf_world_seq(a), back = seq - rf_world_start(a) < 300 ? seq - rf_world_start(a) : 300;
    rf_str one = encoded(a, false, 0), two = encoded(b, false, 0);
    bool out = rf_world_seq(b) == seq && rf_world_memory(a) == rf_world_memory(b) && same(one, two);
    drop(one);
    drop(two);
    for (uint64_t from = seq - back; from < seq && out; from += 29) {
        one = encoded(a, true, from), two = encoded(b, true, from);
        out = same(one, two) && same_changes(a, b, from);
        drop(one);
        drop(two);
    }
    return out;
}

// Folds the same random events into both, which are alike. Returns how many there were.
static uint64_t fold_both(rf_world *plain, rf_world *slow, uint64_t seed, size_t slice) {
    rf_str frame = random_frame(plain, seed, false), longer = random_frame(slow, seed, true);
    rf_report one, two;
    rf_error error = {0}, other = {0};
    rf_status status = fold_frame(plain, frame, slice, &one, &error);
    uint64_t folded = one.folded;
    REQUIRE_MSG(fold_frame(slow, longer, SIZE_MAX, &two, &other) == status, "seed %llu", (unsigned long long)seed);
    REQUIRE_MSG(same_report(&one, &two) && same_worlds(plain, slow), "seed %llu", (unsigned long long)seed);
    rf_report_free(&one);
    rf_report_free(&two);
    drop(frame);
    drop(longer);
    return folded;
}

START_TEST(plain_events_fold_like_others) {
    uint64_t folded = 0;
    for (uint64_t stream = 0; stream < STREAMS; stream++) {
        const uint32_t most = stream % 3 == 0 ? 20 : 1000; // some worlds are full at times
        rf_world *plain = new_world(stream % 4, most, 0), *slow = new_world(stream % 4, most, 0);
        for (uint64_t i = 0; i < FRAMES; i++)
            folded += fold_both(plain, slow, stream * FRAMES + i + 1, i % 3 == 0 ? SIZE_MAX : 1 + i * 5);
        rf_world_free(plain);
        rf_world_free(slow);
    }
    ck_assert_uint_gt(folded, (uint64_t)STREAMS * FRAMES * EVENTS / 2);
}
END_TEST

// Seqs end at RF_SEQ_MAX.
START_TEST(the_last_seqs_are_taken_alike) {
    for (uint64_t left = 0; left < 2 * EVENTS; left += 13) {
        rf_world *plain = new_world(0, 1000, RF_SEQ_MAX - left), *slow = new_world(0, 1000, RF_SEQ_MAX - left);
        for (uint64_t i = 1; i <= 4; i++) fold_both(plain, slow, left * 4 + i, SIZE_MAX);
        rf_world_free(plain);
        rf_world_free(slow);
    }
}
END_TEST

// Revisions run out within a frame, and are renumbered.
START_TEST(the_last_revisions_are_taken_alike) {
    for (uint32_t left = 0; left < EVENTS; left += 7) {
        rf_world *worlds[2] = {new_world(1, 1000, 0), new_world(1, 1000, 0)};
        for (int i = 0; i < 2; i++)
            worlds[i]->history.revision = worlds[i]->history.first.revision = UINT32_MAX - 2 * EVENTS - left;
        for (uint64_t i = 1; i <= 6; i++) fold_both(worlds[0], worlds[1], left * 6 + i, SIZE_MAX);
        ck_assert_uint_lt(worlds[0]->history.revision, 8 * EVENTS);
        rf_world_free(worlds[0]);
        rf_world_free(worlds[1]);
    }
}
END_TEST

// Memory is prefetched for the events ahead in a large world, wherever they are taken to be.
START_TEST(large_worlds) {
    rf_world *worlds[2] = {new_world(1, 10000, 0), new_world(1, 10000, 0)};
    for (int i = 0; i < 2; i++) {
        rf_packed_batch batch = {0};
        writer w = {.bytes = malloc(512 * 1024), .texts = 5000};
        rf_report report;
        w.to = w.bytes;
        put(&w, (const uint8_t[]){0x13, 0, 0, worlds[i]->schema->tag}, 4);
        put_varint(&w, w.texts);
        for (unsigned k = 0; k < w.texts; k++) put(&w, (const uint8_t[]){2, 3 + k / 100, k % 100}, 3);
        put_varint(&w, w.texts);
        for (unsigned k = 0; k < w.texts; k++) {
            put_u8(&w, 0);
            put_varint(&w, k);
            put_varint(&w, 3);
            memset(w.to, 0, 28);
            w.to += 28;
        }
        batch.frame = (rf_str){(char *)w.bytes, (size_t)(w.to - w.bytes)};
        ck_assert_int_eq(fold_frame(worlds[i], batch.frame, SIZE_MAX, &report, NULL), RF_OK);
        ck_assert_uint_eq(rf_world_count(worlds[i]), 5000);
        drop(batch.frame);
    }
    for (uint64_t i = 1; i <= 20; i++) fold_both(worlds[0], worlds[1], i, SIZE_MAX);
    rf_world_free(worlds[0]);
    rf_world_free(worlds[1]);
}
END_TEST

// ---- handles ----------------------------------------------------------------------------------------

// Folds these events, which know the world at a seq; returns how many were about nobody.
static uint64_t orphaned(rf_world *world, uint64_t known, const char *events, size_t len, unsigned count) {
    writer w = {.bytes = malloc(1024)};
    rf_report report;
    w.to = w.bytes;
    put(&w, (const uint8_t[]){0x13, (uint8_t)known, 0, world->schema->tag}, 4);
    put(&w, "\2\1a\1b", 5); // two texts
    put_varint(&w, count);
    put(&w, events, len);
    ck_assert_int_eq(fold_frame(world, (rf_str){(char *)w.bytes, (size_t)(w.to - w.bytes)}, SIZE_MAX, &report, NULL),
                     RF_OK);
    ck_assert_uint_eq(report.folded, count);
    free(w.bytes);
    return report.orphaned;
}
#define ORPHANED(known, count, events) orphaned(world, known, events, sizeof(events) - 1, count)
#define SPEED "\x08\0\0\x80\x3f" // a mask and its number

// A handle is whose it was at the seq that the frame knows, and nobody's if that one was created since: even by the
// next event, and by one of the same frame.
START_TEST(a_handle_is_whose_it_was) {
    rf_world *world = new_world(0, 1000, 0);
    ck_assert_uint_eq(ORPHANED(0, 1, "\0\0" SPEED), 0);              // a, with handle 0
    ck_assert_uint_eq(ORPHANED(1, 2, "\0\1" SPEED "\1\3" SPEED), 1); // b, with handle 1
    ck_assert_uint_eq(ORPHANED(1, 1, "\1\3" SPEED), 1);
    ck_assert_uint_eq(ORPHANED(1, 1, "\2\3"), 1);
    ck_assert_uint_eq(ORPHANED(1, 1, "\1\2" SPEED), 0);
    ck_assert_uint_eq(ORPHANED(2, 1, "\1\3" SPEED), 0);
    ck_assert_uint_eq(ORPHANED(2, 3, "\2\2\0\0" SPEED "\1\2" SPEED), 1); // a anew, with handle 0 again
    ck_assert_uint_eq(rf_world_find(world, STR("a")).handle1, 1);
    ck_assert_uint_eq(ORPHANED(2, 2, "\1\2" SPEED "\2\2"), 2);
    ck_assert_uint_eq(ORPHANED(8, 1, "\2\2"), 1); // the seq of the delete
    ck_assert_uint_eq(ORPHANED(9, 2, "\2\2\1\0" SPEED), 1);
    ck_assert_uint_eq(rf_world_count(world), 1);
    rf_world_free(world);
}
END_TEST

static void add(TCase *tests) {
    tcase_add_test(tests, plain_events_fold_like_others);
    tcase_add_test(tests, the_last_seqs_are_taken_alike);
    tcase_add_test(tests, the_last_revisions_are_taken_alike);
    tcase_add_test(tests, large_worlds);
    tcase_add_test(tests, a_handle_is_whose_it_was);
}

int main(void) {
    return run_tests("wire_events_plain", add);
}
