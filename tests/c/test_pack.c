// Events that are JSON text as packed frames (rf_packer): they mean the same, and a bad one leaves nothing behind.
#include "core/base/hash.h"
#include "core/fold/text_table.h"
#include "support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static rf_packer *new_packer(const rf_world *world, rf_allocator allocator) {
    rf_packer *packer;
    ck_assert_int_eq(rf_packer_new(allocator, (rf_schema *)(uintptr_t)rf_world_schema(world), 1, &packer), RF_OK);
    return packer;
}

// The world after a frame is folded into a new one.
static json_t *folded(rf_str frame) {
    rf_world *world = doom_world(rf_allocator_default());
    rf_packed_batch batch = {.frame = frame};
    rf_report report;
    rf_fold *fold;
    json_t *out;
    rf_report_init(&report, rf_allocator_default());
    ck_assert_int_eq(rf_fold_new(world, &report, &fold), RF_OK);
    while (!batch.done) ck_assert_int_eq(rf_fold_packed(fold, &batch, 100, NULL), RF_OK);
    out = world_json(world);
    rf_fold_free(fold);
    rf_report_free(&report);
    rf_world_free(world);
    return out;
}

// ---- depth --------------------------------------------------------------------------------------------

// `depth` lists inside one another.
static char *nested(char *at, int depth) {
    memset(at, '[', (size_t)depth);
    memset(at + depth, ']', (size_t)depth);
    return at + 2 * depth;
}

// `before`, a value of this depth, `behind`.
static rf_str event_of_depth(char text[1024], const char *before, int depth, const char *behind) {
    char *at = text + sprintf(text, "%s", before);
    at = nested(at, depth);
    at += sprintf(at, "%s", behind);
    return (rf_str){text, (size_t)(at - text)};
}

START_TEST(components_are_as_deep_as_a_fold_takes_them) {
    rf_world *world = doom_world(rf_allocator_default());
    rf_packer *packer = new_packer(world, rf_allocator_default());
    char text[1024];
    rf_str event =
        event_of_depth(text, "{\"event\":\"create\",\"entity_id\":\"a\",\"components\":{\"deep\":", 62, "}}");
    rf_report report = fold_text(world, event);
    rf_str frame;
    rf_error error;
    json_t *from_text = world_json(world), *from_frame;
    ck_assert_uint_eq(report.rejected_count, 0);
    ck_assert_int_eq(rf_packer_add(packer, event, &error), RF_OK);
    ck_assert_int_eq(rf_packer_frame(packer, &frame), RF_OK);
    from_frame = folded(frame);
    ck_assert(json_equal(from_text, from_frame));
    ck_assert_uint_eq(json_object_size(json_object_get(from_text, "a")), 1);
    json_decref(from_text);
    json_decref(from_frame);
    rf_report_free(&report);
    rf_packer_free(packer);
    rf_world_free(world);
}
END_TEST

// Where frames have a field, its value is a term, of 62 levels.
START_TEST(what_is_deeper_is_refused_at_its_bracket) {
    static const struct {
        const char *before, *behind;
        int depth, level; // level: which of the brackets is one too many
    } cases[] = {
        {"{\"event\":\"create\",\"entity_id\":\"a\",\"components\":{\"deep\":", "}}", 63, 62},
        {"{\"event_name\":\"jump\",\"deep\":", "}", 63, 62},
        // Not said of an entity, so the components are a field.
        {"{\"event\":\"create\",\"entity_id\":\"\",\"components\":{\"deep\":", ",\"more\":1}}", 62, 61},
        {"{\"event\":\"delete\",\"entity_id\":\"a\",\"components\":", "}", 63, 62},
        {"{\"components\":{\"deep\":", "},\"event_name\":\"jump\"}", 62, 61},
    };
    rf_world *world = doom_world(rf_allocator_default());
    rf_packer *packer = new_packer(world, rf_allocator_default());
    char text[1024];
    rf_error error;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        rf_str event = event_of_depth(text, cases[i].before, cases[i].depth, cases[i].behind);
        ck_assert_int_eq(rf_packer_add(packer, event, &error), RF_TOO_DEEP);
        ck_assert_uint_eq(error.offset, strlen(cases[i].before) + (size_t)cases[i].level);
        event = event_of_depth(text, cases[i].before, cases[i].depth - 1, cases[i].behind);
        ck_assert_int_eq(rf_packer_add(packer, event, &error), RF_OK);
    }
    ck_assert_uint_eq(rf_packer_count(packer), sizeof cases / sizeof *cases);
    rf_packer_free(packer);
    rf_world_free(world);
}
END_TEST

