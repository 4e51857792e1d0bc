// Folding JSON Lines in C against yyjson's parsing alone: how much more than reading it costs it to have it in a world?
//
//     bench/run    (or: build/bench/parse EVENTS RULES [CSV])      EVENTS: JSON Lines; a line is added to CSV
#include <roomfold/roomfold.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <yyjson.h>

#define ROUNDS 15

// Of this thread, so that it does not matter what else the machine does.
static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return (double)time.tv_sec + (double)time.tv_nsec * 1e-9;
}

static rf_str read_file(const char *path) {
    FILE *file = fopen(path, "rb");
    rf_str out = {0};
    char *data;
    long size;
    if (!file || fseek(file, 0, SEEK_END) != 0 || (size = ftell(file)) < 0) return out;
    rewind(file);
    data = malloc((size_t)size + 1);
    out = (rf_str){data, fread(data, 1, (size_t)size, file)};
    fclose(file);
    return out;
}

// Seconds for the whole text, line by line, from one pool of memory: yyjson at its best.
static double parse(rf_str text, uint64_t *events) {
    static char pool[1 << 20];
    const char *at = text.data, *end = at + text.len;
    double start = now();
    yyjson_alc memory;
    yyjson_alc_pool_init(&memory, pool, sizeof pool);
    *events = 0;
    while (at < end) {
        const char *feed = memchr(at, '\n', (size_t)(end - at));
        size_t len = (size_t)((feed ? feed : end) - at);
        yyjson_doc *doc = yyjson_read_opts((char *)(uintptr_t)at, len, 0, &memory, NULL);
        *events += doc != NULL;
        yyjson_doc_free(doc);
        at += len + 1;
    }
    return now() - start;
}

static double fold(const rf_world_def *def, rf_str text, uint64_t *events) {
    rf_json_batch batch = {.text = text};
    rf_report report;
    rf_world *world;
    rf_fold *into;
    double start, seconds;
    if (rf_world_new(def, &world) != RF_OK) abort();
    rf_report_init(&report, def->allocator);
    if (rf_fold_new(world, &report, &into) != RF_OK) abort();
    start = now();
    while (!batch.done)
        if (rf_fold_json(into, &batch, 1000) != RF_OK) abort();
    seconds = now() - start;
    *events = report.folded;
    rf_fold_free(into);
    rf_report_free(&report);
    rf_world_free(world);
    return seconds;
}

static int by_size(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(double *times) {
    qsort(times, ROUNDS, sizeof *times, by_size);
    return times[ROUNDS / 2];
}

static void add_to_csv(const char *path, const char *events, double parsed_ns, double folded_ns) {
    const char *slash = strrchr(events, '/'), *name = slash ? slash + 1 : events;
    FILE *csv = fopen(path, "a");
    if (!csv) abort();
    fprintf(csv, "%.*s,%.1f,%.1f,%.2f\n", (int)strcspn(name, "."), name, parsed_ns, folded_ns, folded_ns / parsed_ns);
    fclose(csv);
}

int main(int argc, char **argv) {
    double parsing[ROUNDS], folding[ROUNDS], parsed_ns, folded_ns;
    rf_world_def def = rf_world_def_default();
    uint64_t parsed = 0, folded = 0;
    rf_str text, rules;
    if (argc < 3 || !(text = read_file(argv[1])).data || !(rules = read_file(argv[2])).data) {
        fprintf(stderr, "usage: parse EVENTS RULES [CSV]\n");
        return 2;
    }
    if (rf_schema_default(def.allocator, &def.schema) != RF_OK ||
        rf_rules_from_json(def.allocator, def.schema, rules, &def.rules, NULL) != RF_OK)
        abort();
    fold(&def, text, &folded);
    for (int i = 0; i < ROUNDS; i++) {
        parsing[i] = parse(text, &parsed);
        folding[i] = fold(&def, text, &folded);
    }
    parsed_ns = median(parsing) * 1e9 / (double)parsed;
    folded_ns = median(folding) * 1e9 / (double)folded;
    printf("%-28s yyjson %s parses only %6.1f ns/event, roomfold parses, checks and folds %6.1f: x %.2f\n", argv[1],
           YYJSON_VERSION_STRING, parsed_ns, folded_ns, folded_ns / parsed_ns);
    if (argc > 3) add_to_csv(argv[3], argv[1], parsed_ns, folded_ns);
    rf_rules_release(def.rules);
    rf_schema_release(def.schema);
    return 0;
}
