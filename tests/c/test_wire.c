// The packed format in C: what goes there comes back; every frame cut at every byte, changed in every bit, and every
// allocation failing; lengths that lie, and small frames that would make large worlds.
#include "support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char schema_text[] =
    "{\"format\":\"roomfold-schema\",\"version\":1,\"components\":["
    "{\"name\":\"position\",\"type\":\"f32\",\"count\":3,\"quantise\":{\"step\":0.001,\"min\":-100,\"max\":100}},"
    "{\"name\":\"rotation\",\"type\":\"f32\",\"count\":4,\"quantise\":{\"bits\":10}},"
    "{\"name\":\"exact\",\"type\":\"f64\",\"count\":2},{\"name\":\"health\",\"type\":\"i64\"},"
    "{\"name\":\"alive\",\"type\":\"bool\"},{\"name\":\"label\",\"type\":\"string\"},{\"name\":\"tags\",\"type\":"
    "\"term\"}],"
    "\"words\":[\"imp-\",\"kind\",{\"a\":[1,2.5]}]}";

static const char before_text[] =
    "{\"event\":\"create\",\"entity_id\":\"imp-1\",\"components\":{\"position\":[1,2,3],\"rotation\":[0,0.6,0,0.8],"
    "\"kind\":\"imp-7\"}}\n"
    "{\"event\":\"create\",\"entity_id\":\"an id of more than fifteen bytes\",\"components\":{\"exact\":[0.1,1e300],"
    "\"health\":-5,\"alive\":true,\"label\":\"\\u00e9\",\"tags\":{\"a\":[1,2.5]},\"other\":[1,{\"k\":null}]}}\n"
    "{\"event\":\"create\",\"entity_id\":\"gone\",\"components\":{\"position\":[1000,0,0]}}\n";

static const char after_text[] =
    "{\"event\":\"update\",\"entity_id\":\"imp-1\",\"components\":{\"position\":[1.25,2,2.5],\"rotation\":[0,0.61,0,0."
    "79],"
    "\"kind\":null,\"new\":5}}\n"
    "{\"event\":\"update\",\"entity_id\":\"an id of more than fifteen "
    "bytes\",\"components\":{\"label\":null,\"health\":7,"
    "\"other\":\"x\"}}\n"
    "{\"event\":\"delete\",\"entity_id\":\"gone\"}\n"
    "{\"event\":\"create\",\"entity_id\":\"imp-2\",\"components\":{\"position\":[5,5,5],\"label\":\"imp-\"}}\n"
    "{\"event\":\"create\",\"entity_id\":\"imp-3\",\"components\":{}}\n";

// known 0, no seqs; the schema's tag is filled in. Two texts; create by text, update with a position and an "other", a
// named event, delete.
static const uint8_t events_frame[] = {0x13, 0,   0,    0,    4,   5,    'i',  'm', 'p', '-', '9',  4, 'k', 'i',
                                       'n',  'd', 6,    'n',  'o', 't',  'h',  'e', 'r', 1,   'v',  4, // texts, events
                                       0x10, 0,   0x18, 0x06, 1,   1,    1,    9,   3,                 // create
                                       1,    0,   1,    0,    0,   0x80, 0x3f, 0,   0,   0,   0x40, 0, 0,   0x40,
                                       0x40,                                           // update
                                       3,    2,   1,    3,    6,   2,    1,    3,   2, // named
                                       2,    0};                                       // delete

static const uint8_t input_frame[] = {0x14, 5, 1, 0, 0, 1, 4, 'j', 'u', 'm', 'p', 7, 1, 1, 'a', 2};

// Creates a, says something of the entity with handle 0, deletes it, and says something more of it, which nobody hears.
static const uint8_t plain_frame[] = {0x13, 3, 0,    0, 2, 1, 'a', 1, 'k', 4, // two texts, four events
                                      0x10, 0, 0,    1, 1, 1,                 // create
                                      0x11, 2, 0,    1, 1, 9, 0,              // update
                                      2,    2, 0x11, 2, 0, 1, 1,   1};        // delete, update

static rf_status new_world(rf_allocator allocator, uint32_t max_entities, rf_world **out) {
    rf_world_def def = rf_world_def_default();
    rf_status status;
    def.allocator = allocator;
    def.max_entities = max_entities;
    *out = NULL;
    status = rf_schema_from_json(allocator, (rf_str){schema_text, sizeof schema_text - 1}, &def.schema, NULL);
    if (status == RF_OK) status = rf_world_new(&def, out);
    rf_schema_release(def.schema);
    return status;
}

static rf_world *sender(const char *first, const char *second) {
    rf_world *world;
    rf_report report;
    ck_assert_int_eq(new_world(rf_allocator_default(), 1000, &world), RF_OK);
    report = fold_literal(world, first);
    rf_report_free(&report);
    if (second) {
        report = fold_literal(world, second);
        rf_report_free(&report);
    }
    return world;
}

static rf_str encoded(const rf_world *world, bool diff, uint64_t from) {
    uint8_t *bytes;
    size_t len;
    ck_assert_int_eq(rf_encode_packed(world, diff, from, 0, rf_allocator_default(), &bytes, &len), RF_OK);
    return (rf_str){(char *)bytes, len};
}

static void drop(rf_str frame) {
    free((char *)(uintptr_t)frame.data);
}

// A copy of exactly so many bytes, so that a sanitizer sees one too far.
static rf_str exact(const void *data, size_t len) {
    char *copy = malloc(len ? len : 1);
    if (len > 0) memcpy(copy, data, len);
    return (rf_str){copy, len};
}

static rf_status load(rf_allocator allocator, rf_str frame, uint32_t max_entities, rf_world **out, rf_error *error) {
    rf_world_def def = rf_world_def_default();
    rf_status status;
    def.allocator = allocator;
    def.max_entities = max_entities;
    *out = NULL;
    status = rf_packed_start(allocator, frame, &def.seq, &def.schema, error);
    if (status == RF_OK) status = rf_world_new(&def, out);
    rf_schema_release(def.schema);
    if (status == RF_OK) status = rf_load_packed(*out, frame, error);
    if (status != RF_OK) {
        rf_world_free(*out);
        *out = NULL;
    }
    return status;
}

