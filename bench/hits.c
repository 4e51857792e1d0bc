// Hit detection against other engines: N targets move, then M rays are cast, each tick. A room of 100 x 20 x 100 m,
// spheres of radius 0.5 m that walk at most 0.25 m in a tick, rays of 15 m, one thread. Times are medians of rounds in
// which everybody has a turn.
//
//     bench/run    (or: build/bench/hits [PATH [CSV [FIRST LINE]]])      PATH: auto, scalar, sse2, avx2 or neon
#include "peers/peer.h"
#include <math.h>
#include <roomfold/roomfold.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define RADIUS 0.5
#define RANGE 15.0
#define STEP 0.25
#define MAX_ROUNDS 101

static const double room[3] = {100, 20, 100};

static const peer *const peers[] = {
#ifdef HAVE_BULLET
    &peer_bullet,
#endif
#ifdef HAVE_EMBREE
    &peer_embree_build,
    &peer_embree_refit,
#endif
#ifdef HAVE_ODE
    &peer_ode,
#endif
    NULL,
};
enum { PEERS = sizeof peers / sizeof *peers - 1, ALL = PEERS + 1 };

typedef struct scene {
    size_t targets, shots;
    double (*positions)[3], (*from)[3], (*to)[3];
    rf_shot *rays;
    rf_answer *answers;
    rf_hits hits;
} scene;

static uint64_t random_state = 42;

static double random_between(double low, double high) {
    random_state ^= random_state >> 12;
    random_state ^= random_state << 25;
    random_state ^= random_state >> 27;
    return low + (high - low) * (double)((random_state * UINT64_C(2685821657736338717)) >> 11) * 0x1p-53;
}

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec * 1e-9;
}

static void next_tick(scene *of) {
    for (size_t i = 0; i < of->targets; i++)
        for (int axis = 0; axis < 3; axis++) {
            double at = of->positions[i][axis] + random_between(-STEP, STEP) / sqrt(3);
            of->positions[i][axis] = fmin(fmax(at, 0), room[axis]);
        }
    for (size_t i = 0; i < of->shots; i++) {
        double way[3], length = 0;
        for (int axis = 0; axis < 3; axis++) {
            of->from[i][axis] = random_between(0, room[axis]);
            way[axis] = random_between(-1, 1);
            length += way[axis] * way[axis];
        }
        of->rays[i] = (rf_shot){.range = RANGE};
        for (int axis = 0; axis < 3; axis++) {
            of->rays[i].origin[axis] = of->from[i][axis];
            of->rays[i].direction[axis] = way[axis];
            of->to[i][axis] = of->from[i][axis] + way[axis] / sqrt(length) * RANGE;
        }
    }
}

static scene make_scene(size_t targets, size_t shots) {
    scene out = {.targets = targets, .shots = shots, .hits = rf_hits_new(rf_allocator_default(), SIZE_MAX)};
    out.positions = malloc(targets * sizeof *out.positions);
    out.from = malloc(shots * sizeof *out.from);
    out.to = malloc(shots * sizeof *out.to);
    out.rays = malloc(shots * sizeof *out.rays);
    out.answers = malloc(shots * sizeof *out.answers);
    for (size_t i = 0; i < targets; i++)
        for (int axis = 0; axis < 3; axis++) out.positions[i][axis] = random_between(0, room[axis]);
    return out;
}

static void free_scene(scene *of) {
    free(of->positions);
    free(of->from);
    free(of->to);
    free(of->rays);
    free(of->answers);
    rf_hits_free(&of->hits);
}

static rf_space *make_space(const scene *of, rf_simd simd) {
    rf_space_def def = rf_space_def_default();
    rf_space *space;
    def.simd = simd;
    if (rf_space_new(&def, &space) != RF_OK) abort();
    for (size_t i = 0; i < of->targets; i++) {
        char id[16];
        rf_target target = {.collider = rf_collider_sphere(RADIUS), .layers = RF_LAYER_DEFAULT};
        target.collider.centred = true;
        target.id = (rf_str){id, (size_t)snprintf(id, sizeof id, "%zu", i)};
        memcpy(target.position, of->positions[i], sizeof target.position);
        if (rf_space_put(space, (uint32_t)i, &target) != RF_OK) abort();
    }
    return space;
}

static size_t tick_roomfold(rf_space *space, scene *of) {
    of->hits.len = 0;
    for (size_t i = 0; i < of->targets; i++) rf_space_move(space, (uint32_t)i, of->positions[i]);
    if (rf_cast(space, of->rays, of->shots, of->answers, &of->hits) != RF_OK) abort();
    return of->hits.len;
}

static size_t tick_peer(const peer *who, void *world, const scene *of) {
    who->move(world, (const double(*)[3])of->positions, of->targets);
    return who->cast(world, (const double(*)[3])of->from, (const double(*)[3])of->to, of->shots);
}

