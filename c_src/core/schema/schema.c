// schema.c: makes schemas, and reads their JSON form.
#include "base/alloc.h"
#include "base/error.h"
#include "json/json_term.h"
#include "schema_state.h"
#include "frame/wire_numbers.h"
#include <roomfold/json.h>
#include <roomfold/world.h>

static rf_status invalid(rf_error *error, rf_str about) {
    return rf_error_set(error, RF_INVALID_SCHEMA, RF_NOWHERE, about);
}

static bool valid_def(const rf_component_def *def) {
    bool numbers = def->type == RF_TYPE_F32 || def->type == RF_TYPE_F64;
    return def->name.len > 0 && def->name.len <= RF_NAME_MAX && rf_utf8_valid(def->name) &&
           !rf_str_eq(def->name, RF_LIT("id")) && (unsigned)def->type <= RF_TYPE_TERM && def->count >= 1 &&
           def->count <= (numbers ? RF_NUMBERS_MAX : 1) &&
           (!def->fixed || (numbers && def->decimals <= RF_JSON_DECIMALS_MAX)) && rf_quantiser_valid(def);
}

static bool insert(rf_schema *schema, int index) {
    uint32_t at = (uint32_t)rf_hash(schema->defs[index].name, 0) % RF_SCHEMA_TABLE;
    if (rf_schema_lookup(schema, schema->defs[index].name) >= 0) return false;
    while (schema->table[at] != 0) at = (at + 1) % RF_SCHEMA_TABLE;
    schema->table[at] = (uint8_t)(index + 1);
    return true;
}

static void destroy(rf_schema *schema) {
    rf_free(schema->allocator, schema->packed);
    rf_free(schema->allocator, schema->words);
    rf_free(schema->allocator, schema->word_table);
    rf_free(schema->allocator, schema);
}

rf_status rf_schema_new(rf_allocator allocator, const rf_component_def *defs, size_t count, rf_schema **out,
                        rf_error *error) {
    return rf_schema_new_with_words(allocator, defs, count, NULL, 0, out, error);
}

rf_status rf_schema_new_with_words(rf_allocator allocator, const rf_component_def *defs, size_t count,
                                   const rf_str *words, size_t word_count, rf_schema **out, rf_error *error) {
    rf_status status;
    size_t names = 0, at = 0;
    rf_schema *schema;
    *out = NULL;
    if (count > RF_SCHEMA_MAX) return invalid(error, RF_LIT("components"));
    for (size_t i = 0; i < count; i++) {
        if (!valid_def(&defs[i])) return invalid(error, defs[i].name);
        names += defs[i].name.len;
    }
    schema = rf_alloc_zero(allocator, sizeof *schema + names);
    if (!schema) return rf_error_set(error, RF_NO_MEMORY, RF_NOWHERE, RF_LIT(""));
    schema->allocator = allocator;
    atomic_init(&schema->references, 1);
    for (size_t i = 0; i < count; i++) {
        schema->defs[i] = defs[i];
        schema->defs[i].name.data = memcpy(schema->names + at, defs[i].name.data, defs[i].name.len);
        at += defs[i].name.len;
        schema->quantisers[i] = rf_quantiser_of(&defs[i]);
        if (!insert(schema, (int)i)) {
            rf_free(allocator, schema);
            return invalid(error, defs[i].name);
        }
        schema->count = i + 1;
    }
    status = rf_schema_pack(schema, words, word_count, error);
    if (status != RF_OK) {
        destroy(schema);
        return status;
    }
    *out = schema;
    return RF_OK;
}