// What is said of an entity takes no text but its id: its seq is told apart from a field that is called so.
START_TEST(an_entitys_event_is_short_with_a_seq_too) {
    static const struct {
        const char *text;
        bool entity;
    } cases[] = {
        {"{\"event\":\"update\",\"entity_id\":\"a\",\"components\":{\"health\":5}}", true},
        {"{\"event\":\"update\",\"entity_id\":\"a\",\"components\":{\"health\":5},\"seq\":7}", true},
        {"{\"event\":\"update\",\"entity_id\":\"a\",\"components\":{\"health\":5},\"seq\":0}", false},
    };
    rf_world *world = doom_world(rf_allocator_default());
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        rf_packer *packer = new_packer(world, rf_allocator_default());
        rf_str frame;
        rf_error error;
        ck_assert_int_eq(rf_packer_add(packer, (rf_str){cases[i].text, strlen(cases[i].text)}, &error), RF_OK);
        ck_assert_int_eq(rf_packer_frame(packer, &frame), RF_OK);
        ck_assert_msg((frame.len < 25) == cases[i].entity, "%s: %zu bytes", cases[i].text, frame.len);
        rf_packer_free(packer);
    }
    rf_world_free(world);
}
END_TEST

// ---- the table of texts -------------------------------------------------------------------------------

#define TEXTS 100

// The longest chain of slots that are taken.
static uint32_t longest_chain(const rf_text_table *table) {
    uint32_t longest = 0, chain = 0;
    for (uint32_t i = 0; i < 2 * table->size; i++) {
        chain = table->slots[i % table->size] != 0 ? chain + 1 : 0;
        if (chain > longest) longest = chain;
    }
    return longest;
}

static uint32_t chain_with(uint64_t seed) {
    rf_text_table table;
    uint32_t out;
    rf_text_table_init(&table, rf_allocator_default(), seed);
    for (int i = 0, found = 0; found < TEXTS; i++) {
        char text[16];
        rf_str it = {text, (size_t)sprintf(text, "text%d", i)};
        if ((rf_hash(it, 0) & 255) != 0) continue;
        ck_assert_uint_eq(rf_text_table_add(&table, it), (uint64_t)found);
        ck_assert_uint_eq(rf_text_table_add(&table, it), (uint64_t)found);
        found++;
    }
    out = longest_chain(&table);
    rf_text_table_free(&table);
    return out;
}

START_TEST(texts_chosen_to_collide_do_not_with_a_seed) {
    ck_assert_uint_eq(chain_with(0), TEXTS);
    for (uint64_t seed = 1; seed < 10; seed++) ck_assert_uint_lt(chain_with(seed), TEXTS / 2);
}
END_TEST

// ---- memory -------------------------------------------------------------------------------------------

static const char *const events[] = {
    "{\"event\":\"create\",\"entity_id\":\"an id of more than fifteen bytes\",\"components\":{\"health\":5}}",
    ("{\"event\":\"update\",\"entity_id\":\"an id of more than fifteen bytes\",\"components\":{\"position\":[1,2,3],"
     "\"note\":\"\\u0061\",\"list\":[1,{\"b\":2,\"a\":1}]},\"more\":{\"z\":1,\"y\":2},\"seq\":7}"),
    "{\"event_name\":\"player_spawned\",\"user_id\":\"tom\",\"position\":[1,2,3],\"health\":100}",
    "{\"event\":\"delete\",\"entity_id\":\"none\"}",
};

// Adds all, each again until there is memory for it, and makes a frame. Returns how often there was none.
static int pack(rf_packer *packer, test_memory *memory, rf_str *frame) {
    rf_error error;
    int failed = 0;
    for (size_t i = 0; i < sizeof events / sizeof *events; i++)
        for (rf_status status = RF_NO_MEMORY; status != RF_OK;) {
            status = rf_packer_add(packer, (rf_str){events[i], strlen(events[i])}, &error);
            ck_assert(status == RF_OK || status == RF_NO_MEMORY);
            failed += status != RF_OK;
            if (status != RF_OK) memory->fail_at = 0;
        }
    if (rf_packer_frame(packer, frame) == RF_OK) return failed;
    memory->fail_at = 0;
    ck_assert_int_eq(rf_packer_frame(packer, frame), RF_OK);
    return failed + 1;
}

START_TEST(an_event_without_memory_can_be_added_again) {
    rf_world *world = doom_world(rf_allocator_default());
    json_t *all = NULL;
    for (long n = 0, failed = 1; failed > 0 || n <= 1; n++) {
        test_memory memory = {0};
        rf_packer *packer = new_packer(world, test_allocator(&memory));
        rf_str frame;
        json_t *some;
        memory.fail_at = n;
        failed = pack(packer, &memory, &frame);
        ck_assert_int_le(failed, 1);
        some = folded(frame);
        if (!all) all = json_incref(some);
        ck_assert(json_equal(all, some));
        json_decref(some);
        // What was left over from before is gone.
        memory.fail_at = 0;
        ck_assert_int_eq(pack(packer, &memory, &frame), 0);
        some = folded(frame);
        ck_assert(json_equal(all, some));
        json_decref(some);
        rf_packer_free(packer);
        ck_assert_int_eq(memory.blocks, 0);
    }
    json_decref(all);
    rf_world_free(world);
}
END_TEST

static void add(TCase *tests) {
    tcase_add_test(tests, components_are_as_deep_as_a_fold_takes_them);
    tcase_add_test(tests, what_is_deeper_is_refused_at_its_bracket);
    tcase_add_test(tests, an_entitys_event_is_short_with_a_seq_too);
    tcase_add_test(tests, texts_chosen_to_collide_do_not_with_a_seed);
    tcase_add_test(tests, an_event_without_memory_can_be_added_again);
}

int main(void) {
    return run_tests("pack", add);
}
