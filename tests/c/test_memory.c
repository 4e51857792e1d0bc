// Every allocation fails once: no crash, no leak, and what is left is a world that can be read, copied and folded on.
#include "support.h"

#include <stdlib.h>
#include <string.h>

static const char scenario[] =
    "{\"event\":\"create\",\"entity_id\":\"a\",\"components\":{\"position\":[1,2,3],\"kind\":\"door\",\"list\":[1,{"
    "\"b\":2,\"a\":1}]}}\n"
    "{\"event\":\"create\",\"entity_id\":\"an id of more than fifteen bytes\",\"components\":{\"health\":5}}\n"
    "{\"event\":\"update\",\"entity_id\":\"a\",\"components\":{\"kind\":\"a longer kind than before, so that it "
    "moves\",\"z\":null,\"list\":null}}\n"
    "{\"event_name\":\"player_spawned\",\"user_id\":\"tom\",\"position\":[1,2,3],\"health\":100,\"collider\":{"
    "\"shape\":\"box\"}}\n"
    "{\"event_name\":\"weapon_collected\",\"user_id\":\"tom\",\"weapon\":\"shotgun\",\"item_id\":\"a\"}\n"
    "{\"event_name\":\"weapon_collected\",\"user_id\":\"tom\",\"weapon\":\"pistol\",\"item_id\":\"none\"}\n"
    "{\"event_name\":\"player_hit\",\"user_id\":\"tom\",\"damage\":5,\"health\":95}\n"
    "{\"event\":\"update\",\"entity_id\":\"tom\",\"components\":{\"position\":\"wrong\",\"\\u0065scaped\":\"\\n\"}}\n"
    "{\"event\":\"cre\n"
    "{\"event\":\"delete\",\"entity_id\":\"an id of more than fifteen bytes\"}\n"
    "{\"event\":\"create\",\"entity_id\":\"tom\",\"components\":{\"kind\":\"ghost\"}}\n"
    "{\"created\":[\"c\",\"\\u0063c\"],\"doors\":[{\"id\":\"\\u0061\",\"health\":1},{\"id\":\"c\",\"n\":[1]}],"
    "\"deleted\":[\"none\"]}\n"
    "{\"position\":{\"a\":[3,2,1],\"c\":null},\"n\":{\"c\":{\"k\":[2]}}}\n"
    "{\"bats\":[{\"id\":\"an id of more than fifteen "
    "bytes\",\"n\":[\"\\u0061\"]},{\"id\":\"t\\u006fm\",\"list\":[1]}]}\n"
    "{\"o\":{\"1\":1,\"2\":1,\"3\":1,\"4\":1,\"5\":1,\"6\":1,\"7\":1,\"8\":1,\"9\":1,\"10\":1},\"event\":\"create\","
    "\"entity_id\":\"b\",\"components\":{}}\n";

static rf_status make_world(rf_allocator allocator, rf_world **out) {
    rf_world_def def = rf_world_def_default();
    rf_str text = read_file("priv/rules/doom.json");
    rf_status status;
    rf_error error;
    def.allocator = allocator;
    *out = NULL;
    status = rf_schema_default(allocator, &def.schema);
    if (status == RF_OK) status = rf_rules_from_json(allocator, def.schema, text, &def.rules, &error);
    if (status == RF_OK) status = rf_world_new(&def, out);
    rf_rules_release(def.rules);
    rf_schema_release(def.schema);
    free((char *)(uintptr_t)text.data);
    return status;
}

static rf_status fold(rf_world *world, rf_allocator allocator) {
    rf_json_batch batch = {.text = STR(scenario)};
    rf_report report;
    rf_fold *into;
    rf_status status;
    rf_report_init(&report, allocator);
    status = rf_fold_new(world, &report, &into);
    while (status == RF_OK && !batch.done) status = rf_fold_json(into, &batch, 1);
    rf_fold_free(into);
    rf_report_free(&report);
    return status;
}

