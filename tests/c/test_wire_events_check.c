// What is wrong with a frame of events, and at which byte (wire_events_check.c). Most frames are checked in loops of
// their own until shortly before their end, so every event stands at the end, too, and amid others.
#include "core/schema/schema_state.h"
#include "core/world/world_state.h"
#include "support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// The last component has a mask of two bytes.
static const char schema_text[] =
    "{\"format\":\"roomfold-schema\",\"version\":1,\"components\":["
    "{\"name\":\"position\",\"type\":\"f32\",\"count\":3},{\"name\":\"rotation\",\"type\":\"f32\",\"count\":4},"
    "{\"name\":\"exact\",\"type\":\"f64\",\"count\":2},{\"name\":\"speed\",\"type\":\"f32\"},"
    "{\"name\":\"health\",\"type\":\"i64\"},{\"name\":\"alive\",\"type\":\"bool\"},"
    "{\"name\":\"label\",\"type\":\"string\"},{\"name\":\"tags\",\"type\":\"term\"}]}";

// Texts 0 to 6; the last is the first one again.
static const char texts[] = "\7\1a\1k\11entity_id\12components\3seq\10position\1a";

enum { HISTORY = 10, FRAME_MAX = 4096 };

static rf_world *world_of(rf_str schema, uint64_t seq) {
    rf_world_def def = rf_world_def_default();
    rf_world *world;
    def.seq = seq;
    def.history = HISTORY;
    ck_assert_int_eq(rf_schema_from_json(rf_allocator_default(), schema, &def.schema, NULL), RF_OK);
    ck_assert_int_eq(rf_world_new(&def, &world), RF_OK);
    rf_schema_release(def.schema);
    return world;
}

static rf_world *new_world(uint64_t seq) {
    return world_of(STR(schema_text), seq);
}

// A frame that is being written.
typedef struct writer {
    uint8_t bytes[FRAME_MAX];
    size_t len;
    size_t found[FRAME_MAX]; // of a frame that is cut to so many bytes: where that is found
} writer;

static void put(writer *w, const void *bytes, size_t len) {
    memcpy(w->bytes + w->len, bytes, len);
    for (size_t i = 0; i < len; i++) w->found[w->len + i] = w->len + i;
    w->len += len;
}

// What is read at once.
static void put_whole(writer *w, const void *bytes, size_t len) {
    put(w, bytes, len);
    for (size_t i = 1; i < len; i++) w->found[w->len - i] = w->len - len;
}

static void put_varint(writer *w, uint64_t number) {
    for (; number >= 0x80; number >>= 7) put(w, &(uint8_t){(uint8_t)(number | 0x80)}, 1);
    put(w, &(uint8_t){(uint8_t)number}, 1);
}

static void put_start(writer *w, const rf_world *world, uint64_t known, uint64_t seq, uint64_t events) {
    w->len = 0;
    put(w, "\x13", 1);
    put_varint(w, known);
    put_varint(w, seq);
    put(w, &world->schema->tag, 1);
    put(w, texts, sizeof texts - 1);
    put_varint(w, events);
}

// Updates (creates, if op is 0) of the first text with a position and a rotation.
static void put_updates(writer *w, unsigned count, uint8_t op) {
    static const float numbers[7] = {1, 2, 3, 0, 0, 0, 1};
    for (unsigned i = 0; i < count; i++) {
        put(w, (const uint8_t[]){op, 0, 3}, 3);
        put_whole(w, numbers, 12);
        put_whole(w, numbers + 3, 16);
    }
}

static void put_deletes(writer *w, unsigned count) {
    for (unsigned i = 0; i < count; i++) put(w, "\2\0", 2);
}

// Folds a copy of exactly so many bytes, so that a sanitizer sees one too far.
static rf_status fold_frame(rf_world *world, const writer *w, bool plain, uint64_t *folded, rf_error *error) {
    char *copy = malloc(w->len ? w->len : 1);
    rf_packed_batch batch = {.frame = {copy, w->len}, .plain = plain};
    rf_report report;
    rf_fold *fold;
    rf_status status;
    memcpy(copy, w->bytes, w->len);
    *error = (rf_error){.offset = RF_NOWHERE};
    rf_report_init(&report, rf_allocator_default());
    ck_assert_int_eq(rf_fold_new(world, &report, &fold), RF_OK);
    do {
        status = rf_fold_packed(fold, &batch, 100, error);
    } while (status == RF_OK && !batch.done);
    *folded = report.folded + report.rejected_count;
    rf_fold_free(fold);
    rf_report_free(&report);
    free(copy);
    return status;
}