static rf_world *loaded(rf_str frame) {
    rf_world *world;
    rf_error error;
    ck_assert_int_eq(load(rf_allocator_default(), frame, 1000, &world, &error), RF_OK);
    return world;
}

static rf_status fold_frame(rf_world *world, rf_allocator allocator, rf_str frame, size_t slice, rf_report *report,
                            rf_error *error) {
    rf_packed_batch batch = {.frame = frame};
    rf_fold *fold;
    rf_status status;
    rf_report_init(report, allocator);
    status = rf_fold_new(world, report, &fold);
    while (status == RF_OK && !batch.done) status = rf_fold_packed(fold, &batch, slice, error);
    rf_fold_free(fold);
    return status;
}

static uint8_t tag_of(const rf_world *world) {
    rf_str diff = encoded(world, true, rf_world_seq(world));
    uint8_t tag = (uint8_t)diff.data[3];
    drop(diff);
    return tag;
}

static rf_str frame_with_tag(const rf_world *world, const uint8_t *bytes, size_t len, size_t at) {
    rf_str frame = exact(bytes, len);
    ((uint8_t *)(uintptr_t)frame.data)[at] = tag_of(world);
    return frame;
}

static rf_str events_of(const rf_world *world) {
    return frame_with_tag(world, events_frame, sizeof events_frame, 3);
}

// ---- there and back ---------------------------------------------------------------------------------

START_TEST(a_diff_leads_from_one_snapshot_to_the_next) {
    rf_world *from = sender(before_text, NULL), *to = sender(before_text, after_text), *expected, *world;
    uint64_t seq = rf_world_seq(from);
    rf_str first = encoded(from, false, 0), diff = encoded(to, true, seq), last = encoded(to, false, 0), again;
    json_t *a, *b;
    rf_error error;
    world = loaded(first);
    expected = loaded(last);
    ck_assert_int_eq(rf_apply_packed(world, diff, &error), RF_OK);
    a = world_json(world);
    b = world_json(expected);
    ck_assert(json_equal(a, b));
    ck_assert(json_is_true(json_object_get(json_object_get(a, "an id of more than fifteen bytes"), "alive")));
    ck_assert_uint_eq(rf_world_seq(world), rf_world_seq(to));
    again = encoded(expected, false, 0);
    ck_assert_uint_eq(again.len, last.len);
    ck_assert_int_eq(memcmp(again.data, last.data, last.len), 0);
    ck_assert_int_eq(rf_apply_packed(world, diff, &error), RF_SEQ_MISMATCH);
    json_decref(a);
    json_decref(b);
    drop(first);
    drop(diff);
    drop(last);
    drop(again);
    rf_world_free(from);
    rf_world_free(to);
    rf_world_free(world);
    rf_world_free(expected);
}
END_TEST

START_TEST(events_fold_in_slices_as_in_one) {
    for (size_t slice = 1; slice <= 4; slice++) {
        rf_world *world = sender(before_text, NULL);
        rf_str frame = events_of(world);
        rf_report report;
        rf_error error;
        ck_assert_int_eq(fold_frame(world, rf_allocator_default(), frame, slice, &report, &error), RF_OK);
        ck_assert_uint_eq(report.folded, 3);
        ck_assert_uint_eq(report.rejected_count, 1); // nobody knows "nother"
        ck_assert_uint_eq(rf_world_find(world, STR("imp-9")).handle1, 0);
        ck_assert_uint_eq(rf_world_seq(world), 7);
        rf_report_free(&report);
        drop(frame);
        rf_world_free(world);
    }
}
END_TEST

START_TEST(input_is_read) {
    rf_world *world = sender(before_text, NULL);
    rf_str frame = frame_with_tag(world, input_frame, sizeof input_frame, 3);
    rf_input input;
    rf_input_event event;
    rf_error error;
    ck_assert_int_eq(rf_read_input(rf_world_schema(world), frame, &input, &error), RF_OK);
    ck_assert_uint_eq(input.ack, 5);
    ck_assert_uint_eq(input.number, 1);
    ck_assert(!input.poses[RF_POSE_HEAD].present);
    ck_assert(rf_input_next(&input, &event));
    ck_assert_uint_eq(event.name.len, 4);
    ck_assert(!rf_input_next(&input, &event));
    drop(frame);
    rf_world_free(world);
}
END_TEST

// The tag stands before the mask of the poses. Without poses, and before anything was received, it need not be known.
START_TEST(input_says_its_schema) {
    static const uint8_t none[] = {0x14, 0, 1, 0, 0, 0};
    rf_world *world = sender(before_text, NULL);
    uint8_t frame[sizeof none + 29] = {0};
    rf_str whole = {(char *)frame, sizeof none};
    rf_input input;
    rf_error error;
    memcpy(frame, none, sizeof none);
    ck_assert_int_eq(rf_read_input(rf_world_schema(world), whole, &input, &error), RF_OK);
    frame[1] = 5;
    ck_assert_int_eq(rf_read_input(rf_world_schema(world), whole, &input, &error), RF_SCHEMA_MISMATCH);
    frame[1] = 0;
    frame[3] = (uint8_t)(tag_of(world) ^ 1);
    ck_assert_int_eq(rf_read_input(rf_world_schema(world), whole, &input, &error), RF_SCHEMA_MISMATCH);
    frame[3] = 0;
    frame[4] = 1;
    whole.len = sizeof frame;
    ck_assert_int_eq(rf_read_input(rf_world_schema(world), whole, &input, &error), RF_SCHEMA_MISMATCH);
    rf_world_free(world);
}
END_TEST

static void check_text(const uint8_t *text, size_t len, const char *expected) {
    REQUIRE_MSG(len == strlen(expected) && memcmp(text, expected, len) == 0, "%.*s", (int)len, (const char *)text);
}