static rf_status everything(rf_allocator allocator, rf_world **world) {
    rf_world *copy = NULL;
    rf_diff *diff = NULL;
    rf_status status = make_world(allocator, world);
    if (status == RF_OK) status = fold(*world, allocator);
    if (status == RF_OK) status = rf_diff_new(*world, 0, &diff);
    if (status == RF_OK) status = rf_world_copy(*world, &copy);
    rf_diff_free(diff);
    rf_world_free(copy);
    return status;
}

// The world reads as well as ever, and goes on.
static void check_usable(rf_world *world) {
    json_t *before = world_json(world), *diff = diff_json(world, 0), *from_nothing = json_object(), *after;
    rf_report report;
    rf_world *copy;
    apply_json(from_nothing, diff);
    ck_assert(json_equal(from_nothing, before));
    ck_assert_int_eq(rf_world_copy(world, &copy), RF_OK);
    after = world_json(copy);
    ck_assert(json_equal(before, after));
    report = fold_text(world, STR(scenario));
    ck_assert_ptr_nonnull(rf_world_find(world, STR("tom")).handle1 ? world : NULL);
    rf_report_free(&report);
    rf_world_free(copy);
    json_decref(before);
    json_decref(diff);
    json_decref(from_nothing);
    json_decref(after);
}

// All after it fail, too, or (1) only it does.
START_TEST(every_allocation_fails_once) {
    test_memory memory = {.once = _i == 1};
    rf_world *world;
    long count;
    ck_assert_int_eq(everything(test_allocator(&memory), &world), RF_OK);
    rf_world_free(world);
    ck_assert_int_eq(memory.blocks, 0);
    count = memory.allocations;
    ck_assert_int_gt(count, 50);
    for (long n = 1; n <= count; n++) {
        memory = (test_memory){.fail_at = n, .once = _i == 1};
        // An entry of a report that found no memory is only counted, so a late failure may go unnoticed there.
        everything(test_allocator(&memory), &world);
        memory.fail_at = 0;
        if (world) check_usable(world);
        rf_world_free(world);
        ck_assert_msg(memory.blocks == 0, "%ld blocks are left when allocation %ld fails", memory.blocks, n);
    }
}
END_TEST

START_TEST(what_a_world_says_it_uses_is_what_it_uses) {
    test_memory memory = {0};
    rf_world *world;
    ck_assert_int_eq(make_world(test_allocator(&memory), &world), RF_OK);
    for (int i = 0; i < 3; i++) ck_assert_int_eq(fold(world, test_allocator(&memory)), RF_OK);
    ck_assert_uint_gt(rf_world_memory(world), 0);
    rf_world_free(world);
    ck_assert_int_eq(memory.blocks, 0);
}
END_TEST

// ---- what reads a world, or makes something else ------------------------------------------------------

static const char packed_text[] =
    "{\"event\":\"create\",\"entity_id\":\"an id of more than fifteen bytes\",\"components\":{\"health\":5,"
    "\"note\":[1,{\"b\":2}]},\"more\":{\"z\":1}}\n"
    "{\"event\":\"update\",\"entity_id\":\"a\",\"components\":{\"position\":[1,2,3],\"kind\":\"door\"}}\n"
    "{\"event\":\"delete\",\"entity_id\":\"a\"}\n";

// What the operations below are given.
typedef struct given {
    rf_world *world; // in the memory that runs out
    rf_allocator allocator;
    rf_str events, snapshot, diff; // frames; the diff is from the snapshot
    uint64_t seq;                  // of the snapshot
} given;

typedef rf_status operation(const given *in);

static rf_status write_json(const given *in) {
    for (int i = 0; i < 6; i++) {
        rf_encode_def def = {.by = (rf_by)(i % 3), .diff = i >= 3};
        char *text;
        size_t len;
        rf_status status = rf_encode_json(in->world, &def, in->allocator, &text, &len);
        if (status != RF_OK) return status;
        in->allocator.resize(in->allocator.context, text, 0);
    }
    return RF_OK;
}

