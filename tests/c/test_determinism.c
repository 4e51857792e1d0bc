// The same input gives the same bytes: a golden hash of a whole match, asserted with each compiler at each level.
#include "support.h"

#include <stdlib.h>
#include <string.h>

#define GOLDEN UINT64_C(18314260982222928192)

// FNV-1a, byte by byte: the same on every machine.
static void mix(uint64_t *hash, const void *bytes, size_t len) {
    for (size_t i = 0; i < len; i++) *hash = (*hash ^ ((const uint8_t *)bytes)[i]) * UINT64_C(1099511628211);
}

static void mix_number(uint64_t *hash, uint64_t number) {
    for (int i = 0; i < 8; i++) {
        uint8_t byte = (uint8_t)(number >> (8 * i));
        mix(hash, &byte, 1);
    }
}

static void mix_component(uint64_t *hash, const rf_component *component) {
    mix(hash, component->name.data, component->name.len);
    mix_number(hash, component->removed);
    if (component->removed) return;
    if (component->type == RF_TYPE_F32) {
        for (int i = 0; i < component->count; i++) {
            uint32_t bits;
            memcpy(&bits, &component->as.f32[i], sizeof bits);
            mix_number(hash, bits);
        }
    } else if (component->type == RF_TYPE_I64) {
        mix_number(hash, (uint64_t)component->as.i64);
    } else {
        mix(hash, component->as.term.data, component->as.term.len);
    }
}

static void mix_components(uint64_t *hash, rf_component_iter iter) {
    rf_component component;
    while (rf_component_next(&iter, &component)) mix_component(hash, &component);
}

static void mix_world(uint64_t *hash, const rf_world *world) {
    rf_entity entity = {0};
    while (rf_world_next(world, &entity)) {
        rf_str id = rf_world_id(world, entity);
        mix_number(hash, entity.handle1);
        mix_number(hash, entity.generation);
        mix(hash, id.data, id.len);
        mix_components(hash, rf_world_components(world, entity));
    }
}

static void mix_diff(uint64_t *hash, const rf_world *world, uint64_t from) {
    rf_change change;
    rf_diff *diff;
    ck_assert_int_eq(rf_diff_new(world, from, &diff), RF_OK);
    while (rf_diff_next(diff, &change)) {
        mix_number(hash, (uint64_t)change.kind);
        mix_number(hash, change.handle);
        mix(hash, change.id.data, change.id.len);
        if (change.kind != RF_CHANGE_DELETE) mix_components(hash, change.components);
    }
    rf_diff_free(diff);
}

static uint64_t hash_of_match(uint64_t seed) {
    rf_str text = read_file("priv/demo/freedm-0.12-demo1-MAP21.events.jsonl.gz");
    rf_world_def def = rf_world_def_default();
    rf_json_batch batch = {.text = text};
    uint64_t hash = UINT64_C(14695981039346656037);
    rf_report report;
    rf_world *world;
    rf_fold *fold;
    ck_assert_int_eq(rf_schema_default(def.allocator, &def.schema), RF_OK);
    def.rules = doom_rules(def.allocator, def.schema);
    def.hash_seed = seed;
    ck_assert_int_eq(rf_world_new(&def, &world), RF_OK);
    rf_report_init(&report, def.allocator);
    ck_assert_int_eq(rf_fold_new(world, &report, &fold), RF_OK);
    while (!batch.done) {
        uint64_t from = rf_world_seq(world);
        ck_assert_int_eq(rf_fold_json(fold, &batch, 1000), RF_OK);
        mix_diff(&hash, world, from);
        mix_world(&hash, world);
    }
    mix_number(&hash, report.orphaned);
    rf_fold_free(fold);
    rf_report_free(&report);
    rf_world_free(world);
    rf_rules_release(def.rules);
    rf_schema_release(def.schema);
    free((char *)(uintptr_t)text.data);
    return hash;
}

START_TEST(golden_hash) {
    ck_assert_uint_eq(hash_of_match(0), GOLDEN);
}
END_TEST

START_TEST(the_seed_of_the_id_table_does_not_show) {
    ck_assert_uint_eq(hash_of_match(UINT64_C(0x9e3779b97f4a7c15)), GOLDEN);
}
END_TEST

static void add(TCase *tests) {
    tcase_add_test(tests, golden_hash);
    tcase_add_test(tests, the_seed_of_the_id_table_does_not_show);
}

int main(void) {
    return run_tests("determinism", add);
}
