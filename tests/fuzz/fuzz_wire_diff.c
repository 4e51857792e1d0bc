// fuzz_wire_diff.c: applies any bytes as the lists of a diff to a small world. A refused frame must change nothing; an
// applied one must leave a world that can be encoded, with the right changes.
#include "wire_world.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static uint8_t *first, tag;
    static size_t first_len;
    const rf_world *from = wire_first();
    rf_world *world;
    rf_error error;
    uint8_t *now;
    size_t now_len;
    rf_str frame;
    if (!first) {
        wire_encode(from, true, rf_world_seq(from), &now, &now_len);
        tag = now[3];
        free(now);
        wire_encode(from, false, 0, &first, &first_len);
    }
    if (rf_world_copy(from, &world) != RF_OK) abort();
    frame = wire_frame((const uint8_t[]){0x12, (uint8_t)(rf_world_seq(from) + 1), 1, tag}, 4, data, size);
    if (rf_apply_packed(world, frame, &error) == RF_OK) {
        wire_check(world);
        wire_encode(world, true, rf_world_seq(from), &now, &now_len);
        free(now);
        wire_encode(world, true, 0, &now, &now_len);
    } else {
        if (error.offset > frame.len) abort();
        wire_encode(world, false, 0, &now, &now_len);
        if (now_len != first_len || memcmp(now, first, now_len) != 0) abort();
    }
    free(now);
    rf_world_free(world);
    free((char *)(uintptr_t)frame.data);
    return 0;
}