static void check_fold(const writer *w, uint64_t seq, bool plain, rf_status expected, size_t offset, const char *what) {
    rf_world *world = new_world(seq);
    uint64_t folded;
    rf_error error;
    rf_status status = fold_frame(world, w, plain, &folded, &error);
    REQUIRE_MSG(status == expected, "%s: %s", what, rf_status_name(status));
    REQUIRE_MSG(error.offset == (status == RF_OK ? RF_NOWHERE : offset), "%s: at %llu, not %zu", what,
                (unsigned long long)error.offset, offset);
    REQUIRE_MSG(status == RF_OK || (folded == 0 && rf_world_seq(world) == seq), "%s: partly folded", what);
    rf_world_free(world);
}

// ---- events -----------------------------------------------------------------------------------------

// An event at the end and before others, behind others and first.
static void check_event(const char *what, rf_status expected, size_t offset, bool plain, const uint8_t *event,
                        size_t len) {
    rf_world *world = new_world(0);
    for (unsigned i = 0; i < 6; i++) {
        unsigned before = i % 3, after = i / 3 * 60;
        writer w;
        size_t start;
        put_start(&w, world, 0, 0, before + 1 + after);
        put_updates(&w, before, before % 2);
        start = w.len;
        put(&w, event, len);
        put_deletes(&w, after);
        check_fold(&w, 0, plain, expected, start + offset, what);
    }
    rf_world_free(world);
}

#define BYTES(...) (const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__})
#define FINE(what, ...) check_event(what, RF_OK, 0, false, BYTES(__VA_ARGS__))
#define WRONG(what, offset, ...) check_event(what, RF_INVALID_FRAME, offset, false, BYTES(__VA_ARGS__))

START_TEST(tags) {
    for (unsigned tag = 0; tag < 256; tag++) {
        uint8_t op = tag & 3, seq = tag >> 2 & 3;
        unsigned may = op == 3 ? 0 : op == 2 ? 0x20 : 0x30;
        uint8_t event[16] = {(uint8_t)tag}, *to = event + 1;
        if (seq == 1) *to++ = 1;
        *to++ = 0;
        if (op < 2) *to++ = 0;
        if (tag & 0x10 & may) memcpy(to, "\1\1\0", 3), to += 3;
        if ((tag & 0x20 & may) || op == 3) memcpy(to, "\1\1\0", 3), to += 3;
        if ((tag & 0xf0 & ~may) != 0)
            check_event("unknown bits", RF_INVALID_FRAME, 0, false, event, (size_t)(to - event));
        else if (seq == 3)
            check_event("an unknown seq", RF_INVALID_FRAME, 1, false, event, (size_t)(to - event));
        else
            check_event("a tag", RF_OK, 0, false, event, (size_t)(to - event));
    }
}
END_TEST

START_TEST(seqs) {
    WRONG("seq 0", 2, 0x05, 0, 0, 0);
    FINE("a seq", 0x05, 1, 0, 0);
    WRONG("a seq in two bytes that needs one", 3, 0x05, 0x81, 0, 0, 0);
    WRONG("a seq beyond the last", 9, 0x05, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x10, 0, 0);
    FINE("none", 0x09, 0, 0);
}
END_TEST

START_TEST(entities) {
    FINE("the last handle", 2, 0xff, 0xff, 0xff, 0xff, 0x0f);
    WRONG("a handle that is too large", 6, 2, 0x80, 0x80, 0x80, 0x80, 0x10);
    FINE("two bytes", 2, 0x80, 1);
    WRONG("two bytes that need one", 3, 2, 0x80, 0);
    WRONG("the same of an update", 3, 1, 0xff, 0, 0);
    FINE("three bytes", 2, 0x80, 0x80, 1);
    WRONG("three bytes that need two", 4, 2, 0x80, 0x80, 0);
    FINE("four bytes", 2, 0xff, 0xff, 0xff, 1);
    WRONG("four bytes that need three", 5, 2, 0xff, 0xff, 0xff, 0);
    WRONG("too many bytes", 11, 2, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 2);
}
END_TEST

