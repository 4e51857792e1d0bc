// wire_world.h: a small world whose schema has every type, for the fuzz targets of the packed format.
#ifndef TESTS_FUZZ_WIRE_WORLD_H
#define TESTS_FUZZ_WIRE_WORLD_H

#include "fold_text.h"
#include "read_world.h"

#include <string.h>

static const char wire_schema[] =
    "{\"format\":\"roomfold-schema\",\"version\":1,\"components\":["
    "{\"name\":\"position\",\"type\":\"f32\",\"count\":3,\"quantise\":{\"step\":0.5,\"min\":-8,\"max\":8}},"
    "{\"name\":\"rotation\",\"type\":\"f32\",\"count\":4,\"quantise\":{\"bits\":5}},"
    "{\"name\":\"f\",\"type\":\"f32\",\"count\":2},{\"name\":\"d\",\"type\":\"f64\"},{\"name\":\"i\",\"type\":\"i64\"},"
    "{\"name\":\"b\",\"type\":\"bool\"},{\"name\":\"s\",\"type\":\"string\"},{\"name\":\"t\",\"type\":\"term\"}],"
    "\"words\":[\"a\",[1],\"n\"]}";

static const char wire_text[] = "[{\"event\":\"create\",\"entity_id\":\"a1\",\"components\":{\"position\":[1,2,3],"
                                "\"rotation\":[0,0.6,0,0.8],\"n1\":1}},"
                                "{\"event\":\"create\",\"entity_id\":\"b\",\"components\":{\"f\":[1,2],\"d\":0.1,\"i\":"
                                "-5,\"b\":true,\"s\":\"x\",\"t\":[1]}},"
                                "{\"event\":\"create\",\"entity_id\":\"c\",\"components\":{\"position\":[100,0,0]}},{"
                                "\"event\":\"delete\",\"entity_id\":\"b\"}]";

static inline rf_world *wire_world(rf_schema *schema, uint64_t seq) {
    rf_world_def def = rf_world_def_default();
    rf_world *world;
    def.schema = schema;
    def.seq = seq;
    def.max_entities = 200;
    def.max_value_bytes = 64;
    def.max_undeclared = 3;
    def.history = 16;
    if (rf_world_new(&def, &world) != RF_OK) abort();
    return world;
}

// A world with two entities and a free handle between them; made once.
static inline const rf_world *wire_first(void) {
    static rf_world *world;
    rf_schema *schema;
    if (world) return world;
    if (rf_schema_from_json(rf_allocator_default(), (rf_str){wire_schema, sizeof wire_schema - 1}, &schema, NULL) !=
        RF_OK)
        abort();
    world = wire_world(schema, 0);
    fold_text(world, (rf_str){wire_text, sizeof wire_text - 1}, 100);
    return world;
}

static inline void wire_encode(const rf_world *world, bool diff, uint64_t from, uint8_t **out, size_t *len) {
    if (rf_encode_packed(world, diff, from, 0, rf_allocator_default(), out, len) != RF_OK) abort();
}

// Checks that a snapshot of the world can be loaded, and gives the same world, which can be read and folded on like any
// other, although it has the first one's handles, with gaps.
static inline void wire_check(const rf_world *world) {
    uint8_t *bytes, *again;
    size_t len, again_len;
    uint64_t seq;
    rf_schema *schema;
    rf_world *other;
    wire_encode(world, false, 0, &bytes, &len);
    if (rf_packed_start(rf_allocator_default(), (rf_str){(char *)bytes, len}, &seq, &schema, NULL) != RF_OK) abort();
    other = wire_world(schema, seq);
    if (rf_load_packed(other, (rf_str){(char *)bytes, len}, NULL) != RF_OK) abort();
    if (rf_world_count(other) != rf_world_count(world)) abort();
    wire_encode(other, false, 0, &again, &again_len);
    read_world(world);
    read_world(other);
    fold_text(other, (rf_str){wire_text, sizeof wire_text - 1}, 100);
    read_world(other);
    rf_schema_release(schema);
    rf_world_free(other);
    free(bytes);
    free(again);
}

// The prefix and the data, in a block of exactly their size, so that reading past the end is detected.
static inline rf_str wire_frame(const uint8_t *prefix, size_t prefix_len, const uint8_t *data, size_t size) {
    char *bytes = malloc(prefix_len + size ? prefix_len + size : 1);
    if (!bytes) abort();
    if (prefix_len > 0) memcpy(bytes, prefix, prefix_len);
    if (size > 0) memcpy(bytes + prefix_len, data, size);
    return (rf_str){bytes, prefix_len + size};
}

#endif
