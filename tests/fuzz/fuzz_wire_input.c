// fuzz_wire_input.c: reads any bytes as a client's input, with a schema that quantises poses.
#include "wire_world.h"

static volatile uint64_t sink;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static uint8_t tag;
    const rf_world *world = wire_first();
    rf_input input;
    rf_input_event event;
    rf_error error;
    rf_str frame;
    uint8_t *text;
    size_t text_len;
    if (tag == 0) {
        uint8_t *diff;
        size_t len;
        wire_encode(world, true, rf_world_seq(world), &diff, &len);
        tag = diff[3];
        free(diff);
    }
    frame = wire_frame((const uint8_t[]){0x14, 5, 1, tag}, 4, data, size);
    if (rf_read_input(rf_world_schema(world), frame, &input, &error) == RF_OK) {
        while (rf_input_next(&input, &event)) {
            rf_term_reader reader;
            rf_term_read(&reader, event.payload);
            sink += event.name.len + (uint64_t)rf_term_next(&reader).kind;
        }
    } else if (error.offset > frame.len) {
        abort();
    }
    if (rf_input_text(rf_world_schema(world), frame, (rf_str){"tom", 3}, (rf_str){"moved", 5}, rf_allocator_default(),
                      &text, &text_len, &error) == RF_OK)
        sink += text_len;
    free(text);
    free((char *)(uintptr_t)frame.data);
    return 0;
}