START_TEST(masks) {
    FINE("nothing", 1, 0, 0);
    FINE("two bytes", 1, 0, 0x80, 1, 0);
    WRONG("a component that is not there", 4, 1, 0, 0x80, 2, 0, 0, 0, 0);
    WRONG("two bytes that need one", 4, 1, 0, 0x81, 0, 0, 0);
}
END_TEST

// However few components the schema has, all of them numbers.
START_TEST(components_beyond_the_last) {
    char text[600] = "{\"format\":\"roomfold-schema\",\"version\":1,\"components\":[";
    for (unsigned count = 1, len = (unsigned)strlen(text); count <= 7; count++) {
        rf_world *world;
        len += (unsigned)sprintf(text + len, "%s{\"name\":\"c%u\",\"type\":\"f32\"}", count > 1 ? "," : "", count);
        strcpy(text + len, "]}");
        world = world_of((rf_str){text, len + 2}, 0);
        for (unsigned mask = 0; mask < 128; mask++) {
            for (unsigned after = 0; after <= 60; after += 60) {
                bool fine = mask >> count == 0;
                uint64_t folded;
                rf_error error;
                writer w;
                size_t start;
                put_start(&w, world, 0, 0, 1 + after);
                start = w.len;
                put(&w, (const uint8_t[]){1, 0, (uint8_t)mask}, 3);
                for (unsigned i = 0; i < count; i++)
                    if (mask >> i & 1) put_whole(&w, (const float[]){1}, 4);
                put_deletes(&w, after);
                REQUIRE(fold_frame(world, &w, false, &folded, &error) == (fine ? RF_OK : RF_INVALID_FRAME));
                REQUIRE(error.offset == (fine ? RF_NOWHERE : start + 3));
            }
        }
        rf_world_free(world);
    }
}
END_TEST

// Each number, beside others that are fine.
START_TEST(numbers_are_finite) {
    static const uint32_t wrong[] = {0x7f800000, 0xff800000, 0x7fc00000, 0x7f800001, 0xffffffff};
    static const unsigned sizes[] = {12, 16, 16, 4};
    for (uint8_t mask = 1; mask < 16; mask++) {
        uint8_t event[64] = {1, 0, mask};
        size_t at = 3, len = 3;
        for (unsigned i = 0; i < 4; i++)
            if (mask >> i & 1) len += sizes[i];
        check_event("zeros", RF_OK, 0, false, event, len);
        for (unsigned i = 0; i < 4; i++) {
            unsigned width = i == 2 ? 8 : 4;
            if (!(mask >> i & 1)) continue;
            for (size_t place = at; place < at + sizes[i]; place += width) {
                for (unsigned k = 0; k < 5; k++) {
                    uint64_t wide = (uint64_t)(wrong[k] & 0xfff00000) << 32 | (0x7ff00000ull << 32) | (wrong[k] & 1);
                    memcpy(event + place, width == 8 ? (const void *)&wide : (const void *)&wrong[k], width);
                    check_event("not finite", RF_INVALID_FRAME, at, false, event, len);
                }
                memset(event + place, 0xff, width);
                event[place + width - 1] = 0x7f;
                event[place + width - 2] = width == 8 ? 0xef : 0x7f;
                check_event("the largest number", RF_OK, 0, false, event, len);
                memset(event + place, 0, width);
            }
            at += sizes[i];
        }
    }
}
END_TEST

START_TEST(other_values) {
    FINE("an integer", 1, 0, 16, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1);
    WRONG("65 bits", 13, 1, 0, 16, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2);
    FINE("true", 1, 0, 32, 1);
    WRONG("neither false nor true", 4, 1, 0, 32, 2);
    FINE("a string", 1, 0, 64, 2, 0xc3, 0xa9);
    WRONG("half a character", 3, 1, 0, 64, 1, 0xc3);
    WRONG("a string that is too long", 5, 1, 0, 64, 0xff, 0x7f, 'a');
    WRONG("a tag of no term", 5, 1, 0, 0x80, 1, 99);
    FINE("a number and an integer", 1, 0, 24, 0, 0, 0x80, 0x3f, 4);
    WRONG("an infinite number and an integer", 3, 1, 0, 24, 0, 0, 0x80, 0x7f, 4);
}
END_TEST