static int by_size(const void *left, const void *right) {
    double a = *(const double *)left, b = *(const double *)right;
    return (a > b) - (a < b);
}

// ODE goes through all targets for each ray.
static bool too_slow(const peer *who, const scene *of) {
    return strcmp(who->name, "ode") == 0 && of->targets * of->shots > 1000000;
}

static void measure(size_t targets, size_t shots, rf_simd simd, double medians[ALL], size_t hits[ALL]) {
    static double seconds[ALL][MAX_ROUNDS];
    scene of = make_scene(targets, shots);
    rf_space *space = make_space(&of, simd);
    void *worlds[ALL] = {0};
    int rounds = targets * shots > 10000000 ? 11 : targets * shots > 100000 ? 31 : MAX_ROUNDS;
    for (int i = 0; i < PEERS; i++)
        if (!too_slow(peers[i], &of)) worlds[i] = peers[i]->make((const double(*)[3])of.positions, targets, RADIUS);
    for (int i = 0; i < ALL; i++) hits[i] = 0;
    for (int round = -3; round < rounds; round++) { // the first three are for warming up
        next_tick(&of);
        for (int i = 0; i < ALL; i++) {
            double start = now();
            size_t found = 0;
            if (i == 0)
                found = tick_roomfold(space, &of);
            else if (worlds[i - 1])
                found = tick_peer(peers[i - 1], worlds[i - 1], &of);
            if (round < 0) continue;
            seconds[i][round] = now() - start;
            hits[i] += found;
        }
    }
    for (int i = 0; i < ALL; i++) {
        qsort(seconds[i], (size_t)rounds, sizeof **seconds, by_size);
        medians[i] = i == 0 || worlds[i - 1] ? seconds[i][rounds / 2] : 0;
    }
    for (int i = 0; i < PEERS; i++)
        if (worlds[i]) peers[i]->drop(worlds[i]);
    rf_space_free(space);
    free_scene(&of);
}

static void print_line(FILE *csv, size_t targets, size_t shots, const double medians[ALL], const size_t hits[ALL]) {
    printf("%6zu x %-6zu %10.1f us %7.2f M/s", targets, shots, medians[0] * 1e6, (double)shots / medians[0] * 1e-6);
    if (csv) fprintf(csv, "%zu,%zu,%.1f", targets, shots, medians[0] * 1e6);
    for (int i = 1; i < ALL; i++) {
        if (csv && medians[i] == 0) fputs(",", csv);
        if (medians[i] == 0) {
            printf("  %24s", "-");
            continue;
        }
        printf("  %10.1f us %5.1f x%s", medians[i] * 1e6, medians[i] / medians[0],
               hits[i] * 100 < hits[0] * 99 || hits[i] * 99 > hits[0] * 100 ? " (other hits)" : "");
        if (csv) fprintf(csv, ",%.1f", medians[i] * 1e6);
    }
    putchar('\n');
    if (csv) putc('\n', csv);
    fflush(stdout);
}

static rf_simd read_path(const char *name) {
    for (int i = 0; i < RF_SIMD_COUNT; i++)
        if (strcmp(name, rf_simd_name((rf_simd)i)) == 0 && rf_simd_available((rf_simd)i)) return (rf_simd)i;
    fprintf(stderr, "hits: this processor or build does not have %s\n", name);
    exit(2);
}

int main(int argc, char **argv) {
    static const size_t sizes[] = {100, 1000, 10000};
    rf_simd simd = argc > 1 && strcmp(argv[1], "auto") != 0 ? read_path(argv[1]) : rf_simd_best();
    FILE *csv = argc > 2 ? fopen(argv[2], "w") : NULL;
    printf("targets x shots, moving all targets included; path: %s; others: %s\n", rf_simd_name(simd),
           PEERS ? "their time, and how many times ours it is" : "none here");
    printf("%-15s %24s", "", "roomfold");
    for (int i = 0; i < PEERS; i++) printf("  %18s", peers[i]->name);
    putchar('\n');
    if (csv && argc > 3) fprintf(csv, "%s\n", argv[3]);
    if (csv) fprintf(csv, "targets,shots,roomfold (%s) us", rf_simd_name(simd));
    for (int i = 0; i < PEERS && csv; i++) fprintf(csv, ",%s us", peers[i]->name);
    if (csv) putc('\n', csv);
    for (int n = 0; n < 3; n++)
        for (int m = 0; m < 3; m++) {
            double medians[ALL];
            size_t hits[ALL];
            measure(sizes[n], sizes[m], simd, medians, hits);
            print_line(csv, sizes[n], sizes[m], medians, hits);
        }
    return csv && fclose(csv) != 0 ? 1 : 0;
}
