// rules.c: reads the JSON form of rules (docs/rules.md) and compiles it.
#include "base/error.h"
#include "json/json_term.h"
#include "rules_state.h"
#include "schema_state.h"
#include "value.h"
#include <roomfold/json.h>
#include <roomfold/world.h>

#define VERSION 1
#define NAME_TOLD 100 // bytes of an event's name in an error

// The state of the compiler. A function that fails sets the status and returns false.
typedef struct compiler {
    rf_rules *rules;
    rf_status status;
    rf_str event;                         // the current one, for the error
    const char *what;                     // what is wrong with it, and
    rf_str about;                         // of what; may be empty
    rf_rule_field fields[RF_RULE_FIELDS]; // of the current rule
} compiler;

static bool fail(compiler *c, rf_status status) {
    if (c->status == RF_OK) c->status = status;
    return false;
}

static bool invalid(compiler *c, const char *what, rf_str about) {
    if (c->status == RF_OK) {
        c->what = what;
        c->about = about;
    }
    return fail(c, RF_INVALID_RULES);
}

static bool malformed(compiler *c, const char *what) {
    return invalid(c, what, (rf_str){0});
}

static void *allocate(compiler *c, size_t size) {
    void *out = rf_arena_alloc(&c->rules->arena, size ? size : 1);
    if (!out) fail(c, RF_NO_MEMORY);
    return out ? memset(out, 0, size ? size : 1) : NULL;
}

static bool copy_string(compiler *c, rf_str bytes, rf_str *out) {
    char *copy = allocate(c, bytes.len);
    if (!copy) return false;
    if (bytes.len > 0) memcpy(copy, bytes.data, bytes.len);
    *out = (rf_str){copy, bytes.len};
    return true;
}

static bool valid_name(rf_str name) {
    return name.len > 0 && name.len <= RF_NAME_MAX;
}

static bool is_string(rf_str term, rf_str *out) {
    rf_term head = rf_term_head(term);
    if (head.kind == RF_TERM_STRING) *out = head.as.string;
    return head.kind == RF_TERM_STRING;
}

static bool get_string(rf_str map, rf_str key, rf_str *out) {
    rf_str value;
    return rf_term_get(map, key, &value) && is_string(value, out);
}

static bool get_name(rf_str map, rf_str key, rf_str *out) {
    return get_string(map, key, out) && valid_name(*out);
}

// Fails unless the term is a map with these keys only.
static bool only_keys(compiler *c, rf_str map, const rf_str *keys, size_t count) {
    rf_term_reader reader;
    rf_term head;
    rf_term_read(&reader, map);
    head = rf_term_next(&reader);
    if (head.kind != RF_TERM_MAP) return malformed(c, "an object is needed here");
    for (uint64_t i = 0; i < head.as.count; i++) {
        rf_str key = rf_term_key(&reader);
        size_t at = 0;
        while (at < count && !rf_str_eq(key, keys[at])) at++;
        if (at == count) return invalid(c, "unknown key", key);
        rf_term_skip(&reader);
    }
    return true;
}

// ---- fields -------------------------------------------------------------------------------------

// Registers that the rule reads this field for this use. A field with two uses is read as a term.
static int use_field(compiler *c, rf_rule *rule, rf_str name, rf_field_use use, int column) {
    rf_rule_field *field;
    for (uint32_t i = 0; i < rule->field_count; i++) {
        field = &c->fields[i];
        if (!rf_str_eq(field->name, name)) continue;
        if (field->use != use || field->column != column) field->use = RF_USE_TERM;
        return (int)i;
    }
    if (rule->field_count == RF_RULE_FIELDS || rf_str_eq(name, RF_LIT("seq"))) {
        invalid(c, rule->field_count == RF_RULE_FIELDS ? "too many fields with" : "this can't be a field:", name);
        return -1;
    }
    field = &c->fields[rule->field_count];
    *field = (rf_rule_field){.use = use, .column = column};
    if (!copy_string(c, name, &field->name)) return -1;
    return (int)rule->field_count++;
}