START_TEST(others_and_fields) {
    WRONG("no others", 4, 0x11, 0, 0, 0);
    WRONG("no such text", 5, 0x11, 0, 0, 1, 7, 0);
    WRONG("keys that do not ascend", 7, 0x11, 0, 0, 2, 1, 0, 0, 0);
    WRONG("a key twice", 7, 0x11, 0, 0, 2, 1, 0, 1, 0);
    WRONG("a key twice, as two texts", 7, 0x11, 0, 0, 2, 0, 0, 6, 0);
    FINE("a declared component", 0x11, 0, 0, 1, 5, 0);
    WRONG("one that the mask has, too", 17, 0x11, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 5, 0);
    FINE("another one than the mask has", 0x11, 0, 8, 0, 0, 0, 0, 1, 5, 0);
    WRONG("no fields", 3, 0x22, 0, 0);
    WRONG("the id as a field", 4, 0x22, 0, 1, 2, 0);
    WRONG("components as a field", 4, 0x22, 0, 1, 3, 0);
    WRONG("the seq as a field", 4, 0x22, 0, 1, 4, 0);
    FINE("a field", 0x22, 0, 1, 1, 0);
    FINE("a field that is a text", 0x22, 0, 1, 1, 9, 6);
    WRONG("a field that is no such text", 6, 0x22, 0, 1, 1, 9, 7);
    WRONG("a name that is no such text", 2, 3, 7, 0);
    FINE("a named event", 3, 0, 0);
    FINE("its fields may have any name", 3, 0, 3, 2, 0, 3, 0, 4, 0);
    WRONG("its keys must differ, too", 6, 3, 0, 2, 0, 0, 6, 0);
}
END_TEST

START_TEST(plain_batches) {
    check_event("a named event", RF_NOT_SUPPORTED, 0, true, BYTES(3, 0, 0));
    check_event("a named event with a seq", RF_NOT_SUPPORTED, 0, true, BYTES(7, 1, 0, 0));
    check_event("a seq", RF_RESERVED_FIELD, 0, true, BYTES(0x05, 1, 0, 0));
    check_event("no seq", RF_OK, 0, true, BYTES(0x09, 0, 0));
    check_event("others and fields", RF_OK, 0, true, BYTES(0x31, 0, 0, 1, 1, 0, 1, 1, 0));
    check_event("another fault", RF_INVALID_FRAME, 0, true, BYTES(0x43, 0, 0));
}
END_TEST

// ---- frames -----------------------------------------------------------------------------------------

START_TEST(every_cut) {
    rf_world *world = new_world(0);
    const size_t texts_at = 4;
    writer w;
    put_start(&w, world, 0, 0, 26);
    for (size_t i = texts_at + 1, next; i < texts_at + sizeof texts - 1; i = next) {
        next = i + 1 + w.bytes[i];
        for (size_t k = i + 1; k < next; k++) w.found[k] = i + 1; // a text is read at once
    }
    // As many texts cannot be in so few bytes.
    for (size_t i = 0; i < 7; i++) w.found[texts_at + 1 + i] = texts_at + 1;
    put_updates(&w, 4, 0);
    put(&w, "\1\x87\1\1", 4);
    put_whole(&w, (const float[]){1, 2, 3}, 12);
    put_deletes(&w, 3);
    put_updates(&w, 3, 1);
    put(&w, "\1\x81\x82\1\x18", 5);
    put_whole(&w, (const float[]){7}, 4);
    put(&w, "\xfe\x7f", 2);
    put_deletes(&w, 5);
    put(&w, "\1\0\4", 3);
    put_whole(&w, (const double[]){1, 2}, 16);
    put(&w, "\x11\0\0\1\1\2", 6);
    put(&w, "\3\0\1\1\x09\6", 6);
    put(&w, "\1\0\x40\x83\1", 5);
    put_whole(&w, memset((char[131]){0}, 'x', 131), 131);
    put_updates(&w, 5, 1);
    check_fold(&w, 0, false, RF_OK, 0, "whole");
    for (size_t len = w.len; len-- > 0;) {
        char what[32];
        w.len = len;
        snprintf(what, sizeof what, "%zu bytes", len);
        check_fold(&w, 0, false, RF_INVALID_FRAME, w.found[len], what);
    }
    rf_world_free(world);
}
END_TEST