START_TEST(input_as_text) {
    rf_world *world = sender(before_text, NULL);
    rf_str frame = frame_with_tag(world, input_frame, sizeof input_frame, 3);
    uint8_t *text;
    size_t len;
    rf_error error;
    ck_assert_int_eq(rf_input_text(rf_world_schema(world), frame, STR("tom"), STR("user_moved"), rf_allocator_default(),
                                   &text, &len, &error),
                     RF_OK);
    check_text(text, len, "{\"event_name\":\"jump\",\"a\":true}\n");
    free(text);
    ck_assert_int_eq(rf_input_text(rf_world_schema(world), (rf_str){frame.data, frame.len - 1}, STR("tom"),
                                   STR("moved"), rf_allocator_default(), &text, &len, &error),
                     RF_INVALID_FRAME);
    ck_assert_ptr_null(text);
    drop(frame);
    rf_world_free(world);
}
END_TEST

START_TEST(events_as_text) {
    rf_world *world = sender(before_text, NULL);
    rf_str frame = frame_with_tag(world, plain_frame, sizeof plain_frame, 3), named = events_of(world);
    uint8_t *text;
    size_t len;
    rf_error error;
    ck_assert_int_eq(rf_events_text(world, frame, rf_allocator_default(), &text, &len, &error), RF_OK);
    check_text(text, len,
               "{\"event\":\"create\",\"entity_id\":\"a\",\"components\":{\"k\":false}}\n"
               "{\"event\":\"update\",\"entity_id\":\"imp-1\",\"components\":{\"k\":\"a\"}}\n"
               "{\"event\":\"delete\",\"entity_id\":\"imp-1\"}\n");
    free(text);
    ck_assert_int_eq(rf_events_text(world, named, rf_allocator_default(), &text, &len, &error), RF_NOT_SUPPORTED);
    ck_assert_ptr_null(text);
    drop(named);
    drop(frame);
    rf_world_free(world);
}
END_TEST

// ---- updates in a row -------------------------------------------------------------------------------

static const char poses_schema[] =
    "{\"format\":\"roomfold-schema\",\"version\":1,\"components\":["
    "{\"name\":\"position\",\"type\":\"f32\",\"count\":3,\"quantise\":{\"step\":0.001,\"min\":-100,\"max\":100}},"
    "{\"name\":\"rotation\",\"type\":\"f32\",\"count\":4,\"quantise\":{\"bits\":10}},"
    "{\"name\":\"velocity\",\"type\":\"f32\",\"count\":3},{\"name\":\"spin\",\"type\":\"f32\",\"count\":4}]}";

#define CREATURES 70
#define UPDATES 100
#define POSES_HISTORY 512

static rf_world *creatures(void) {
    rf_world_def def = rf_world_def_default();
    rf_world *world;
    char text[CREATURES * 160], *to = text;
    rf_report report;
    def.history = POSES_HISTORY;
    ck_assert_int_eq(rf_schema_from_json(rf_allocator_default(), STR(poses_schema), &def.schema, NULL), RF_OK);
    ck_assert_int_eq(rf_world_new(&def, &world), RF_OK);
    rf_schema_release(def.schema);
    for (int i = 0; i < CREATURES; i++)
        to += sprintf(to,
                      "{\"event\":\"create\",\"entity_id\":\"c%d\",\"components\":{\"position\":[0,0,0],"
                      "\"rotation\":[0,0,0,1],\"velocity\":[0,0,0],\"spin\":[0,0,0,1]}}\n",
                      i);
    report = fold_literal(world, text);
    rf_report_free(&report);
    return world;
}

static uint8_t *put_varint(uint8_t *to, uint64_t number) {
    for (; number >= 0x80; number >>= 7) *to++ = (uint8_t)(number | 0x80);
    *to++ = (uint8_t)number;
    return to;
}

// Of one of the components, one of a few: many are there already.
static uint8_t *put_pose(uint8_t *to, unsigned component, uint64_t *state) {
    static const float quaternions[][4] = {{0, 0, 0, 1}, {0, 0.6F, 0, 0.8F}, {1, 0, 0, 0}, {0, 0.61F, 0, 0.79F}};
    float place[3] = {(float)(next_random(state) % 3), (float)(next_random(state) % 3) / 4, 1.5F};
    bool quaternion = component % 2 == 1;
    size_t size = quaternion ? sizeof quaternions[0] : sizeof place;
    memcpy(to, quaternion ? quaternions[next_random(state) % 4] : place, size);
    return to + size;
}

// Updates with this mask of any of the creatures. field: each with a field that nobody knows, so that it goes the long
// way.
static rf_str updates_frame(const rf_world *world, uint8_t tag, uint64_t state, uint8_t mask, bool field) {
    uint8_t *frame = malloc(UPDATES * 70 + 32), *to = frame;
    *to++ = 0x13;
    to = put_varint(to, rf_world_seq(world));
    *to++ = 0;
    *to++ = tag;
    memcpy(to, "\1\1x", 3); // one text
    to = put_varint(to + 3, UPDATES);
    for (int i = 0; i < UPDATES; i++) {
        *to++ = field ? 0x21 : 1;
        to = put_varint(to, 1 + next_random(&state) % CREATURES);
        *to++ = mask;
        for (unsigned c = 0; c < 4; c++)
            if (mask >> c & 1) to = put_pose(to, c, &state);
        if (field) to = (uint8_t *)memcpy(to, "\1\0\0", 3) + 3; // x: null
    }
    return (rf_str){(char *)frame, (size_t)(to - frame)};
}

static void check_same_past(const rf_world *a, const rf_world *b) {
    uint64_t seq = rf_world_seq(a), from = seq > POSES_HISTORY ? seq - POSES_HISTORY : 0;
    ck_assert_uint_eq(seq, rf_world_seq(b));
    for (; from < seq; from += 31) {
        rf_str one = encoded(a, true, from), two = encoded(b, true, from);
        ck_assert_uint_eq(one.len, two.len);
        ck_assert_int_eq(memcmp(one.data, two.data, one.len), 0);
        drop(one);
        drop(two);
    }
}

