// fold.c: folds JSON Lines of events from standard input, then prints the health of each entity and what the last event
// changed.
//
//     cc fold.c $(pkg-config --cflags --libs roomfold) -o fold
#include <roomfold/roomfold.h>

#include <stdio.h>
#include <stdlib.h>

static const char rules_text[] = "{\"format\": \"roomfold-rules\", \"version\": 1, \"events\": {"
                                 "\"player_healed\": {\"do\": [{\"op\": \"add\", \"entity\": \"user_id\","
                                 "\"component\": \"health\", \"value\": {\"field\": \"amount\"},"
                                 "\"min\": 0, \"max\": 100}]}}}";

static rf_str text(const char *from, size_t len) {
    return (rf_str){from, len};
}

static void check(rf_status status, const char *what) {
    if (status == RF_OK) return;
    fprintf(stderr, "%s: %s\n", what, rf_status_message(status));
    exit(1);
}

static rf_world *make_world(void) {
    rf_world_def def = rf_world_def_default();
    rf_world *world;
    rf_error error;
    check(rf_schema_default(def.allocator, &def.schema), "schema");
    check(rf_rules_from_json(def.allocator, def.schema, text(rules_text, sizeof rules_text - 1), &def.rules, &error),
          "rules");
    check(rf_world_new(&def, &world), "world");
    rf_rules_release(def.rules); // the world keeps both
    rf_schema_release(def.schema);
    return world;
}

static void fold(rf_world *world, rf_str events) {
    rf_json_batch batch = {.text = events};
    rf_report report;
    rf_fold *fold;
    rf_report_init(&report, rf_allocator_default());
    check(rf_fold_new(world, &report, &fold), "fold");
    while (!batch.done)
        check(rf_fold_json(fold, &batch, 1000), "fold"); // fails only without memory; bad events are in the report
    printf("folded %llu, orphaned %llu, rejected %llu\n", (unsigned long long)report.folded,
           (unsigned long long)report.orphaned, (unsigned long long)report.rejected_count);
    for (unsigned i = 0; i < report.rejected_len; i++)
        printf("event %llu: %s\n", (unsigned long long)report.rejected[i].index,
               rf_status_message(report.rejected[i].status));
    rf_fold_free(fold);
    rf_report_free(&report);
}

static void print_health(const rf_world *world) {
    const rf_str health = text("health", 6);
    rf_entity entity = {0};
    rf_component value;
    while (rf_world_next_with(world, &health, 1, &entity)) {
        rf_str id = rf_world_id(world, entity);
        if (rf_world_get(world, entity, health, &value))
            printf("%.*s has %lld\n", (int)id.len, id.data, (long long)value.as.i64);
    }
}

static void print_last_change(const rf_world *world) {
    rf_allocator allocator = rf_allocator_default();
    uint64_t seq = rf_world_seq(world);
    rf_encode_def def = {.diff = true, .from = seq > 0 ? seq - 1 : 0};
    char *json;
    size_t len;
    check(rf_encode_json(world, &def, allocator, &json, &len), "diff");
    printf("%.*s\n", (int)len, json);
    allocator.resize(allocator.context, json, 0); // with the allocator that made it
}

int main(void) {
    static char events[1 << 20];
    size_t len = fread(events, 1, sizeof events, stdin);
    rf_world *world = make_world();
    fold(world, text(events, len));
    print_health(world);
    print_last_change(world);
    rf_world_free(world);
    return 0;
}
