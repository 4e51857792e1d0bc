// fuzz_wire_snapshot.c: loads any bytes as a snapshot with its schema; or, if the first byte is even, as the entities
// after a valid schema.
#include "wire_world.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void load(rf_str frame) {
    uint64_t seq;
    rf_schema *schema;
    rf_error error;
    rf_world *world;
    if (rf_packed_start(rf_allocator_default(), frame, &seq, &schema, &error) != RF_OK) {
        if (error.offset > frame.len) abort();
        return;
    }
    world = wire_world(schema, seq);
    if (rf_load_packed(world, frame, &error) == RF_OK)
        wire_check(world);
    else if (error.offset > frame.len)
        abort();
    rf_world_free(world);
    rf_schema_release(schema);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static uint8_t *empty;
    static size_t empty_len;
    rf_str frame;
    if (!empty) {
        rf_world *world = wire_world((rf_schema *)(uintptr_t)rf_world_schema(wire_first()), 0);
        wire_encode(world, false, 0, &empty, &empty_len);
        rf_world_free(world);
    }
    if (size == 0) return 0;
    // Without the last byte, which is the end of the list.
    frame = data[0] % 2 == 0 ? wire_frame(empty, empty_len - 1, data + 1, size - 1)
                             : wire_frame(NULL, 0, data + 1, size - 1);
    load(frame);
    free((char *)(uintptr_t)frame.data);
    return 0;
}
