// fuzz_level.c: any text as a level; one that is read is added to a space, whose walls and sectors must be the level's,
// on every SIMD path, and shots and a moving shape are cast through it: all paths hit the same.
#include <roomfold/roomfold.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define SHOTS 4

// Across the level at several heights, as rays and as spheres.
static void shoot(rf_space *space, rf_answer *answers, rf_hits *hits) {
    rf_shot shots[SHOTS];
    for (unsigned i = 0; i < SHOTS; i++) {
        shots[i] = (rf_shot){.kind = i < 2 ? RF_SHOT_ALL : RF_SHOT_FIRST,
                             .origin = {-1, i * 0.25, -1},
                             .direction = {1, 0, 1 + i * 0.1},
                             .range = 100};
        if (i % 2 == 1) shots[i].collider = rf_collider_sphere(0.25);
    }
    *hits = rf_hits_new(rf_allocator_default(), 10000);
    if (rf_cast(space, shots, SHOTS, answers, hits) != RF_OK) abort();
}

static void cast(const rf_level *level) {
    rf_answer first[SHOTS];
    rf_hits hits = {0};
    for (int simd = RF_SIMD_AUTO; simd <= RF_SIMD_NEON; simd++) {
        rf_space_def def = rf_space_def_default();
        rf_answer answers[SHOTS];
        rf_space *space;
        rf_hits found;
        def.simd = (rf_simd)simd;
        if (rf_space_new(&def, &space) != RF_OK) continue; // not on this machine
        if (rf_space_add_level(space, level, RF_LAYER_DEFAULT, NULL, NULL) == RF_OK) {
            if (rf_space_walls(space) != rf_level_walls(level) || rf_space_sectors(space) != rf_level_sectors(level))
                abort();
            if (rf_space_commit(space, 1, 0) != RF_OK) abort();
            shoot(space, answers, &found);
            if (simd == RF_SIMD_AUTO) {
                memcpy(first, answers, sizeof first);
                hits = found;
            } else {
                if (found.len != hits.len) abort();
                for (unsigned i = 0; i < SHOTS; i++)
                    if (first[i].status != answers[i].status || first[i].count != answers[i].count) abort();
                for (size_t i = 0; i < found.len; i++)
                    if (found.items[i].number != hits.items[i].number || found.items[i].t != hits.items[i].t) abort();
                rf_hits_free(&found);
            }
        }
        rf_space_free(space);
    }
    if (hits.items) rf_hits_free(&hits);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    char *text = malloc(size ? size : 1); // exactly this size, so that reading past the end is detected
    rf_level *level;
    rf_error error = {0};
    memcpy(text, data, size);
    if (rf_level_from_json(rf_allocator_default(), (rf_str){text, size}, 0.5, &level, &error) == RF_OK) {
        cast(level);
        rf_level_free(level);
    } else if (error.status == RF_OK) {
        abort();
    }
    free(text);
    return 0;
}
