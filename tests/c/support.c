#include "support.h"

#include <stdlib.h>
#include <string.h>
#include <zlib.h>

int run_tests(const char *name, void (*add)(TCase *)) {
    Suite *suite = suite_create(name);
    TCase *tests = tcase_create(name);
    SRunner *runner;
    int failed;
    tcase_set_timeout(tests, getenv("CK_DEFAULT_TIMEOUT") ? atof(getenv("CK_DEFAULT_TIMEOUT")) : 300);
    add(tests);
    suite_add_tcase(suite, tests);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

rf_str read_file(const char *path) {
    gzFile file = gzopen(path, "rb");
    size_t len = 0, capacity = 1 << 16;
    char *data;
    int got;
    if (!file) return (rf_str){0};
    data = malloc(capacity);
    while ((got = gzread(file, data + len, (unsigned)(capacity - len))) > 0) {
        len += (size_t)got;
        if (len == capacity) data = realloc(data, capacity *= 2);
    }
    gzclose(file);
    return (rf_str){data, len};
}

static void *test_resize(void *context, void *block, size_t size) {
    test_memory *memory = context;
    if (size == 0) {
        memory->blocks -= block != NULL;
        free(block);
        return NULL;
    }
    memory->allocations++;
    if (memory->fail_at > 0 && --memory->fail_at == 0) {
        memory->fail_at = !memory->once;
        memory->failed = true;
        return NULL;
    }
    memory->blocks += block == NULL;
    return realloc(block, size);
}

rf_allocator test_allocator(test_memory *memory) {
    return (rf_allocator){.resize = test_resize, .context = memory};
}

rf_rules *doom_rules(rf_allocator allocator, rf_schema *schema) {
    rf_str text = read_file("priv/rules/doom.json");
    rf_rules *rules = NULL;
    rf_error error;
    REQUIRE(text.data);
    REQUIRE(rf_rules_from_json(allocator, schema, text, &rules, &error) == RF_OK);
    free((char *)(uintptr_t)text.data);
    return rules;
}

rf_world *doom_world(rf_allocator allocator) {
    rf_world_def def = rf_world_def_default();
    rf_world *world;
    def.allocator = allocator;
    ck_assert_int_eq(rf_schema_default(allocator, &def.schema), RF_OK);
    def.rules = doom_rules(allocator, def.schema);
    ck_assert_int_eq(rf_world_new(&def, &world), RF_OK);
    rf_rules_release(def.rules);
    rf_schema_release(def.schema);
    return world;
}

rf_report fold_text(rf_world *world, rf_str text) {
    rf_json_batch batch = {.text = text};
    rf_report report;
    rf_fold *fold;
    rf_report_init(&report, rf_allocator_default());
    REQUIRE(rf_fold_new(world, &report, &fold) == RF_OK);
    while (!batch.done) REQUIRE(rf_fold_json(fold, &batch, 100) == RF_OK);
    rf_fold_free(fold);
    return report;
}

rf_report fold_literal(rf_world *world, const char *text) {
    return fold_text(world, (rf_str){text, strlen(text)});
}

static json_t *term_json(rf_term_reader *reader) {
    rf_term term = rf_term_next(reader);
    json_t *out;
    switch (term.kind) {
    case RF_TERM_NULL:
        return json_null();
    case RF_TERM_FALSE:
        return json_false();
    case RF_TERM_TRUE:
        return json_true();
    case RF_TERM_INT:
        return json_integer(term.as.integer);
    case RF_TERM_FLOAT:
        return json_real(term.as.number);
    case RF_TERM_STRING:
        return json_stringn(term.as.string.data, term.as.string.len);
    case RF_TERM_LIST:
        out = json_array();
        for (uint64_t i = 0; i < term.as.count; i++) json_array_append_new(out, term_json(reader));
        return out;
    case RF_TERM_MAP:
        out = json_object();
        for (uint64_t i = 0; i < term.as.count; i++) {
            rf_str key = rf_term_key(reader);
            json_object_setn_new(out, key.len > 0 ? key.data : "", key.len, term_json(reader));
        }
        return out;
    case RF_TERM_END:
        break;
    }
    return NULL;
}

static json_t *numbers_json(const rf_component *component) {
    json_t *out = json_array();
    for (int i = 0; i < component->count; i++) {
        json_t *number =
            json_real(component->type == RF_TYPE_F32 ? (double)component->as.f32[i] : component->as.f64[i]);
        if (component->count == 1) {
            json_decref(out);
            return number;
        }
        json_array_append_new(out, number);
    }
    return out;
}

static json_t *component_json(const rf_component *component) {
    rf_term_reader reader;
    if (component->removed) return json_null();
    switch (component->type) {
    case RF_TYPE_F32:
    case RF_TYPE_F64:
        return numbers_json(component);
    case RF_TYPE_I64:
        return json_integer(component->as.i64);
    case RF_TYPE_BOOL:
        return json_boolean(component->as.boolean);
    case RF_TYPE_STRING:
        return json_stringn(component->as.string.data, component->as.string.len);
    case RF_TYPE_TERM:
        break;
    }
    rf_term_read(&reader, component->as.term);
    return term_json(&reader);
}

static json_t *components_json(rf_component_iter iter) {
    json_t *out = json_object();
    rf_component component;
    while (rf_component_next(&iter, &component))
        json_object_setn_new(out, component.name.data, component.name.len, component_json(&component));
    return out;
}

json_t *entity_json(const rf_world *world, rf_entity entity) {
    return components_json(rf_world_components(world, entity));
}

static void set_by_id(json_t *object, rf_str id, json_t *value) {
    json_object_setn_new(object, id.data, id.len, value);
}

json_t *world_json(const rf_world *world) {
    json_t *out = json_object();
    rf_entity entity = {0};
    while (rf_world_next(world, &entity)) set_by_id(out, rf_world_id(world, entity), entity_json(world, entity));
    return out;
}

json_t *diff_json(const rf_world *world, uint64_t from) {
    json_t *creates = json_object(), *updates = json_object(), *deletes = json_array();
    rf_change change;
    rf_diff *diff;
    ck_assert_int_eq(rf_diff_new(world, from, &diff), RF_OK);
    while (rf_diff_next(diff, &change)) {
        if (change.kind == RF_CHANGE_DELETE)
            json_array_append_new(deletes, json_stringn(change.id.data, change.id.len));
        else
            set_by_id(change.kind == RF_CHANGE_CREATE ? creates : updates, change.id,
                      components_json(change.components));
    }
    rf_diff_free(diff);
    return json_pack("{s:o, s:o, s:o}", "creates", creates, "updates", updates, "deletes", deletes);
}

void apply_json(json_t *snapshot, json_t *diff) {
    const char *id, *name;
    json_t *item, *components, *value;
    size_t i;
    json_array_foreach(json_object_get(diff, "deletes"), i, item) {
        REQUIRE(json_object_del(snapshot, json_string_value(item)) == 0);
    }
    json_object_foreach(json_object_get(diff, "creates"), id, components) {
        json_object_set_new(snapshot, id, json_deep_copy(components));
    }
    json_object_foreach(json_object_get(diff, "updates"), id, components) {
        json_t *entity = json_object_get(snapshot, id);
        REQUIRE(entity);
        json_object_foreach(components, name, value) {
            if (json_is_null(value))
                json_object_del(entity, name);
            else
                json_object_set(entity, name, value);
        }
    }
}

bool all_floats(uint64_t count, uint64_t *first, uint64_t *end) {
    const char *text = getenv("ROOMFOLD_ALL_FLOATS"), *slash = text ? strchr(text, '/') : NULL;
    uint64_t part = slash ? strtoull(text, NULL, 10) : 1, parts = slash ? strtoull(slash + 1, NULL, 10) : 1;
    if (!text) return false;
    REQUIRE_MSG(part >= 1 && part <= parts, "ROOMFOLD_ALL_FLOATS=%s", text);
    *first = count / parts * (part - 1);
    *end = part == parts ? count : count / parts * part;
    return true;
}

bool floats_alone(TCase *tests) {
    const char *text = getenv("ROOMFOLD_ALL_FLOATS");
    if (text) tcase_set_timeout(tests, 36000);
    return text && strchr(text, '/');
}

uint64_t next_random(uint64_t *state) {
    *state ^= *state >> 12;
    *state ^= *state << 25;
    *state ^= *state >> 27;
    return *state * UINT64_C(2685821657736338717);
}

static const char quantised_schema[] =
    "{\"format\":\"roomfold-schema\",\"version\":1,\"components\":["
    "{\"name\":\"position\",\"type\":\"f32\",\"count\":3,\"quantise\":{\"step\":0.001,\"min\":-500,\"max\":500}},"
    "{\"name\":\"rotation\",\"type\":\"f32\",\"count\":4,\"quantise\":{\"bits\":10}},"
    "{\"name\":\"velocity\",\"type\":\"f32\",\"count\":3,\"quantise\":{\"step\":0.01,\"min\":-500,\"max\":500}},"
    "{\"name\":\"floor\",\"type\":\"f32\",\"quantise\":{\"step\":0.125,\"min\":-500,\"max\":500}},"
    "{\"name\":\"health\",\"type\":\"i64\"},{\"name\":\"kind\",\"type\":\"term\"}],"
    "\"words\":[\"monster\",\"player\",\"imp-\",\"state\",\"dead\"]}";

rf_world *doom_sender(bool quantised, uint32_t history) {
    rf_world_def def = rf_world_def_default();
    rf_allocator allocator = rf_allocator_default();
    rf_world *world;
    if (quantised)
        REQUIRE(rf_schema_from_json(allocator, STR(quantised_schema), &def.schema, NULL) == RF_OK);
    else
        REQUIRE(rf_schema_default(allocator, &def.schema) == RF_OK);
    def.rules = doom_rules(allocator, def.schema);
    def.history = history;
    REQUIRE(rf_world_new(&def, &world) == RF_OK);
    rf_rules_release(def.rules);
    rf_schema_release(def.schema);
    return world;
}