rf_status rf_schema_default(rf_allocator allocator, rf_schema **out) {
    const rf_component_def defs[] = {
        {.name = RF_LIT("position"), .type = RF_TYPE_F32, .count = 3},
        {.name = RF_LIT("velocity"), .type = RF_TYPE_F32, .count = 3},
        {.name = RF_LIT("scale"), .type = RF_TYPE_F32, .count = 3},
        {.name = RF_LIT("direction"), .type = RF_TYPE_F32, .count = 3},
        {.name = RF_LIT("rotation"), .type = RF_TYPE_F32, .count = 4},
        {.name = RF_LIT("health"), .type = RF_TYPE_I64, .count = 1},
    };
    return rf_schema_new(allocator, defs, sizeof defs / sizeof *defs, out, NULL);
}

// ---- the JSON form ------------------------------------------------------------------------------

static bool read_type(rf_str name, rf_type *out) {
    static const struct {
        const char *name;
        rf_type type;
    } types[] = {{"f32", RF_TYPE_F32},   {"f64", RF_TYPE_F64},       {"i64", RF_TYPE_I64},
                 {"bool", RF_TYPE_BOOL}, {"string", RF_TYPE_STRING}, {"term", RF_TYPE_TERM}};
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        if (name.len == strlen(types[i].name) && memcmp(name.data, types[i].name, name.len) == 0) {
            *out = types[i].type;
            return true;
        }
    }
    return false;
}

// Reads an integer from `least` to `most` under the key. False: it is something else.
static bool read_small(rf_str term, rf_str key, int64_t least, int64_t most, uint8_t *out, bool *found) {
    rf_str value;
    rf_term head;
    *found = rf_term_get(term, key, &value);
    if (!*found) return true;
    head = rf_term_head(value);
    if (head.kind != RF_TERM_INT || head.as.integer < least || head.as.integer > most) return false;
    *out = (uint8_t)head.as.integer;
    return true;
}

static bool read_number(rf_str map, rf_str key, double *out) {
    rf_str value;
    rf_term head;
    if (!rf_term_get(map, key, &value)) return false;
    head = rf_term_head(value);
    *out = head.kind == RF_TERM_INT ? (double)head.as.integer : head.as.number;
    return head.kind == RF_TERM_INT || head.kind == RF_TERM_FLOAT;
}

// {"step": .., "min": .., "max": ..} or {"bits": ..}
static bool read_quantise(rf_str term, rf_component_def *out, bool *found) {
    rf_str map;
    rf_term head;
    bool smallest_three;
    *found = rf_term_get(term, RF_LIT("quantise"), &map);
    if (!*found) return true;
    head = rf_term_head(map);
    if (head.kind != RF_TERM_MAP) return false;
    if (!read_small(map, RF_LIT("bits"), 0, UINT8_MAX, &out->bits, &smallest_three)) return false;
    out->quantise = smallest_three ? RF_QUANTISE_SMALLEST_THREE : RF_QUANTISE_STEP;
    if (smallest_three) return head.as.count == 1;
    return head.as.count == 3 && read_number(map, RF_LIT("step"), &out->step) &&
           read_number(map, RF_LIT("min"), &out->min) && read_number(map, RF_LIT("max"), &out->max);
}

// {"name": .., "type": .., "count": .., "decimals": .., "quantise": ..} and nothing else.
static bool read_def(rf_str term, rf_component_def *out) {
    rf_str value;
    bool counted, quantised;
    rf_term head;
    uint64_t known = 2;
    if (!rf_term_get(term, RF_LIT("name"), &value)) return false;
    head = rf_term_head(value);
    if (head.kind != RF_TERM_STRING) return false;
    *out = (rf_component_def){.name = head.as.string, .count = 1};
    if (!rf_term_get(term, RF_LIT("type"), &value)) return false;
    head = rf_term_head(value);
    if (head.kind != RF_TERM_STRING || !read_type(head.as.string, &out->type)) return false;
    if (!read_small(term, RF_LIT("count"), 1, RF_NUMBERS_MAX, &out->count, &counted)) return false;
    if (!read_small(term, RF_LIT("decimals"), 0, RF_JSON_DECIMALS_MAX, &out->decimals, &out->fixed)) return false;
    if (!read_quantise(term, out, &quantised)) return false;
    known += (uint64_t)counted + out->fixed + quantised;
    return rf_term_head(term).as.count == known;
}