static rf_status write_packed(const given *in) {
    for (int diff = 0; diff < 2; diff++) {
        uint8_t *bytes;
        size_t len;
        rf_status status = rf_encode_packed(in->world, diff, 0, 0, in->allocator, &bytes, &len);
        if (status != RF_OK) return status;
        in->allocator.resize(in->allocator.context, bytes, 0);
    }
    return RF_OK;
}

static rf_status write_events(const given *in) {
    uint8_t *bytes;
    char *text;
    size_t len;
    rf_status status = rf_events_text(in->world, in->events, in->allocator, &bytes, &len, NULL);
    if (status != RF_OK) return status;
    in->allocator.resize(in->allocator.context, bytes, 0);
    status = rf_events_to_json(in->world, in->events, in->allocator, &text, &len, NULL);
    if (status == RF_OK) in->allocator.resize(in->allocator.context, text, 0);
    return status;
}

static rf_status take_in(const given *in) {
    const rf_str texts[] = {STR("{\"event\":\"create\",\"entity_id\":\"of tom\",\"components\":{\"owner\":\"tom\"}}"),
                            STR("{\"event\":\"update\",\"entity_id\":\"of tom\",\"components\":{\"\\u0061\":[1,{}]}}"),
                            STR("{\"event_name\":\"jump\"}")};
    const rf_item items[] = {{.by = STR("tom"), .texts = texts, .count = 2},
                             {.by = STR("tom"), .texts = texts + 2, .count = 1}};
    rf_admission *admission;
    rf_error error;
    uint64_t first;
    size_t index;
    rf_status status = rf_admission_new(in->world, 7, &admission);
    if (status == RF_OK) status = rf_admit(admission, &items[0], &first, &error, &index);
    if (status == RF_OK) {
        status = rf_admit(admission, &items[1], &first, &error, &index);
        ck_assert(status == RF_UNKNOWN_EVENT || status == RF_NO_MEMORY);
        if (status == RF_UNKNOWN_EVENT) status = RF_OK;
    }
    rf_admission_free(admission);
    return status;
}

// Into a world of its own. Only want of memory may stop a diff half way; the world can still be read then.
static rf_status mirror(const given *in) {
    rf_world_def def = rf_world_def_default();
    rf_world *world;
    rf_schema *schema;
    rf_status status = rf_packed_start(in->allocator, in->snapshot, &def.seq, &schema, NULL);
    if (status != RF_OK) return status;
    def.allocator = in->allocator;
    def.schema = schema;
    status = rf_world_new(&def, &world);
    if (status == RF_OK) status = rf_load_packed(world, in->snapshot, NULL);
    if (status == RF_OK) status = rf_apply_packed(world, in->diff, NULL);
    if (world) json_decref(world_json(world));
    rf_world_free(world);
    rf_schema_release(schema);
    return status;
}

// Into a copy. A frame is checked before anything of it is folded.
static rf_status fold_frame(const given *in) {
    rf_packed_batch batch = {.frame = in->events};
    rf_report report;
    rf_fold *fold = NULL;
    rf_world *copy;
    rf_status status = rf_world_copy(in->world, &copy);
    rf_report_init(&report, in->allocator);
    if (status == RF_OK) status = rf_fold_new(copy, &report, &fold);
    while (status == RF_OK && !batch.done) status = rf_fold_packed(fold, &batch, 1, NULL);
    rf_fold_free(fold);
    rf_report_free(&report);
    if (copy) json_decref(world_json(copy));
    rf_world_free(copy);
    return status;
}

static rf_status read_schema(const given *in) {
    rf_schema *schema;
    rf_status status =
        rf_schema_from_json(in->allocator,
                            STR("{\"format\":\"roomfold-schema\",\"version\":1,\"words\":[\"a\",{\"b\":1}],"
                                "\"components\":[{\"name\":\"n\",\"type\":\"f32\",\"count\":3}]}"),
                            &schema, NULL);
    rf_schema_release(schema);
    return status;
}