static void check_start(const char *what, rf_status expected, size_t offset, bool plain, const uint8_t *bytes,
                        size_t len) {
    writer w = {.len = 0};
    put(&w, bytes, len);
    check_fold(&w, 5, plain, expected, offset, what);
}

#define SEQ_MAX 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x0f
#define SEQ_BEYOND 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x10

START_TEST(starts) {
    rf_world *world = new_world(0);
    const uint8_t tag = world->schema->tag, other = (uint8_t)(tag + 1);
    check_start("nothing in it", RF_OK, 0, false, BYTES(0x13, 0, 0, tag, 0, 0));
    check_start("another kind", RF_UNKNOWN_VERSION, 0, false, BYTES(0x14, 0, 0, tag, 0, 0));
    check_start("another version", RF_UNKNOWN_VERSION, 0, false, BYTES(0x23, 0, 0, tag, 0, 0));
    check_start("another schema", RF_SCHEMA_MISMATCH, 4, false, BYTES(0x13, 0, 0, other, 0, 0));
    check_start("a seq in two bytes", RF_INVALID_FRAME, 3, false, BYTES(0x13, 0x80, 0, 0, tag, 0, 0));
    check_start("the last seq is known", RF_OK, 0, false, BYTES(0x13, SEQ_MAX, 0, tag, 0, 0));
    check_start("a seq beyond is known", RF_INVALID_FRAME, 10, false, BYTES(0x13, SEQ_BEYOND, 0, tag, 0, 0));
    check_start("the last seq is first", RF_OK, 0, false, BYTES(0x13, 0, SEQ_MAX, tag, 1, 0, 1, 2, 0));
    check_start("a seq beyond is first", RF_INVALID_FRAME, 10, false, BYTES(0x13, 0, SEQ_BEYOND, tag, 0, 0));
    check_start("a seq in a plain batch", RF_RESERVED_FIELD, 3, true, BYTES(0x13, 0, 6, tag, 0, 0));
    check_start("seqs of handles in a plain batch", RF_OK, 0, true, BYTES(0x13, 5, 0, tag, 0, 1, 2, 0));
    check_start("more texts than bytes", RF_INVALID_FRAME, 5, false, BYTES(0x13, 0, 0, tag, 2, 0));
    check_start("as many texts as bytes", RF_INVALID_FRAME, 6, false, BYTES(0x13, 0, 0, tag, 1, 0));
    check_start("no UTF-8", RF_INVALID_FRAME, 7, false, BYTES(0x13, 0, 0, tag, 2, 1, 'a', 1, 0x80, 0));
    check_start("more than the events", RF_INVALID_FRAME, 7, false, BYTES(0x13, 0, 0, tag, 1, 0, 0, 0xff, 0));
    check_start("a handle of a seq to come", RF_SEQ_AHEAD, 1, false, BYTES(0x13, 6, 0, tag, 0, 1, 2, 0));
    check_start("no handle of a seq to come", RF_OK, 0, false, BYTES(0x13, 6, 0, tag, 1, 0, 1, 2, 0));
    check_start("a handle before the start", RF_HISTORY_GONE, 1, false, BYTES(0x13, 4, 0, tag, 0, 1, 2, 0));
    rf_world_free(world);
}
END_TEST

// One event more than the frame says, or one less; found by number too, not only at the end.
START_TEST(counts_of_events) {
    rf_world *world = new_world(0);
    for (unsigned count = 0; count < 12; count++) {
        for (unsigned said = 0; said < 12; said++) {
            writer w;
            size_t start;
            put_start(&w, world, 0, 0, said);
            start = w.len;
            put_updates(&w, count, 1);
            check_fold(&w, 0, false, said == count ? RF_OK : RF_INVALID_FRAME,
                       said > count ? w.len : start + said * (3 + 28), "a count");
        }
    }
    rf_world_free(world);
}
END_TEST