// What is where, since when, and what was there before: as frames, as text, and as frames the long way.
START_TEST(updates_are_remembered_alike) {
    static const uint8_t masks[] = {3, 1, 2, 4, 8, 12, 5, 10, 6, 9, 15};
    rf_world *frames = creatures(), *texts = creatures(), *slow = creatures();
    const uint8_t tag = tag_of(frames);
    for (unsigned round = 0; round < 44; round++) {
        uint8_t mask = masks[round % sizeof masks];
        rf_str frame = updates_frame(frames, tag, round + 1, mask, false),
               longer = updates_frame(slow, tag, round + 1, mask, true);
        rf_report report;
        uint8_t *text;
        size_t len;
        ck_assert_int_eq(rf_events_text(frames, frame, rf_allocator_default(), &text, &len, NULL), RF_OK);
        report = fold_text(texts, (rf_str){(char *)text, len});
        ck_assert_uint_eq(report.folded, UPDATES);
        rf_report_free(&report);
        ck_assert_int_eq(fold_frame(frames, rf_allocator_default(), frame, 1 + round * 7, &report, NULL), RF_OK);
        ck_assert_uint_eq(report.folded, UPDATES);
        rf_report_free(&report);
        ck_assert_int_eq(fold_frame(slow, rf_allocator_default(), longer, SIZE_MAX, &report, NULL), RF_OK);
        ck_assert_uint_eq(report.folded, UPDATES);
        rf_report_free(&report);
        check_same_past(frames, texts);
        check_same_past(frames, slow);
        free(text);
        drop(frame);
        drop(longer);
    }
    rf_world_free(frames);
    rf_world_free(texts);
    rf_world_free(slow);
}
END_TEST

// ---- bad frames -------------------------------------------------------------------------------------

typedef struct frames {
    rf_world *from, *to;
    rf_str snapshot, diff, events, plain, input;
} frames;

static frames make_frames(void) {
    frames f = {.from = sender(before_text, NULL), .to = sender(before_text, after_text)};
    f.snapshot = encoded(f.from, false, 0);
    f.diff = encoded(f.to, true, rf_world_seq(f.from));
    f.events = events_of(f.from);
    f.plain = frame_with_tag(f.from, plain_frame, sizeof plain_frame, 3);
    f.input = frame_with_tag(f.from, input_frame, sizeof input_frame, 3);
    return f;
}

static void free_frames(frames *f) {
    drop(f->snapshot);
    drop(f->diff);
    drop(f->events);
    drop(f->plain);
    drop(f->input);
    rf_world_free(f->from);
    rf_world_free(f->to);
}

// A frame of any kind is used on a world of its own; after an error that one is as it was.
static rf_status use(const frames *f, rf_str frame, rf_error *error) {
    rf_str before = encoded(f->from, false, 0), now;
    rf_world *world = loaded(before), *other = NULL;
    rf_report report;
    rf_input input;
    rf_status status;
    unsigned kind = frame.len > 0 ? (uint8_t)frame.data[0] & 15 : 0;
    switch (kind) {
    case RF_WIRE_SNAPSHOT:
        status = load(rf_allocator_default(), frame, 1000, &other, error);
        rf_world_free(other);
        break;
    case RF_WIRE_EVENTS:
        status = fold_frame(world, rf_allocator_default(), frame, 2, &report, error);
        rf_report_free(&report);
        break;
    case RF_WIRE_INPUT:
        status = rf_read_input(rf_world_schema(world), frame, &input, error);
        break;
    default:
        status = rf_apply_packed(world, frame, error);
        break;
    }
    if (status != RF_OK) {
        now = encoded(world, false, 0);
        REQUIRE(now.len == before.len && memcmp(now.data, before.data, now.len) == 0);
        drop(now);
    }
    drop(before);
    rf_world_free(world);
    return status;
}

static void cut(const frames *f, rf_str frame) {
    for (size_t len = 0; len < frame.len; len++) {
        rf_str part = exact(frame.data, len);
        rf_error error = {0};
        rf_status status = use(f, part, &error);
        REQUIRE_MSG(status == RF_INVALID_FRAME, "%zu of %zu bytes: %s", len, frame.len, rf_status_name(status));
        REQUIRE(error.status == status && error.offset <= len);
        drop(part);
    }
}

START_TEST(a_frame_cut_anywhere_is_an_error) {
    frames f = make_frames();
    cut(&f, f.snapshot);
    cut(&f, f.diff);
    cut(&f, f.events);
    cut(&f, f.plain);
    cut(&f, f.input);
    free_frames(&f);
}
END_TEST

static void flip(const frames *f, rf_str frame) {
    for (size_t i = 0; i < frame.len * 8; i++) {
        rf_str changed = exact(frame.data, frame.len);
        rf_error error = {0};
        rf_status status;
        ((uint8_t *)(uintptr_t)changed.data)[i / 8] ^= (uint8_t)(1 << i % 8);
        status = use(f, changed, &error);
        REQUIRE(status == RF_OK || (error.status == status && error.offset <= frame.len));
        drop(changed);
    }
}

START_TEST(a_frame_with_a_changed_bit_is_an_error_or_another_frame) {
    frames f = make_frames();
    flip(&f, f.snapshot);
    flip(&f, f.diff);
    flip(&f, f.events);
    flip(&f, f.input);
    free_frames(&f);
}
END_TEST

// A world for the snapshot, with nobody in it.
static rf_world *ready_for(rf_allocator allocator, rf_str snapshot) {
    rf_world_def def = rf_world_def_default();
    rf_world *world;
    def.allocator = allocator;
    ck_assert_int_eq(rf_packed_start(rf_allocator_default(), snapshot, &def.seq, &def.schema, NULL), RF_OK);
    ck_assert_int_eq(rf_world_new(&def, &world), RF_OK);
    rf_schema_release(def.schema);
    return world;
}