// ---- operands -----------------------------------------------------------------------------------

static bool compile_constant(compiler *c, rf_str term, rf_operand *operand) {
    uint8_t fixed[RF_VALUE_FIXED];
    const rf_component_def *def = operand->column < 0 ? NULL : rf_schema_at(c->rules->schema, (size_t)operand->column);
    rf_str image;
    operand->field = -1;
    if (!copy_string(c, term, &operand->constant)) return false;
    if (rf_term_head(operand->constant).kind == RF_TERM_NULL) return true;
    if (rf_value_from_term(def, operand->constant, UINT32_MAX, fixed, &image) != RF_OK)
        return invalid(c, "the value does not fit the component", operand->component);
    return copy_string(c, image, &operand->image);
}

// {"field": name} or {"value": constant}. In a set a constant must fit the component.
static bool compile_operand(compiler *c, rf_rule *rule, rf_str term, bool in_set, rf_operand *operand) {
    static const char needed[] = "{\"field\": NAME} or {\"value\": CONSTANT} is needed for";
    const rf_component_def *def = operand->column < 0 ? NULL : rf_schema_at(c->rules->schema, (size_t)operand->column);
    rf_field_use use =
        in_set && def && (def->type == RF_TYPE_F32 || def->type == RF_TYPE_F64) ? RF_USE_NUMBERS : RF_USE_TERM;
    rf_str value;
    if (rf_term_head(term).kind != RF_TERM_MAP || rf_term_head(term).as.count != 1)
        return invalid(c, needed, operand->component);
    if (rf_term_get(term, RF_LIT("value"), &value)) {
        if (in_set) return compile_constant(c, value, operand);
        operand->field = -1;
        return copy_string(c, value, &operand->constant);
    }
    if (!get_name(term, RF_LIT("field"), &value)) return invalid(c, needed, operand->component);
    operand->field = use_field(c, rule, value, use, use == RF_USE_NUMBERS ? operand->column : -1);
    return operand->field >= 0;
}

static bool compile_component(compiler *c, rf_str name, rf_operand *operand) {
    if (!valid_name(name) || rf_str_eq(name, RF_LIT("id"))) return invalid(c, "this can't be a component:", name);
    operand->column = rf_schema_lookup(c->rules->schema, name);
    return copy_string(c, name, &operand->component);
}

static bool compile_set(compiler *c, rf_rule *rule, rf_str term, rf_op *op) {
    rf_term_reader reader;
    rf_term head;
    rf_str set;
    if (!rf_term_get(term, RF_LIT("set"), &set)) return malformed(c, "\"set\" is missing");
    rf_term_read(&reader, set);
    head = rf_term_next(&reader);
    if (head.kind != RF_TERM_MAP || head.as.count > RF_RULE_SET)
        return malformed(c, "\"set\" is not an object, or has too many components");
    op->operands = allocate(c, (size_t)head.as.count * sizeof *op->operands);
    if (!op->operands) return false;
    op->count = (uint32_t)head.as.count;
    for (uint32_t i = 0; i < op->count; i++) {
        rf_str name = rf_term_key(&reader);
        if (!compile_component(c, name, &op->operands[i]) ||
            !compile_operand(c, rule, rf_term_skip(&reader), true, &op->operands[i]))
            return false;
    }
    return true;
}

static bool compile_bound(compiler *c, rf_str term, rf_str key, rf_term *out) {
    rf_str value;
    *out = (rf_term){.kind = RF_TERM_NULL};
    if (!rf_term_get(term, key, &value)) return true;
    *out = rf_term_head(value);
    return out->kind == RF_TERM_NULL || out->kind == RF_TERM_INT || out->kind == RF_TERM_FLOAT
               ? true
               : invalid(c, "this must be a number:", key);
}

static double number_of(const rf_term *term) {
    return term->kind == RF_TERM_INT ? (double)term->as.integer : term->as.number;
}

