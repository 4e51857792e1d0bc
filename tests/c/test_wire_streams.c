// The property of a diff, on random streams: applied to the snapshot at a, the diff from a to b gives the snapshot at
// b, for any schema, quantised or not, any length of history, and receivers that have acknowledged any seq; packed, and
// as JSON.
//
// A failure names its seed: SEED=17 RUNS=1 build/test/test_wire_streams does that stream again.
//
// The same bytes go through JavaScript and Elixir (tests/js/streams.test.mjs, tests/elixir/wire_streams_test.exs):
// `test_wire_streams write SEED RUNS` prints random streams, `test_wire_streams match FILE` a recorded one, as lines of
// JSON:
//   {"stream": name}                                      receivers are new
//   {"to": receiver, "packed": hex, "json": text}         a frame, in both formats: a snapshot or a diff
//   {"of": receiver, "seq": n, "entities": {...}, "whole": text}
//       what it must have: of packed frames these, of the others what this snapshot says
#include "followers.h"
#include "random_stream.h"

#include <stdlib.h>
#include <string.h>

#define EVENTS_PER_STEP 1000 // of a match

static unsigned long long number(const char *name, unsigned long long otherwise) {
    const char *text = getenv(name);
    return text ? strtoull(text, NULL, 10) : otherwise;
}

static void follow_random(uint64_t seed, FILE *out) {
    char about[64];
    random_stream stream;
    followers all;
    unsigned steps;
    snprintf(about, sizeof about, "SEED=%llu RUNS=1", (unsigned long long)seed);
    random_stream_start(&stream, seed);
    all = (followers){.sender = stream.sender, .history = stream.history, .lossless = !stream.quantised};
    all.state = &stream.state;
    all.look = 1;
    all.rejoins = true;
    all.about = about;
    all.out = out;
    if (out) fprintf(out, "{\"stream\":\"%s\"}\n", about);
    steps = 2 + random_below(&stream.state, 12);
    for (unsigned i = 1; i <= steps; i++) {
        random_stream_go_on(&stream);
        followers_step(&all, i == steps);
    }
    followers_free(&all);
    random_stream_end(&stream);
}

START_TEST(random_streams) {
    unsigned long long first = number("SEED", 1), runs = number("RUNS", 2000);
    for (unsigned long long i = 0; i < runs; i++) follow_random(first + i, NULL);
}
END_TEST

// A stream is what its seed says, whatever machine it is on.
START_TEST(a_seed_is_a_stream) {
    for (uint64_t seed = 1; seed <= 20; seed++) {
        random_stream a, b;
        rf_encode_def def = {0};
        char *texts[2];
        size_t lens[2];
        random_stream_start(&a, seed);
        random_stream_start(&b, seed);
        for (int i = 0; i < 5; i++) random_stream_go_on(&a);
        for (int i = 0; i < 5; i++) random_stream_go_on(&b);
        ck_assert_int_eq(rf_encode_json(a.sender, &def, rf_allocator_default(), &texts[0], &lens[0]), RF_OK);
        ck_assert_int_eq(rf_encode_json(b.sender, &def, rf_allocator_default(), &texts[1], &lens[1]), RF_OK);
        ck_assert(lens[0] == lens[1] && memcmp(texts[0], texts[1], lens[0]) == 0);
        free(texts[0]);
        free(texts[1]);
        random_stream_end(&a);
        random_stream_end(&b);
    }
}
END_TEST

// ---- for others -------------------------------------------------------------------------------------

static void write_match(const char *path, bool quantised) {
    rf_str text = read_file(path);
    rf_json_batch batch = {.text = text};
    uint64_t state = 1;
    followers all = {.history = 600, .lossless = !quantised, .state = &state, .look = 20, .about = path, .out = stdout};
    rf_world *sender = doom_sender(quantised, all.history);
    rf_report report;
    rf_fold *fold;
    REQUIRE_MSG(text.data, "%s is not there", path);
    all.sender = sender;
    printf("{\"stream\":\"%s\"}\n", quantised ? "quantised" : "lossless");
    rf_report_init(&report, rf_allocator_default());
    REQUIRE(rf_fold_new(sender, &report, &fold) == RF_OK);
    while (!batch.done) {
        REQUIRE(rf_fold_json(fold, &batch, EVENTS_PER_STEP) == RF_OK);
        followers_step(&all, batch.done);
    }
    rf_fold_free(fold);
    rf_report_free(&report);
    followers_free(&all);
    rf_world_free(sender);
    free((char *)(uintptr_t)text.data);
}

static int write_random(unsigned long long first, unsigned long long runs) {
    for (unsigned long long i = 0; i < runs; i++) follow_random(first + i, stdout);
    return ferror(stdout) ? EXIT_FAILURE : EXIT_SUCCESS;
}

static void add(TCase *tests) {
    tcase_set_timeout(tests, 0);
    tcase_add_test(tests, random_streams);
    tcase_add_test(tests, a_seed_is_a_stream);
}

int main(int argc, char **argv) {
    if (argc == 4 && strcmp(argv[1], "write") == 0)
        return write_random(strtoull(argv[2], NULL, 10), strtoull(argv[3], NULL, 10));
    if (argc == 3 && strcmp(argv[1], "match") == 0) {
        write_match(argv[2], false);
        write_match(argv[2], true);
        return ferror(stdout) ? EXIT_FAILURE : EXIT_SUCCESS;
    }
    return run_tests("wire streams", add);
}