// The seqs of a frame count up to RF_SEQ_MAX; the event beyond it is the fault, behind its tag.
START_TEST(the_last_seq) {
    for (unsigned left = 0; left < 12; left++) {
        for (unsigned count = 1; count < 14; count++) {
            rf_world *world = new_world(RF_SEQ_MAX - 1 - left);
            writer w;
            size_t start;
            put_start(&w, world, 0, RF_SEQ_MAX - left, count);
            start = w.len;
            put_updates(&w, count, 1);
            check_fold(&w, RF_SEQ_MAX - 1 - left, false, count <= left + 1 ? RF_OK : RF_INVALID_FRAME,
                       start + (left + 1) * (3 + 28) + 1, "a seq");
            rf_world_free(world);
        }
    }
}
END_TEST

// An event that is said to have no seq has none after it counted either.
START_TEST(no_seq_is_behind_the_last) {
    for (unsigned before = 1; before < 4; before++) {
        for (unsigned after = 0; after <= 20; after += 20) {
            rf_world *world = new_world(0);
            writer w;
            put_start(&w, world, 0, RF_SEQ_MAX - before + 1, before + 1 + after);
            put_updates(&w, before, 1);
            put(&w, "\x09\0\0", 3);
            put_deletes(&w, after);
            check_fold(&w, 0, false, RF_OK, 0, "no seq");
            w.bytes[w.len - 2 * after - 3] = 1;
            check_fold(&w, 0, false, RF_INVALID_FRAME, w.len - 2 * after - 2, "a seq");
            rf_world_free(world);
        }
    }
}
END_TEST

// Wherever a handle stands: in an event that is checked in a loop, which begins with numbers, at the end, or within a
// longer one.
START_TEST(handles_are_noticed_anywhere) {
    static const struct {
        const char *bytes;
        size_t len;
    } events[] = {{"\2\7", 2},         {"\1\7\0", 3},
                  {"\0\7\0", 3},       {"\1\7\x20\1", 4},
                  {"\x22\7\1\1\0", 5}, {"\1\7\3\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 31}};
    rf_world *world = new_world(0);
    for (size_t i = 0; i < sizeof events / sizeof *events; i++) {
        for (unsigned n = 0; n < 8; n++) {
            unsigned before = n % 2, after = n / 2 * 20;
            writer w;
            put_start(&w, world, 9, 0, before + 1 + after);
            put_updates(&w, before, 1);
            put(&w, events[i].bytes, events[i].len);
            put_deletes(&w, after);
            check_fold(&w, 0, false, RF_SEQ_AHEAD, 1, "a handle");
            w.bytes[w.len - 2 * after - events[i].len + 1] = 6; // the last text
            check_fold(&w, 0, false, RF_OK, 0, "no handle");
        }
    }
    rf_world_free(world);
}
END_TEST

START_TEST(handles_are_forgotten_after_a_while) {
    for (unsigned known = 0; known <= HISTORY + 3; known++) {
        rf_world *world = new_world(0);
        uint64_t folded;
        rf_error error;
        writer w;
        put_start(&w, world, 0, 0, HISTORY + 3);
        put_updates(&w, HISTORY + 3, 0);
        ck_assert_int_eq(fold_frame(world, &w, false, &folded, &error), RF_OK);
        put_start(&w, world, known, 0, 1);
        put(&w, "\2\7", 2);
        ck_assert_int_eq(fold_frame(world, &w, false, &folded, &error), known < 3 ? RF_HISTORY_GONE : RF_OK);
        ck_assert_uint_eq(error.offset, known < 3 ? 1 : RF_NOWHERE);
        rf_world_free(world);
    }
}
END_TEST

static void add(TCase *tests) {
    tcase_add_test(tests, tags);
    tcase_add_test(tests, seqs);
    tcase_add_test(tests, entities);
    tcase_add_test(tests, masks);
    tcase_add_test(tests, components_beyond_the_last);
    tcase_add_test(tests, numbers_are_finite);
    tcase_add_test(tests, other_values);
    tcase_add_test(tests, others_and_fields);
    tcase_add_test(tests, plain_batches);
    tcase_add_test(tests, every_cut);
    tcase_add_test(tests, starts);
    tcase_add_test(tests, counts_of_events);
    tcase_add_test(tests, the_last_seq);
    tcase_add_test(tests, no_seq_is_behind_the_last);
    tcase_add_test(tests, handles_are_noticed_anywhere);
    tcase_add_test(tests, handles_are_forgotten_after_a_while);
}

int main(void) {
    return run_tests("wire_events_check", add);
}
