// fuzz_pack.c: converts events between JSON and frames. Both forms must fold to the same state, and an unpacked frame
// must pack to the same bytes again.
#include "wire_world.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static rf_world *fold_frame(rf_str frame) {
    rf_packed_batch batch = {.frame = frame};
    rf_report report;
    rf_world *world;
    rf_fold *fold;
    rf_report_init(&report, rf_allocator_default());
    if (rf_world_copy(wire_first(), &world) != RF_OK || rf_fold_new(world, &report, &fold) != RF_OK) abort();
    while (!batch.done)
        if (rf_fold_packed(fold, &batch, SIZE_MAX, NULL) != RF_OK) abort();
    rf_fold_free(fold);
    rf_report_free(&report);
    return world;
}

static rf_world *fold_json(rf_str text) {
    rf_world *world;
    if (rf_world_copy(wire_first(), &world) != RF_OK) abort();
    // With a zero byte it is not JSON.
    if (text.len == 0 || !memchr(text.data, '\0', text.len)) fold_text(world, text, 100);
    return world;
}

static void same(rf_world *a, rf_world *b) {
    uint8_t *left, *right;
    size_t left_len, right_len;
    wire_encode(a, false, 0, &left, &left_len);
    wire_encode(b, false, 0, &right, &right_len);
    if (left_len != right_len || memcmp(left, right, left_len) != 0) abort();
    free(left);
    free(right);
    rf_world_free(a);
    rf_world_free(b);
}

static void add_lines(rf_packer *packer, rf_str text) {
    for (size_t at = 0, end; at < text.len; at = end + 1) {
        const char *feed = memchr(text.data + at, '\n', text.len - at);
        if (!feed) abort();
        end = (size_t)(feed - text.data);
        if (rf_packer_add(packer, (rf_str){text.data + at, end - at}, NULL) != RF_OK) abort();
    }
}

static void check_text(rf_packer *packer, rf_str event) {
    const rf_world *world = wire_first();
    rf_str frame;
    rf_error error;
    char *text, *first;
    size_t len, first_len;
    if (rf_packer_add(packer, event, &error) != RF_OK) {
        if (rf_packer_count(packer) != 0) abort();
        return;
    }
    if (rf_packer_frame(packer, &frame) != RF_OK) abort();
    same(fold_frame(frame), fold_json(event));
    if (rf_events_to_json(world, frame, rf_allocator_default(), &text, &len, &error) != RF_OK) abort();
    first_len = frame.len;
    first = malloc(first_len);
    memcpy(first, frame.data, first_len);
    add_lines(packer, (rf_str){text, len});
    if (rf_packer_frame(packer, &frame) != RF_OK || frame.len != first_len || memcmp(frame.data, first, first_len) != 0)
        abort();
    free(first);
    free(text);
}

static void check_frame(rf_str frame) {
    rf_error error;
    char *text;
    size_t len;
    if (rf_events_to_json(wire_first(), frame, rf_allocator_default(), &text, &len, &error) != RF_OK) {
        if (error.offset != RF_NOWHERE && error.offset > frame.len) abort();
        return;
    }
    same(fold_frame(frame), fold_json((rf_str){text, len}));
    free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static rf_packer *packer;
    static uint8_t tag;
    const rf_world *from = wire_first();
    rf_str input;
    if (!packer) {
        uint8_t *diff;
        size_t len;
        wire_encode(from, true, rf_world_seq(from), &diff, &len);
        tag = diff[3];
        free(diff);
        if (rf_packer_new(rf_allocator_default(), (rf_schema *)(uintptr_t)rf_world_schema(from), 1, &packer) != RF_OK)
            abort();
    }
    if (size > 0 && data[0] == '{') {
        input = wire_frame(NULL, 0, data, size);
        check_text(packer, input);
    } else {
        input = wire_frame((const uint8_t[]){0x13, 0, 0, tag}, 4, data, size);
        check_frame(input);
    }
    free((char *)(uintptr_t)input.data);
    return 0;
}
