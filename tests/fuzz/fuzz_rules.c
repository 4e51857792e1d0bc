// fuzz_rules.c: reads any text as rules and as a schema.
#include <roomfold/roomfold.h>
#include <stdlib.h>
#include <string.h>

static volatile size_t sink;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    char *text = malloc(size ? size : 1);
    rf_allocator allocator = rf_allocator_default();
    rf_schema *schema, *read;
    rf_rules *rules;
    rf_error error;
    memcpy(text, data, size);
    if (rf_schema_default(allocator, &schema) != RF_OK) abort();
    if (rf_rules_from_json(allocator, schema, (rf_str){text, size}, &rules, &error) == RF_OK) {
        sink += rf_rules_count(rules);
        rf_rules_release(rules);
    }
    if (rf_schema_from_json(allocator, (rf_str){text, size}, &read, &error) == RF_OK) {
        sink += rf_schema_count(read);
        rf_schema_release(read);
    }
    rf_schema_release(schema);
    free(text);
    return 0;
}
