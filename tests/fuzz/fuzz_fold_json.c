// fuzz_fold_json.c: folds any text into a small world, at once and in slices; then makes every query on the world.
#include "fold_text.h"
#include "read_world.h"
#include "rules_world.h"

#include <string.h>

static const char rules_text[] =
    "{\"format\":\"roomfold-rules\",\"version\":1,\"events\":{\"e\":{\"do\":["
    "{\"op\":\"create\",\"entity\":\"a\",\"set\":{\"position\":{\"field\":\"p\"},\"n\":{\"field\":\"q\"}}},"
    "{\"op\":\"add\",\"entity\":\"b\",\"component\":\"m\",\"value\":{\"field\":\"q\"},\"max\":9},"
    "{\"op\":\"put\",\"entity\":\"b\",\"component\":\"s\",\"value\":{\"field\":\"p\"}},"
    "{\"op\":\"take\",\"entity\":\"b\",\"component\":\"s\",\"value\":{\"field\":\"q\"}},"
    "{\"op\":\"delete\",\"entity\":\"c\"}]}}}";

static rf_world *new_world(void) {
    rf_world_def def = rules_world_def((rf_str){rules_text, sizeof rules_text - 1});
    rf_world *world;
    def.max_entities = 8;
    def.max_value_bytes = 64;
    def.max_undeclared = 4;
    def.history = 16;
    if (rf_world_new(&def, &world) != RF_OK) abort();
    return world;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    char *text = malloc(size ? size : 1); // exactly this size, so that reading past the end is detected
    rf_world *whole = new_world(), *sliced = new_world();
    memcpy(text, data, size);
    fold_text(whole, (rf_str){text, size}, SIZE_MAX);
    fold_text(sliced, (rf_str){text, size}, 1);
    if (rf_world_seq(whole) != rf_world_seq(sliced) || rf_world_count(whole) != rf_world_count(sliced)) abort();
    read_world(whole);
    rf_world_free(whole);
    rf_world_free(sliced);
    free(text);
    return 0;
}