static bool read_header(rf_str term) {
    rf_str value;
    rf_term head;
    if (!rf_term_get(term, RF_LIT("format"), &value)) return false;
    head = rf_term_head(value);
    if (head.kind != RF_TERM_STRING || !rf_str_eq(head.as.string, RF_LIT("roomfold-schema"))) return false;
    if (!rf_term_get(term, RF_LIT("version"), &value)) return false;
    head = rf_term_head(value);
    return head.kind == RF_TERM_INT && head.as.integer == 1;
}

static rf_status with_words(rf_allocator allocator, const rf_component_def *defs, size_t count, rf_str term,
                            rf_schema **out, rf_error *error) {
    rf_term_reader reader;
    rf_term head;
    rf_str list, *words;
    rf_status status;
    if (!rf_term_get(term, RF_LIT("words"), &list)) return rf_schema_new(allocator, defs, count, out, error);
    rf_term_read(&reader, list);
    head = rf_term_next(&reader);
    if (head.kind != RF_TERM_LIST || head.as.count > RF_WIRE_WORDS_MAX) return invalid(error, RF_LIT("words"));
    words = rf_alloc(allocator, ((size_t)head.as.count + 1) * sizeof *words);
    if (!words) return rf_error_set(error, RF_NO_MEMORY, RF_NOWHERE, RF_LIT(""));
    for (uint64_t i = 0; i < head.as.count; i++) words[i] = rf_term_skip(&reader);
    status = rf_schema_new_with_words(allocator, defs, count, words, (size_t)head.as.count, out, error);
    rf_free(allocator, words);
    return status;
}

static rf_status from_term(rf_allocator allocator, rf_str term, rf_schema **out, rf_error *error) {
    rf_component_def defs[RF_SCHEMA_MAX];
    rf_term_reader reader;
    rf_term head;
    rf_str list;
    if (!read_header(term)) return invalid(error, RF_LIT("format"));
    if (!rf_term_get(term, RF_LIT("components"), &list) || rf_term_head(list).kind != RF_TERM_LIST ||
        rf_term_head(list).as.count > RF_SCHEMA_MAX)
        return invalid(error, RF_LIT("components"));
    rf_term_read(&reader, list);
    head = rf_term_next(&reader);
    for (uint64_t i = 0; i < head.as.count; i++) {
        defs[i].name = RF_LIT("components");
        if (!read_def(rf_term_skip(&reader), &defs[i])) return invalid(error, defs[i].name);
    }
    return with_words(allocator, defs, (size_t)head.as.count, term, out, error);
}

rf_status rf_schema_from_json(rf_allocator allocator, rf_str text, rf_schema **out, rf_error *error) {
    rf_builder builder;
    rf_status status;
    *out = NULL;
    rf_builder_init(&builder, allocator);
    status = rf_json_to_term(allocator, text, &builder, error);
    if (status == RF_OK)
        status = from_term(allocator, (rf_str){(const char *)builder.out.data, builder.out.len}, out, error);
    rf_builder_free(&builder);
    return status;
}

// ---- sharing and reading ------------------------------------------------------------------------

rf_schema *rf_schema_retain(rf_schema *schema) {
    atomic_fetch_add_explicit(&schema->references, 1, memory_order_relaxed);
    return schema;
}

void rf_schema_release(rf_schema *schema) {
    if (schema && atomic_fetch_sub_explicit(&schema->references, 1, memory_order_acq_rel) == 1) destroy(schema);
}

size_t rf_schema_count(const rf_schema *schema) {
    return schema->count;
}

const rf_component_def *rf_schema_at(const rf_schema *schema, size_t index) {
    return &schema->defs[index];
}

int rf_schema_find(const rf_schema *schema, rf_str name) {
    return rf_schema_lookup(schema, name);
}