static void check_loads(rf_world *world, rf_str snapshot) {
    rf_str again;
    ck_assert_uint_eq(rf_world_count(world), 0);
    ck_assert_int_eq(rf_load_packed(world, snapshot, NULL), RF_OK);
    again = encoded(world, false, 0);
    ck_assert(again.len == snapshot.len && memcmp(again.data, snapshot.data, again.len) == 0);
    drop(again);
}

// Whatever is wrong with it, wherever: nobody is in the world then, and the whole snapshot can still be loaded.
START_TEST(nothing_of_a_refused_snapshot_is_loaded) {
    frames f = make_frames();
    for (size_t len = 0; len < f.snapshot.len; len++) {
        rf_world *world = ready_for(rf_allocator_default(), f.snapshot);
        rf_str part = exact(f.snapshot.data, len);
        size_t memory = rf_world_memory(world);
        ck_assert_int_eq(rf_load_packed(world, part, NULL), RF_INVALID_FRAME);
        ck_assert_uint_eq(rf_world_memory(world), memory);
        check_loads(world, f.snapshot);
        drop(part);
        rf_world_free(world);
    }
    for (size_t i = 0; i < f.snapshot.len * 8; i++) {
        rf_world *world = ready_for(rf_allocator_default(), f.snapshot);
        rf_str changed = exact(f.snapshot.data, f.snapshot.len);
        ((uint8_t *)(uintptr_t)changed.data)[i / 8] ^= (uint8_t)(1 << i % 8);
        if (rf_load_packed(world, changed, NULL) != RF_OK) check_loads(world, f.snapshot);
        drop(changed);
        rf_world_free(world);
    }
    free_frames(&f);
}
END_TEST

START_TEST(a_string_is_at_most_as_long_as_the_receiver_takes) {
    rf_world *from = sender("{\"event\":\"create\",\"entity_id\":\"a\",\"components\":{\"label\":\"four\"}}", NULL);
    rf_str frame = encoded(from, false, 0);
    for (uint32_t most = 3; most <= 4; most++) {
        rf_world_def def = rf_world_def_default();
        rf_world *world;
        def.max_value_bytes = most;
        ck_assert_int_eq(rf_packed_start(def.allocator, frame, &def.seq, &def.schema, NULL), RF_OK);
        ck_assert_int_eq(rf_world_new(&def, &world), RF_OK);
        rf_schema_release(def.schema);
        ck_assert_int_eq(rf_load_packed(world, frame, NULL), most == 4 ? RF_OK : RF_TOO_LARGE);
        rf_world_free(world);
    }
    drop(frame);
    rf_world_free(from);
}
END_TEST

START_TEST(nothing_is_loaded_without_memory) {
    frames f = make_frames();
    test_memory memory = {0};
    rf_world *world = ready_for(test_allocator(&memory), f.snapshot);
    rf_status status = RF_NO_MEMORY;
    size_t used = rf_world_memory(world);
    for (long n = 1; status != RF_OK; n++) {
        long blocks = memory.blocks;
        memory.fail_at = n;
        status = rf_load_packed(world, f.snapshot, NULL);
        memory.fail_at = 0;
        if (status == RF_OK) break;
        ck_assert_int_eq(status, RF_NO_MEMORY);
        ck_assert_int_eq(memory.blocks, blocks);
        ck_assert_uint_eq(rf_world_count(world), 0);
        ck_assert_uint_eq(rf_world_memory(world), used);
    }
    rf_world_free(world);
    ck_assert_int_eq(memory.blocks, 0);
    free_frames(&f);
}
END_TEST

static void refused(const frames *f, const uint8_t *bytes, size_t len, size_t tag_at, rf_status expected) {
    rf_str frame = tag_at > 0 ? frame_with_tag(f->from, bytes, len, tag_at) : exact(bytes, len);
    rf_error error = {0};
    rf_status status = use(f, frame, &error);
    REQUIRE_MSG(status == expected, "%s instead of %s", rf_status_name(status), rf_status_name(expected));
    drop(frame);
}
#define REFUSED(tag_at, expected, ...)                                                                                 \
    refused(&f, (const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__}), tag_at, expected)

START_TEST(lengths_that_lie) {
    frames f = make_frames();
    REFUSED(0, RF_UNKNOWN_VERSION, 0x25, 0);
    REFUSED(0, RF_INVALID_FRAME, 0x11, 3, 0xff, 0xff, 0xff, 0xff, 0x0f); // the schema's length
    REFUSED(0, RF_INVALID_FRAME, 0x11, 3, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1);
    REFUSED(0, RF_INVALID_FRAME, 0x11, 3, 2, 65, 0);                                        // 65 components
    REFUSED(0, RF_INVALID_FRAME, 0x11, 3, 4, 0, 0x81, 0x80, 0x40);                          // very many words
    REFUSED(3, RF_INVALID_FRAME, 0x13, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0x0f);        // texts
    REFUSED(3, RF_INVALID_FRAME, 0x13, 0, 0, 0, 1, 0xff, 0x7f, 'a', 0);                     // a text
    REFUSED(3, RF_INVALID_FRAME, 0x13, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0x0f);                 // events
    REFUSED(3, RF_INVALID_FRAME, 0x13, 0, 0, 0, 1, 1, 'a', 1, 3, 0, 0xff, 0xff, 0x0f);      // fields
    REFUSED(3, RF_INVALID_FRAME, 0x13, 0, 0, 0, 1, 1, 'a', 1, 3, 0, 1, 0, 6, 0xff, 0x7f);   // a list in a field
    REFUSED(3, RF_INVALID_FRAME, 0x13, 0, 0, 0, 1, 1, 'a', 1, 3, 0, 1, 1, 0);               // no such key
    REFUSED(3, RF_INVALID_FRAME, 0x13, 0, 0, 0, 1, 1, 'a', 1, 3, 1, 0);                     // no such name
    REFUSED(3, RF_INVALID_FRAME, 0x13, 0, 0, 0, 1, 1, 'a', 1, 1, 0, 0x80, 1);               // no such component
    REFUSED(3, RF_INVALID_FRAME, 0x13, 0, 0, 0, 1, 1, 0xff, 0);                             // no UTF-8
    REFUSED(3, RF_INVALID_FRAME, 0x13, 0, 0, 0, 2, 1, 'a', 1, 'a', 1, 3, 0, 2, 0, 0, 1, 0); // a key twice
    REFUSED(3, RF_INVALID_FRAME, 0x13, 0, 0, 0, 1, 1, 'a', 1, 0x43, 0, 0);                  // an unknown bit in a tag
    REFUSED(3, RF_INVALID_FRAME, 0x13, 0, 0, 0, 1, 1, 'a', 1, 7, 0, 0, 0);                  // seq 0
    REFUSED(3, RF_INVALID_FRAME, 0x13, 0, 0, 0, 1, 1, 'a', 1, 1, 0, 1, 0, 0, 0x80, 0x7f, 0, 0, 0, 0, 0, 0, 0,
            0);                                          // infinite
    REFUSED(3, RF_SEQ_AHEAD, 0x13, 9, 0, 0, 0, 1, 2, 0); // handles of a seq to come
    REFUSED(0, RF_SCHEMA_MISMATCH, 0x13, 0, 0, (uint8_t)(tag_of(f.from) + 1), 0, 0);
    REFUSED(3, RF_INVALID_FRAME, 0x12, 4, 1, 0, 0x09, 0x00, 0x00); // deletes who never was
    REFUSED(3, RF_INVALID_FRAME, 0x12, 3, 0, 0, 0x01, 0x00);       // changes without a seq
    REFUSED(3, RF_INVALID_FRAME, 0x14, 5, 1, 0, 8, 0);             // a fourth pose
    REFUSED(3, RF_INVALID_FRAME, 0x14, 5, 1, 0, 0, 1, 1, 'a', 0);  // a payload that is no map
    free_frames(&f);
}
END_TEST