static bool check_constant(compiler *c, const rf_op *op, const rf_operand *operand) {
    rf_term head = operand->field >= 0 ? (rf_term){.kind = RF_TERM_NULL} : rf_term_head(operand->constant);
    if (operand->field >= 0) return true;
    if (op->kind == RF_OP_ADD)
        return head.kind == RF_TERM_INT || head.kind == RF_TERM_FLOAT
                   ? true
                   : invalid(c, "only a number can be added to", operand->component);
    return head.kind == RF_TERM_STRING ? true : invalid(c, "only a string can be put into", operand->component);
}

// Compiles add, put or take: one component and one value.
static bool compile_single(compiler *c, rf_rule *rule, rf_str term, rf_op *op) {
    rf_str name, value;
    op->operands = allocate(c, sizeof *op->operands);
    if (!op->operands) return false;
    op->count = 1;
    if (!get_string(term, RF_LIT("component"), &name) || !rf_term_get(term, RF_LIT("value"), &value))
        return malformed(c, "\"component\", a string, and \"value\" are needed");
    if (!compile_component(c, name, op->operands) || !compile_operand(c, rule, value, false, op->operands) ||
        !check_constant(c, op, op->operands))
        return false;
    if (op->kind != RF_OP_ADD) return true;
    if (!compile_bound(c, term, RF_LIT("min"), &op->min) || !compile_bound(c, term, RF_LIT("max"), &op->max))
        return false;
    if (op->min.kind == RF_TERM_NULL || op->max.kind == RF_TERM_NULL) return true;
    return number_of(&op->min) <= number_of(&op->max) ? true : malformed(c, "\"min\" is above \"max\"");
}

// ---- operations ---------------------------------------------------------------------------------

static bool read_kind(compiler *c, rf_str term, rf_op_kind *out) {
    static const rf_str names[] = {{"create", 6}, {"update", 6}, {"add", 3}, {"put", 3}, {"take", 4}, {"delete", 6}};
    rf_str name;
    if (!get_string(term, RF_LIT("op"), &name)) return malformed(c, "an operation is an object with \"op\"");
    for (unsigned i = 0; i < sizeof names / sizeof *names; i++) {
        if (rf_str_eq(name, names[i])) {
            *out = (rf_op_kind)i;
            return true;
        }
    }
    return invalid(c, "there is no such operation:", name);
}

static bool compile_op(compiler *c, rf_rule *rule, rf_str term, rf_op *op) {
    const rf_str set_keys[] = {RF_LIT("op"), RF_LIT("entity"), RF_LIT("set")};
    const rf_str single_keys[] = {RF_LIT("op"),    RF_LIT("entity"), RF_LIT("component"),
                                  RF_LIT("value"), RF_LIT("min"),    RF_LIT("max")};
    rf_str entity;
    if (!read_kind(c, term, &op->kind)) return false;
    if (!get_name(term, RF_LIT("entity"), &entity))
        return malformed(c, "\"entity\" must be the name of a field, a string of 1 to 255 bytes");
    op->entity = use_field(c, rule, entity, RF_USE_ID, -1);
    if (op->entity < 0) return false;
    switch (op->kind) {
    case RF_OP_CREATE:
    case RF_OP_UPDATE:
        return only_keys(c, term, set_keys, 3) && compile_set(c, rule, term, op);
    case RF_OP_ADD:
        return only_keys(c, term, single_keys, 6) && compile_single(c, rule, term, op);
    case RF_OP_PUT:
    case RF_OP_TAKE:
        return only_keys(c, term, single_keys, 4) && compile_single(c, rule, term, op);
    case RF_OP_DELETE:
        return only_keys(c, term, set_keys, 2);
    }
    return false;
}

static bool compile_sender(compiler *c, rf_str term, rf_sender *out) {
    rf_str value, name;
    *out = RF_FROM_ANY;
    if (!rf_term_get(term, RF_LIT("from"), &value)) return true;
    if (is_string(value, &name)) {
        if (rf_str_eq(name, RF_LIT("any"))) return true;
        *out = rf_str_eq(name, RF_LIT("user")) ? RF_FROM_USER : RF_FROM_SYSTEM;
        if (*out == RF_FROM_USER || rf_str_eq(name, RF_LIT("system"))) return true;
    }
    return malformed(c, "\"from\" must be \"user\", \"system\" or \"any\"");
}

