// The same input gives the same bytes: golden hashes of a whole match and of many shots, asserted with each compiler at
// each level, the shots on every SIMD path.
#include "support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define GOLDEN UINT64_C(18314260982222928192)
#define GOLDEN_HITS UINT64_C(6914059381671418654)

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

static double random_number(uint64_t *state, double reach) {
    return ((double)(next_random(state) >> 11) * 0x1p-53 - 0.5) * 2 * reach;
}

static void random_point(uint64_t *state, double reach, double out[3]) {
    for (int i = 0; i < 3; i++) out[i] = random_number(state, reach);
}

static rf_collider random_collider(uint64_t *state, int kind) {
    double size = random_number(state, 0.5) + 0.6, other = random_number(state, 0.5) + 0.6;
    if (kind == 0) return rf_collider_box(size, other);
    return kind == 1 ? rf_collider_sphere(size) : kind == 2 ? rf_collider_capsule(size, other * 4) : (rf_collider){0};
}

static void fill_space(rf_space *space, uint64_t *state) {
    ck_assert_int_eq(rf_space_add_sector(space, (rf_sector){-2, 5}, NULL), RF_OK);
    ck_assert_int_eq(rf_space_add_sector(space, (rf_sector){-4, 1}, NULL), RF_OK);
    for (int i = 0; i < 60; i++) {
        double corners[3][3], high[3];
        rf_wall wall = {.bottom = -1e9, .top = 1e9, .back = i % 2 ? 1 : RF_NO_SECTOR, .layers = 1};
        for (int corner = 0; corner < 3; corner++) random_point(state, 30, corners[corner]);
        for (int axis = 0; axis < 3; axis++) high[axis] = corners[0][axis] + 2;
        wall.x1 = corners[1][0];
        wall.z1 = corners[1][2];
        wall.x2 = corners[2][0];
        wall.z2 = corners[2][2];
        ck_assert_int_eq(rf_space_add_wall(space, &wall, NULL), RF_OK);
        ck_assert_int_eq(rf_space_add_box(space, corners[0], high, 1, NULL), RF_OK);
        ck_assert_int_eq(rf_space_add_triangle(space, (const double(*)[3])corners, 1, NULL), RF_OK);
    }
    for (uint32_t key = 0; key < 400; key++) {
        char id[16];
        rf_target target = {.collider = random_collider(state, (int)(key % 3)), .layers = 1};
        target.id = (rf_str){id, (size_t)snprintf(id, sizeof id, "t%u", key)};
        random_point(state, 30, target.position);
        ck_assert_int_eq(rf_space_put(space, key, &target), RF_OK);
    }
}

static void mix_doubles(uint64_t *hash, const double *values, int count) {
    for (int i = 0; i < count; i++) {
        uint64_t bits;
        memcpy(&bits, &values[i], sizeof bits);
        mix_number(hash, bits);
    }
}

static void mix_shots(uint64_t *hash, rf_space *space, uint64_t *state, rf_moment moment) {
    rf_hits hits = rf_hits_new(rf_allocator_default(), SIZE_MAX);
    for (int i = 0; i < 3000; i++) {
        rf_shot shot = {.kind = RF_SHOT_ALL, .range = 40, .moment = moment};
        rf_answer answer;
        shot.collider = random_collider(state, i % 2 ? 3 : i / 2 % 2);
        random_point(state, 30, shot.origin);
        random_point(state, 1, shot.direction);
        ck_assert_int_eq(rf_cast(space, &shot, 1, &answer, &hits), RF_OK);
        mix_number(hash, answer.count);
    }
    for (size_t i = 0; i < hits.len; i++) {
        mix_number(hash, hits.items[i].kind);
        mix_number(hash, hits.items[i].number);
        mix_doubles(hash, &hits.items[i].t, 1);
        mix_doubles(hash, hits.items[i].point, 3);
        mix_doubles(hash, hits.items[i].normal, 3);
    }
    rf_hits_free(&hits);
}

static uint64_t hash_of_shots(rf_simd simd) {
    rf_space_def def = rf_space_def_default();
    uint64_t state = 1, hash = UINT64_C(14695981039346656037);
    rf_space *space;
    def.simd = simd;
    ck_assert_int_eq(rf_space_new(&def, &space), RF_OK);
    fill_space(space, &state);
    ck_assert_int_eq(rf_space_commit(space, 1, 0), RF_OK);
    for (uint32_t key = 0; key < 400; key++) {
        double position[3];
        random_point(&state, 30, position);
        ck_assert_int_eq(rf_space_move(space, key, position), RF_OK);
    }
    ck_assert_int_eq(rf_space_commit(space, 2, 50), RF_OK);
    mix_shots(&hash, space, &state, (rf_moment){0});
    mix_shots(&hash, space, &state, (rf_moment){RF_AT_TIME, 13.7});
    rf_space_free(space);
    return hash;
}

START_TEST(golden_hash_of_shots) {
    for (int simd = RF_SIMD_AUTO; simd < RF_SIMD_COUNT; simd++)
        if (rf_simd_available((rf_simd)simd)) ck_assert_uint_eq(hash_of_shots((rf_simd)simd), GOLDEN_HITS);
}
END_TEST

static void add(TCase *tests) {
    tcase_add_test(tests, golden_hash);
    tcase_add_test(tests, golden_hash_of_shots);
    tcase_add_test(tests, the_seed_of_the_id_table_does_not_show);
}

int main(void) {
    return run_tests("determinism", add);
}