static rf_str of_hex(const json_t *hex) {
    const char *text = json_string_value(hex);
    size_t len = json_string_length(hex) / 2;
    char *bytes = malloc(len ? len : 1);
    for (size_t i = 0; i < len; i++) {
        const char digits[3] = {text[2 * i], text[2 * i + 1], 0};
        bytes[i] = (char)strtoul(digits, NULL, 16);
    }
    return (rf_str){bytes, len};
}

static json_t *vectors(const char *path) {
    rf_str text = read_file(path);
    json_t *out = json_loadb(text.data, text.len, 0, NULL);
    ck_assert_ptr_nonnull(out);
    free((char *)(uintptr_t)text.data);
    return out;
}

// Unknown handles, values that quantising can't give, bombs: what decoders in every language refuse, and at which byte.
START_TEST(bad_frames_of_the_shared_vectors) {
    json_t *bad = vectors("tests/vectors/wire/bad.json"), *streams = vectors("tests/vectors/wire/streams.json"),
           *vector;
    json_t *steps = json_object_get(json_array_get(streams, 2), "steps");
    rf_str first = of_hex(json_object_get(json_array_get(steps, 0), "hex"));
    size_t number;
    json_array_foreach(bad, number, vector) {
        const char *name = json_string_value(json_object_get(vector, "name"));
        const char *reason = json_string_value(json_object_get(vector, "reason"));
        rf_str frame = of_hex(json_object_get(vector, "hex")), now;
        rf_world *world = loaded(first), *other = NULL;
        rf_error error = {.offset = RF_NOWHERE};
        rf_status status = frame.len > 0 && frame.data[0] == 0x12
                               ? rf_apply_packed(world, frame, &error)
                               : load(rf_allocator_default(), frame, 1000, &other, &error);
        REQUIRE_MSG(reason ? strcmp(rf_status_name(status), reason) == 0 : status == RF_OK, "%s: %s", name,
                    rf_status_name(status));
        if (reason) {
            REQUIRE_MSG(error.offset <= frame.len, "%s", name);
            now = encoded(world, false, 0);
            REQUIRE_MSG(now.len == first.len && memcmp(now.data, first.data, now.len) == 0, "%s", name);
            drop(now);
        }
        rf_world_free(other);
        rf_world_free(world);
        drop(frame);
    }
    drop(first);
    json_decref(bad);
    json_decref(streams);
}
END_TEST

static void put_bits(uint8_t *out, size_t *at, uint64_t value, unsigned count) {
    for (unsigned i = 0; i < count; i++, ++*at) out[*at / 8] |= (uint8_t)((value >> i & 1) << *at % 8);
}

static void nibs(uint8_t *out, size_t *at, uint64_t value) {
    for (; value > 7; value >>= 3) put_bits(out, at, (value & 7) | 8, 4);
    put_bits(out, at, value, 4);
}

// A few bytes that say handle 999,999, or an id of a billion bytes.
START_TEST(bombs) {
    test_memory memory = {0};
    rf_world *world;
    rf_error error;
    uint64_t handles[] = {1u << 20, UINT64_C(1) << 40, UINT64_MAX, 1000000, 1};
    for (size_t i = 0; i < 5; i++) {
        uint8_t frame[64] = {0x11, 1, 2, 0, 0};
        size_t bits = 40;
        rf_status status;
        nibs(frame, &bits, handles[i]);
        nibs(frame, &bits, 0);
        nibs(frame, &bits, i == 4 ? 1000000000 : 1);
        bits += 8;
        status = load(test_allocator(&memory), (rf_str){(char *)frame, (bits + 7) / 8}, 1000, &world, &error);
        ck_assert_int_eq(status, i == 4 ? RF_INVALID_FRAME : RF_WORLD_FULL);
        ck_assert_int_eq(memory.blocks, 0);
    }
}
END_TEST

// ---- memory -----------------------------------------------------------------------------------------