static bool sets_numbers(const rf_rule *rule) {
    const rf_op *op = &rule->ops[0];
    if (rule->op_count != 1 || op->kind != RF_OP_UPDATE || rule->fields[op->entity].use != RF_USE_ID) return false;
    for (uint32_t i = 0; i < op->count; i++)
        if (op->operands[i].field < 0 || rule->fields[op->operands[i].field].use != RF_USE_NUMBERS) return false;
    return true;
}

static bool compile_rule(compiler *c, rf_str term, rf_rule *rule) {
    const rf_str keys[] = {RF_LIT("from"), RF_LIT("do")};
    rf_term_reader reader;
    rf_term head;
    rf_str list;
    if (!only_keys(c, term, keys, 2) || !compile_sender(c, term, &rule->sender)) return false;
    if (!rf_term_get(term, RF_LIT("do"), &list)) return malformed(c, "\"do\" is missing");
    rf_term_read(&reader, list);
    head = rf_term_next(&reader);
    if (head.kind != RF_TERM_LIST || head.as.count > RF_RULE_OPERATIONS)
        return malformed(c, "\"do\" is not a list, or has too many operations");
    rule->op_count = (uint32_t)head.as.count;
    rule->ops = allocate(c, rule->op_count * sizeof *rule->ops);
    if (!rule->ops) return false;
    for (uint32_t i = 0; i < rule->op_count; i++)
        if (!compile_op(c, rule, rf_term_skip(&reader), &rule->ops[i])) return false;
    rule->fields = allocate(c, rule->field_count * sizeof *rule->fields);
    if (!rule->fields) return false;
    memcpy(rule->fields, c->fields, rule->field_count * sizeof *rule->fields);
    rule->sets_numbers = sets_numbers(rule);
    return true;
}

// ---- the whole ----------------------------------------------------------------------------------

static void insert(rf_rules *rules, uint32_t index) {
    uint32_t at = (uint32_t)rf_hash(rules->rules[index].event, 0) & rules->mask;
    while (rules->table[at] != 0) at = (at + 1) & rules->mask;
    rules->table[at] = (uint16_t)(index + 1);
}

static bool compile_events(compiler *c, rf_str events) {
    rf_rules *rules = c->rules;
    rf_term_reader reader;
    rf_term head;
    rf_term_read(&reader, events);
    head = rf_term_next(&reader);
    if (head.kind != RF_TERM_MAP || head.as.count > RF_RULES_MAX)
        return malformed(c, "\"events\" is not an object, or has too many events");
    rules->count = (uint32_t)head.as.count;
    for (rules->mask = 15; rules->mask < 2 * rules->count; rules->mask = 2 * rules->mask + 1) continue;
    rules->rules = allocate(c, rules->count * sizeof *rules->rules);
    rules->table = allocate(c, (rules->mask + 1) * sizeof *rules->table);
    if (!rules->rules || !rules->table) return false;
    for (uint32_t i = 0; i < rules->count; i++) {
        c->event = rf_term_key(&reader);
        if (!valid_name(c->event)) return malformed(c, "not a name of 1 to 255 bytes");
        if (rf_is_entity_event(c->event)) return malformed(c, "entity events can't be redefined");
        if (!copy_string(c, c->event, &rules->rules[i].event) ||
            !compile_rule(c, rf_term_skip(&reader), &rules->rules[i]))
            return false;
        insert(rules, i);
    }
    return true;
}

