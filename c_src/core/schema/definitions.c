#include "base/alloc.h"
#include "base/str.h"
#include <roomfold/definitions.h>

// Texts are told apart by their length before their bytes are compared; a hash would read all of them, too.
typedef struct kept {
    rf_str schema, rules; // in one block, which the schema's begins
    rf_definition definition;
} kept;

struct rf_definitions {
    rf_allocator allocator;
    size_t bytes; // of all texts
    uint32_t count;
    kept list[RF_DEFINITIONS_MAX]; // the one used last comes first
};

rf_status rf_definition_from_json(rf_allocator allocator, rf_str schema, const rf_str *rules, rf_definition *out,
                                  rf_error *error) {
    rf_status status = rf_schema_from_json(allocator, schema, &out->schema, error);
    out->rules = NULL;
    if (status == RF_OK && rules) status = rf_rules_from_json(allocator, out->schema, *rules, &out->rules, error);
    if (status != RF_OK) rf_definition_release(out);
    return status;
}

void rf_definition_release(rf_definition *definition) {
    rf_rules_release(definition->rules);
    rf_schema_release(definition->schema);
    *definition = (rf_definition){0};
}

static rf_definition retained(const rf_definition *definition) {
    return (rf_definition){.schema = rf_schema_retain(definition->schema),
                           .rules = definition->rules ? rf_rules_retain(definition->rules) : NULL};
}

rf_status rf_definitions_new(rf_allocator allocator, rf_definitions **out) {
    *out = rf_alloc_zero(allocator, sizeof **out);
    if (!*out) return RF_NO_MEMORY;
    (*out)->allocator = allocator;
    return RF_OK;
}

static void drop_last(rf_definitions *definitions) {
    kept *last = &definitions->list[--definitions->count];
    definitions->bytes -= last->schema.len + last->rules.len;
    rf_definition_release(&last->definition);
    rf_free(definitions->allocator, (char *)(uintptr_t)last->schema.data);
}

void rf_definitions_free(rf_definitions *definitions) {
    if (!definitions) return;
    while (definitions->count > 0) drop_last(definitions);
    rf_free(definitions->allocator, definitions);
}

static void put_first(rf_definitions *definitions, uint32_t moved, kept first) {
    memmove(definitions->list + 1, definitions->list, moved * sizeof *definitions->list);
    definitions->list[0] = first;
}

static bool is_of(const kept *it, rf_str schema, const rf_str *rules) {
    return rf_str_eq(it->schema, schema) &&
           (rules ? it->definition.rules && rf_str_eq(it->rules, *rules) : !it->definition.rules);
}

bool rf_definitions_find(rf_definitions *definitions, rf_str schema, const rf_str *rules, rf_definition *out) {
    for (uint32_t i = 0; i < definitions->count; i++) {
        if (!is_of(&definitions->list[i], schema, rules)) continue;
        put_first(definitions, i, definitions->list[i]);
        *out = retained(&definitions->list[0].definition);
        return true;
    }
    return false;
}

static bool short_enough(rf_str schema, rf_str rules) {
    return schema.len <= RF_DEFINITION_BYTES && rules.len <= RF_DEFINITION_BYTES - schema.len;
}

void rf_definitions_keep(rf_definitions *definitions, rf_str schema, const rf_str *rules, rf_definition *definition) {
    rf_str more = rules ? *rules : (rf_str){0};
    rf_definition other;
    char *texts;
    size_t len;
    if (rf_definitions_find(definitions, schema, rules, &other)) {
        rf_definition_release(definition);
        *definition = other;
        return;
    }
    if (!short_enough(schema, more)) return;
    len = schema.len + more.len;
    texts = rf_alloc(definitions->allocator, len + 1);
    if (!texts) return;
    if (schema.len > 0) memcpy(texts, schema.data, schema.len);
    if (more.len > 0) memcpy(texts + schema.len, more.data, more.len);
    while (definitions->count == RF_DEFINITIONS_MAX || definitions->bytes + len > RF_DEFINITIONS_BYTES)
        drop_last(definitions);
    definitions->bytes += len;
    put_first(definitions, definitions->count++,
              (kept){.schema = {texts, schema.len},
                     .rules = {texts + schema.len, more.len},
                     .definition = retained(definition)});
}

rf_status rf_definitions_get(rf_definitions *definitions, rf_str schema, const rf_str *rules, rf_definition *out,
                             rf_error *error) {
    rf_status status;
    if (rf_definitions_find(definitions, schema, rules, out)) return RF_OK;
    status = rf_definition_from_json(definitions->allocator, schema, rules, out, error);
    if (status == RF_OK) rf_definitions_keep(definitions, schema, rules, out);
    return status;
}
