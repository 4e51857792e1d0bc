// fuzz_admit.c: admits any text as a user's event. What is admitted must be a record that folds in full, and nothing
// may change the world before that.
#include "rules_world.h"

#include <string.h>

static const char rules_text[] =
    "{\"format\":\"roomfold-rules\",\"version\":1,\"events\":{\"e\":{\"do\":["
    "{\"op\":\"create\",\"entity\":\"a\",\"set\":{\"position\":{\"field\":\"p\"},\"owner\":{\"field\":\"q\"}}},"
    "{\"op\":\"add\",\"entity\":\"b\",\"component\":\"m\",\"value\":{\"field\":\"q\"},\"max\":9},"
    "{\"op\":\"put\",\"entity\":\"b\",\"component\":\"s\",\"value\":{\"field\":\"p\"}},"
    "{\"op\":\"delete\",\"entity\":\"c\"}]},\"s\":{\"from\":\"system\",\"do\":[]}}}";

static const char world_text[] = "{\"event\":\"create\",\"entity_id\":\"u\",\"components\":{\"m\":1,\"s\":[\"a\"]}}\n"
                                 "{\"event\":\"create\",\"entity_id\":\"v\",\"components\":{\"owner\":\"u\"}}\n"
                                 "{\"event\":\"create\",\"entity_id\":\"w\",\"components\":{\"owner\":\"x\"}}\n";

static void fold(rf_world *world, rf_str text, rf_report *report) {
    rf_json_batch batch = {.text = text};
    rf_fold *fold;
    rf_report_init(report, rf_allocator_default());
    if (rf_fold_new(world, report, &fold) != RF_OK) abort();
    while (!batch.done)
        if (rf_fold_json(fold, &batch, 100) != RF_OK) abort();
    rf_fold_free(fold);
}

static rf_world *make_world(void) {
    rf_world_def def = rules_world_def((rf_str){rules_text, sizeof rules_text - 1});
    rf_world *world;
    rf_report report;
    if (rf_world_new(&def, &world) != RF_OK) abort();
    fold(world, (rf_str){world_text, sizeof world_text - 1}, &report);
    rf_report_free(&report);
    return world;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    rf_world *world = make_world();
    char *copy = malloc(size ? size : 1);
    rf_str text = {copy, size};
    rf_item item = {.by = {"u", 1}, .texts = &text, .count = 1};
    uint64_t first, seq = rf_world_seq(world);
    rf_admission *admission;
    rf_report report;
    rf_error error;
    size_t index;
    if (!copy) abort();
    if (size > 0) memcpy(copy, data, size);
    if (rf_admission_new(world, 1, &admission) != RF_OK) abort();
    if (rf_admit(admission, &item, &first, &error, &index) == RF_OK) {
        rf_str record = rf_admission_text(admission);
        if (rf_world_seq(world) != seq || memchr(record.data, '\n', record.len) != record.data + record.len - 1)
            abort();
        fold(world, record, &report);
        if (report.folded != 1 || report.rejected_count || report.stale || report.gaps) abort();
        if (rf_world_seq(world) != seq + 1) abort();
        rf_report_free(&report);
    } else if (rf_admission_text(admission).len != 0) {
        abort();
    }
    rf_admission_free(admission);
    rf_world_free(world);
    free(copy);
    return 0;
}