static bool compile(compiler *c, rf_str term) {
    const rf_str keys[] = {RF_LIT("format"), RF_LIT("version"), RF_LIT("events"), RF_LIT("name")};
    rf_str format, version, events;
    if (!get_string(term, RF_LIT("format"), &format) || !rf_str_eq(format, RF_LIT("roomfold-rules")) ||
        !rf_term_get(term, RF_LIT("version"), &version) || rf_term_head(version).kind != RF_TERM_INT ||
        rf_term_head(version).as.integer != VERSION || !rf_term_get(term, RF_LIT("events"), &events))
        return malformed(c, "they need \"format\": \"roomfold-rules\", \"version\": 1 and \"events\"");
    return only_keys(c, term, keys, 4) && compile_events(c, events);
}

// "event NAME: WHAT ABOUT", cut where the error's text ends.
static rf_status tell(const compiler *c, rf_error *error) {
    char text[sizeof error->about];
    const rf_str none = {0}, what = {c->what, c->what ? strlen(c->what) : 0};
    const rf_str name = {c->event.data, rf_error_cut(c->event, NAME_TOLD)};
    const rf_str parts[] = {name.len ? RF_LIT("event ") : none,         name,
                            name.len && what.len ? RF_LIT(": ") : none, what,
                            c->about.len ? RF_LIT(" ") : none,          c->about};
    size_t len = 0;
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        size_t more = rf_error_cut(parts[i], sizeof text - 1 - len);
        if (more > 0) memcpy(text + len, parts[i].data, more);
        len += more;
    }
    return rf_error_set(error, c->status, RF_NOWHERE, (rf_str){text, len});
}

static rf_rules *rules_new(rf_allocator allocator, rf_schema *schema) {
    rf_rules *rules = rf_alloc_zero(allocator, sizeof *rules);
    if (!rules) return NULL;
    rules->allocator = allocator;
    atomic_init(&rules->references, 1);
    rules->schema = rf_schema_retain(schema);
    rf_arena_init(&rules->arena, allocator);
    return rules;
}

rf_status rf_rules_from_json(rf_allocator allocator, rf_schema *schema, rf_str text, rf_rules **out, rf_error *error) {
    rf_builder builder;
    compiler c = {.rules = rules_new(allocator, schema)};
    *out = NULL;
    if (!c.rules) return rf_error_set(error, RF_NO_MEMORY, RF_NOWHERE, RF_LIT(""));
    rf_builder_init(&builder, allocator);
    c.status = rf_json_to_term(allocator, text, &builder, error);
    if (c.status == RF_OK && !compile(&c, (rf_str){(const char *)builder.out.data, builder.out.len})) tell(&c, error);
    rf_builder_free(&builder);
    if (c.status == RF_OK)
        *out = c.rules;
    else
        rf_rules_release(c.rules);
    return c.status;
}

rf_rules *rf_rules_retain(rf_rules *rules) {
    atomic_fetch_add_explicit(&rules->references, 1, memory_order_relaxed);
    return rules;
}

void rf_rules_release(rf_rules *rules) {
    if (!rules || atomic_fetch_sub_explicit(&rules->references, 1, memory_order_acq_rel) != 1) return;
    rf_schema_release(rules->schema);
    rf_arena_free(&rules->arena);
    rf_free(rules->allocator, rules);
}

size_t rf_rules_count(const rf_rules *rules) {
    return rules->count;
}

bool rf_rules_sender(const rf_rules *rules, rf_str event, rf_sender *out) {
    const rf_rule *rule = rf_rules_find(rules, event);
    if (rule) *out = rule->sender;
    return rule != NULL;
}

bool rf_rules_only_numbers(const rf_rules *rules, rf_str event) {
    const rf_rule *rule = rf_rules_find(rules, event);
    return rule && rule->sets_numbers;
}

bool rf_rules_numbers_field(const rf_rules *rules, rf_str event, rf_str field, int *component) {
    const rf_rule *rule = rf_rules_find(rules, event);
    for (uint32_t i = 0; rule && i < rule->field_count; i++) {
        if (!rf_str_eq(rule->fields[i].name, field)) continue;
        *component = rule->fields[i].use == RF_USE_NUMBERS ? rule->fields[i].column : -1;
        return true;
    }
    return false;
}
