// fuzz_wire_events.c: folds any bytes as the texts and events of a frame, at once and in slices. A refused frame must
// change nothing.
#include "wire_world.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static rf_status fold(rf_world *world, rf_str frame, size_t slice, rf_error *error) {
    rf_packed_batch batch = {.frame = frame};
    rf_report report;
    rf_fold *into;
    rf_status status = RF_OK;
    rf_report_init(&report, rf_allocator_default());
    if (rf_fold_new(world, &report, &into) != RF_OK) abort();
    while (status == RF_OK && !batch.done) status = rf_fold_packed(into, &batch, slice, error);
    rf_fold_free(into);
    rf_report_free(&report);
    return status;
}

// The frame as text must fold to the same state. An event about a handle whose entity is gone takes a seq only in the
// frame.
static void check_text(const rf_world *from, const rf_world *folded, rf_str frame) {
    uint8_t *text, *now, *other;
    size_t len, now_len, other_len;
    rf_error error;
    rf_world *world;
    rf_report report;
    rf_fold *into;
    rf_json_batch batch = {0};
    if (rf_events_text(from, frame, rf_allocator_default(), &text, &len, &error) != RF_OK) return;
    if (rf_world_copy(from, &world) != RF_OK) abort();
    rf_report_init(&report, rf_allocator_default());
    if (rf_fold_new(world, &report, &into) != RF_OK) abort();
    batch.text = (rf_str){(const char *)text, len};
    while (!batch.done)
        if (rf_fold_json(into, &batch, SIZE_MAX) != RF_OK) abort();
    if (rf_world_seq(world) == rf_world_seq(folded)) {
        wire_encode(world, false, 0, &now, &now_len);
        wire_encode(folded, false, 0, &other, &other_len);
        if (now_len != other_len || memcmp(now, other, now_len) != 0) abort();
        free(now);
        free(other);
    }
    rf_fold_free(into);
    rf_report_free(&report);
    rf_world_free(world);
    free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static uint8_t *first, tag;
    static size_t first_len;
    const rf_world *from = wire_first();
    rf_world *whole, *sliced;
    rf_error error;
    rf_status status;
    uint8_t *now, *other;
    size_t now_len, other_len;
    rf_str frame;
    if (!first) {
        wire_encode(from, true, rf_world_seq(from), &now, &now_len);
        tag = now[3];
        free(now);
        wire_encode(from, false, 0, &first, &first_len);
    }
    if (rf_world_copy(from, &whole) != RF_OK || rf_world_copy(from, &sliced) != RF_OK) abort();
    frame = wire_frame((const uint8_t[]){0x13, (uint8_t)rf_world_seq(from), 0, tag}, 4, data, size);
    status = fold(whole, frame, SIZE_MAX, &error);
    if (fold(sliced, frame, 1, &error) != status) abort();
    if (status != RF_OK && error.offset > frame.len) abort();
    wire_encode(whole, false, 0, &now, &now_len);
    wire_encode(sliced, false, 0, &other, &other_len);
    if (now_len != other_len || memcmp(now, other, now_len) != 0) abort();
    if (status != RF_OK && (now_len != first_len || memcmp(now, first, now_len) != 0)) abort();
    if (status == RF_OK) {
        wire_check(whole);
        check_text(from, whole, frame);
    }
    free(now);
    free(other);
    rf_world_free(whole);
    rf_world_free(sliced);
    free((char *)(uintptr_t)frame.data);
    return 0;
}