static rf_str packed_events(rf_schema *schema) {
    rf_packer *packer;
    rf_str frame;
    char *copy;
    ck_assert_int_eq(rf_packer_new(rf_allocator_default(), schema, 0, &packer), RF_OK);
    for (const char *at = packed_text; *at; at = strchr(at, '\n') + 1)
        ck_assert_int_eq(rf_packer_add(packer, (rf_str){at, strcspn(at, "\n")}, NULL), RF_OK);
    ck_assert_int_eq(rf_packer_frame(packer, &frame), RF_OK);
    copy = malloc(frame.len);
    memcpy(copy, frame.data, frame.len);
    rf_packer_free(packer);
    return (rf_str){copy, frame.len};
}

static rf_str packed_state(const rf_world *world, bool diff, uint64_t from) {
    uint8_t *bytes;
    size_t len;
    ck_assert_int_eq(rf_encode_packed(world, diff, from, 0, rf_allocator_default(), &bytes, &len), RF_OK);
    return (rf_str){(char *)bytes, len};
}

static const struct {
    const char *name;
    operation *run;
} operations[] = {
    {"JSON out", write_json}, {"packed out", write_packed},  {"events as text", write_events}, {"admission", take_in},
    {"packed in", mirror},    {"a packed fold", fold_frame}, {"a schema", read_schema},
};

// later: whether the allocations after the one that fails fail, too.
static void fail_each(const char *name, operation *run, given *in, test_memory *memory, bool later) {
    json_t *before = world_json(in->world);
    long blocks = memory->blocks;
    rf_status status = RF_NO_MEMORY;
    for (long n = 1; status != RF_OK; n++) {
        json_t *after;
        memory->fail_at = n;
        memory->once = !later;
        memory->failed = false;
        status = run(in);
        if (!memory->failed) ck_assert_msg(status == RF_OK, "%s: %s", name, rf_status_name(status));
        if (memory->failed && status == RF_OK) status = RF_NO_MEMORY; // it could do without
        ck_assert_msg(status == RF_OK || status == RF_NO_MEMORY, "%s: %s", name, rf_status_name(status));
        memory->fail_at = 0;
        ck_assert_msg(memory->blocks == blocks, "%s leaves %ld blocks when allocation %ld fails", name,
                      memory->blocks - blocks, n);
        after = world_json(in->world);
        ck_assert_msg(json_equal(before, after), "%s changes the world when allocation %ld fails", name, n);
        json_decref(after);
        ck_assert_int_lt(n, 10000);
    }
    json_decref(before);
}

START_TEST(other_calls_give_everything_back_when_memory_runs_out) {
    test_memory memory = {0};
    given in = {.allocator = test_allocator(&memory)};
    rf_report report;
    ck_assert_int_eq(make_world(in.allocator, &in.world), RF_OK);
    ck_assert_int_eq(fold(in.world, in.allocator), RF_OK);
    in.events = packed_events((rf_schema *)(uintptr_t)rf_world_schema(in.world));
    in.seq = rf_world_seq(in.world);
    in.snapshot = packed_state(in.world, false, 0);
    report = fold_text(in.world, STR(packed_text));
    rf_report_free(&report);
    in.diff = packed_state(in.world, true, in.seq);
    for (size_t i = 0; i < sizeof operations / sizeof *operations; i++)
        for (int later = 0; later < 2; later++) fail_each(operations[i].name, operations[i].run, &in, &memory, later);
    free((char *)(uintptr_t)in.events.data);
    free((char *)(uintptr_t)in.snapshot.data);
    free((char *)(uintptr_t)in.diff.data);
    rf_world_free(in.world);
    ck_assert_int_eq(memory.blocks, 0);
}
END_TEST

static void add(TCase *tests) {
    tcase_add_loop_test(tests, every_allocation_fails_once, 0, 2);
    tcase_add_test(tests, what_a_world_says_it_uses_is_what_it_uses);
    tcase_add_test(tests, other_calls_give_everything_back_when_memory_runs_out);
}

int main(void) {
    return run_tests("memory", add);
}