static rf_status everything(rf_allocator allocator, const frames *f) {
    rf_world *world = NULL;
    rf_report report;
    rf_error error;
    uint8_t *bytes = NULL;
    size_t len;
    rf_status status = load(allocator, f->snapshot, 1000, &world, &error);
    if (status == RF_OK) status = rf_events_text(world, f->plain, allocator, &bytes, &len, &error);
    if (bytes) allocator.resize(allocator.context, bytes, 0);
    if (status == RF_OK)
        status =
            rf_input_text(rf_world_schema(world), f->input, STR("tom"), STR("moved"), allocator, &bytes, &len, &error);
    if (status == RF_OK) allocator.resize(allocator.context, bytes, 0);
    bytes = NULL;
    if (status == RF_OK) status = rf_apply_packed(world, f->diff, &error);
    if (status == RF_OK) {
        status = fold_frame(world, allocator, f->events, 10, &report, &error);
        rf_report_free(&report);
    }
    if (status == RF_OK) status = rf_encode_packed(world, true, rf_world_seq(world), 0, allocator, &bytes, &len);
    if (bytes) allocator.resize(allocator.context, bytes, 0);
    bytes = NULL;
    if (status == RF_OK) status = rf_encode_packed(world, false, 0, 0, allocator, &bytes, &len);
    if (bytes) allocator.resize(allocator.context, bytes, 0);
    rf_world_free(world);
    return status;
}

START_TEST(every_allocation_fails_once) {
    frames f = make_frames();
    test_memory memory = {0};
    rf_status status = RF_NO_MEMORY;
    long n = 0;
    while (status != RF_OK) {
        memory = (test_memory){.fail_at = ++n};
        status = everything(test_allocator(&memory), &f);
        ck_assert(status == RF_OK || status == RF_NO_MEMORY);
        ck_assert_int_eq(memory.blocks, 0);
    }
    ck_assert_int_gt(n, 30);
    free_frames(&f);
}
END_TEST

// ---- schemas ----------------------------------------------------------------------------------------

static void check_schema(const char *text, rf_status expected) {
    rf_schema *schema;
    rf_error error;
    ck_assert_msg(rf_schema_from_json(rf_allocator_default(), (rf_str){text, strlen(text)}, &schema, &error) ==
                      expected,
                  "%s", text);
    rf_schema_release(schema);
}
#define SCHEMA(component, more)                                                                                        \
    "{\"format\":\"roomfold-schema\",\"version\":1,\"components\":[{\"name\":\"a\"," component "}]" more "}"

START_TEST(schemas_that_quantise) {
    check_schema(SCHEMA("\"type\":\"f32\",\"quantise\":{\"step\":0.5,\"min\":-1,\"max\":1.5}", ""), RF_OK);
    check_schema(SCHEMA("\"type\":\"f64\",\"quantise\":{\"step\":1,\"min\":-4194304,\"max\":4194304}", ""), RF_OK);
    check_schema(SCHEMA("\"type\":\"f64\",\"quantise\":{\"step\":1,\"min\":-4194304,\"max\":4194305}", ""),
                 RF_INVALID_SCHEMA);
    check_schema(SCHEMA("\"type\":\"f32\",\"quantise\":{\"step\":0,\"min\":-1,\"max\":1}", ""), RF_INVALID_SCHEMA);
    check_schema(SCHEMA("\"type\":\"f32\",\"quantise\":{\"step\":-1,\"min\":-1,\"max\":1}", ""), RF_INVALID_SCHEMA);
    check_schema(SCHEMA("\"type\":\"f32\",\"quantise\":{\"step\":1,\"min\":1,\"max\":1}", ""), RF_INVALID_SCHEMA);
    check_schema(SCHEMA("\"type\":\"f32\",\"quantise\":{\"step\":5e-324,\"min\":0,\"max\":1e-320}", ""),
                 RF_INVALID_SCHEMA);
    check_schema(SCHEMA("\"type\":\"f32\",\"quantise\":{\"step\":1,\"min\":0}", ""), RF_INVALID_SCHEMA);
    check_schema(SCHEMA("\"type\":\"i64\",\"quantise\":{\"step\":1,\"min\":0,\"max\":9}", ""), RF_INVALID_SCHEMA);
    check_schema(SCHEMA("\"type\":\"f32\",\"count\":4,\"quantise\":{\"bits\":16}", ""), RF_OK);
    check_schema(SCHEMA("\"type\":\"f32\",\"count\":4,\"quantise\":{\"bits\":17}", ""), RF_INVALID_SCHEMA);
    check_schema(SCHEMA("\"type\":\"f32\",\"count\":3,\"quantise\":{\"bits\":10}", ""), RF_INVALID_SCHEMA);
    check_schema(SCHEMA("\"type\":\"f32\",\"quantise\":5", ""), RF_INVALID_SCHEMA);
    check_schema(SCHEMA("\"type\":\"f32\"", ",\"words\":[\"\",1,1.0,[\"x\"],null]"), RF_OK);
    check_schema(SCHEMA("\"type\":\"f32\"", ",\"words\":[1,2,1]"), RF_INVALID_SCHEMA);
    check_schema(SCHEMA("\"type\":\"f32\"", ",\"words\":{}"), RF_INVALID_SCHEMA);
}
END_TEST

#define FLAGS 63
#define SPARSE 400 // entities, one on each page

static rf_schema *schema_of_flags(void) {
    static char text[8192];
    rf_schema *schema;
    int len = sprintf(text, "{\"format\":\"roomfold-schema\",\"version\":1,\"components\":[");
    for (int i = 0; i < FLAGS; i++)
        len += sprintf(text + len, "%s{\"name\":\"b%d\",\"type\":\"bool\"}", i ? "," : "", i);
    len += sprintf(text + len, "],\"words\":[\"e\"]}");
    ck_assert_int_eq(rf_schema_from_json(rf_allocator_default(), (rf_str){text, (size_t)len}, &schema, NULL), RF_OK);
    return schema;
}

// Entities far apart, each with 63 components of one bit: of what a frame can say nothing takes more memory for its
// length. docs/wire-format.md, Limits, says how much that is.
START_TEST(a_byte_of_a_frame_has_its_price) {
    static uint8_t frame[32768];
    rf_schema *schema = schema_of_flags();
    rf_world_def def = rf_world_def_default();
    rf_world *world;
    rf_str empty;
    size_t at, before;
    def.schema = schema;
    ck_assert_int_eq(rf_world_new(&def, &world), RF_OK);
    empty = encoded(world, false, 0);
    memcpy(frame, empty.data, empty.len - 1); // its last byte is the end of the list
    at = (empty.len - 1) * 8;
    drop(empty);
    for (uint32_t i = 0; i < SPARSE; i++) {
        nibs(frame, &at, 64);
        nibs(frame, &at, 1);
        put_bits(frame, &at, 1, 1);
        nibs(frame, &at, i);
        put_bits(frame, &at, i == 0 ? 3 : 0, i == 0 ? 2 : 1);
        if (i == 0) put_bits(frame, &at, UINT64_MAX >> 1, FLAGS);
        put_bits(frame, &at, 0, 1);
        put_bits(frame, &at, i, FLAGS);
    }
    nibs(frame, &at, 0);
    before = rf_world_memory(world);
    ck_assert_int_eq(rf_load_packed(world, (rf_str){(char *)frame, (at + 7) / 8}, NULL), RF_OK);
    ck_assert_uint_eq(rf_world_count(world), SPARSE);
    ck_assert_uint_le(rf_world_memory(world) - before, 4096 * ((at + 7) / 8));
    rf_world_free(world);
    rf_schema_release(schema);
}
END_TEST

// An allocator that knows the most there was at a time.
typedef struct counted {
    size_t used, most;
} counted;

static void *counted_resize(void *context, void *block, size_t size) {
    counted *all = context;
    size_t *head = block ? (size_t *)block - 2 : NULL;
    if (head) all->used -= *head;
    if (size == 0) {
        free(head);
        return NULL;
    }
    head = realloc(head, size + 2 * sizeof *head);
    *head = size;
    all->used += size;
    if (all->used > all->most) all->most = all->used;
    return head + 2;
}

static const rf_allocator *counting(counted *all, rf_allocator *allocator) {
    *allocator = (rf_allocator){.resize = counted_resize, .context = all};
    return allocator;
}

// What docs/wire-format.md, Limits, grants: for each byte, and what any world or fold takes.
#define PER_STATE_BYTE 4096
#define PER_EVENTS_BYTE 256
#define FIXED (64 * 1024)

static void check_price(const frames *f, rf_str frame) {
    counted memory = {0};
    rf_allocator allocator;
    rf_world *world = NULL, *other = NULL;
    rf_report report;
    rf_error error;
    size_t start, per_byte = PER_STATE_BYTE;
    unsigned kind = frame.len > 0 ? (uint8_t)frame.data[0] & 15 : 0;
    if (load(*counting(&memory, &allocator), f->snapshot, 1000, &world, &error) != RF_OK) ck_abort();
    start = memory.used;
    memory.most = start;
    if (kind == RF_WIRE_EVENTS) {
        per_byte = PER_EVENTS_BYTE;
        fold_frame(world, allocator, frame, 10, &report, &error);
        rf_report_free(&report);
    } else if (kind == RF_WIRE_DIFF) {
        rf_apply_packed(world, frame, &error);
    } else {
        load(allocator, frame, 1000, &other, &error);
    }
    REQUIRE_MSG(memory.most - start <= per_byte * frame.len + FIXED, "%zu bytes took %zu", frame.len,
                memory.most - start);
    rf_world_free(other);
    rf_world_free(world);
    REQUIRE(memory.used == 0);
}

// As it is, with each bit changed, and cut anywhere.
static void check_prices(const frames *f, rf_str frame) {
    for (size_t i = 0; i < frame.len * 8; i++) {
        rf_str changed = exact(frame.data, frame.len), part = exact(frame.data, i / 8);
        ((uint8_t *)(uintptr_t)changed.data)[i / 8] ^= (uint8_t)(1 << i % 8);
        check_price(f, changed);
        if (i % 8 == 0) check_price(f, part);
        drop(changed);
        drop(part);
    }
    check_price(f, frame);
}

START_TEST(no_frame_takes_more_than_it_may) {
    frames f = make_frames();
    json_t *bad = vectors("tests/vectors/wire/bad.json"), *vector;
    size_t number;
    check_prices(&f, f.snapshot);
    check_prices(&f, f.diff);
    check_prices(&f, f.events);
    check_prices(&f, f.plain);
    json_array_foreach(bad, number, vector) {
        rf_str frame = of_hex(json_object_get(vector, "hex"));
        check_price(&f, frame);
        drop(frame);
    }
    json_decref(bad);
    free_frames(&f);
}
END_TEST

static void add(TCase *tests) {
    tcase_add_test(tests, a_diff_leads_from_one_snapshot_to_the_next);
    tcase_add_test(tests, events_fold_in_slices_as_in_one);
    tcase_add_test(tests, input_is_read);
    tcase_add_test(tests, input_says_its_schema);
    tcase_add_test(tests, input_as_text);
    tcase_add_test(tests, events_as_text);
    tcase_add_test(tests, updates_are_remembered_alike);
    tcase_add_test(tests, a_frame_cut_anywhere_is_an_error);
    tcase_add_test(tests, a_frame_with_a_changed_bit_is_an_error_or_another_frame);
    tcase_add_test(tests, nothing_of_a_refused_snapshot_is_loaded);
    tcase_add_test(tests, a_string_is_at_most_as_long_as_the_receiver_takes);
    tcase_add_test(tests, nothing_is_loaded_without_memory);
    tcase_add_test(tests, lengths_that_lie);
    tcase_add_test(tests, bad_frames_of_the_shared_vectors);
    tcase_add_test(tests, bombs);
    tcase_add_test(tests, a_byte_of_a_frame_has_its_price);
    tcase_add_test(tests, no_frame_takes_more_than_it_may);
    tcase_add_test(tests, every_allocation_fails_once);
    tcase_add_test(tests, schemas_that_quantise);
}

int main(void) {
    return run_tests("wire", add);
}
