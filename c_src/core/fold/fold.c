// fold.c: applies a drafted event to the world.
#include <roomfold/fold.h>

#include "admit_state.h"
#include "arithmetic.h"
#include "draft.h"
#include "json/json_term.h"
#include "report.h"
#include "wire_events.h"
#include <roomfold/json.h>

rf_status rf_fold_new(rf_world *world, rf_report *report, rf_fold **out) {
    rf_allocator allocator = world->mem.allocator;
    rf_fold *fold = rf_alloc(allocator, sizeof *fold);
    *out = fold;
    if (!fold) return RF_NO_MEMORY;
    memset(fold, 0, offsetof(rf_fold, builder));
    fold->world = world;
    fold->report = report;
    fold->allocator = allocator;
    fold->number_list = rf_number_list_best();
    rf_builder_init(&fold->builder, allocator);
    rf_builder_init(&fold->result, allocator);
    rf_arena_init(&fold->arena, allocator);
    rf_key_set_init(&fold->keys, allocator, world->hash_seed);
    rf_templates_init(&fold->templates);
    return RF_OK;
}

void rf_fold_free(rf_fold *fold) {
    if (!fold) return;
    rf_free(fold->allocator, fold->components);
    rf_free(fold->allocator, fold->assigns);
    rf_builder_free(&fold->builder);
    rf_builder_free(&fold->result);
    rf_arena_free(&fold->arena);
    rf_key_set_free(&fold->keys);
    if (fold->packed) rf_free(fold->allocator, fold->packed->texts);
    rf_free(fold->allocator, fold->packed);
    rf_free(fold->allocator, fold);
}

static void drop(rf_fold *fold, rf_status status, rf_str about) {
    rf_report_add(fold->report, fold->index, status, RF_NOWHERE, about);
}

// ---- seq ----------------------------------------------------------------------------------------

typedef enum seq_verdict { SEQ_TAKE, SEQ_STALE, SEQ_INVALID } seq_verdict;

static seq_verdict judge_seq(const rf_fold *fold, uint64_t *seq) {
    const rf_draft *draft = &fold->seq;
    *seq = fold->world->seq + 1;
    if (draft->state == RF_DRAFT_ABSENT || draft->state == RF_DRAFT_NULL)
        return *seq <= RF_SEQ_MAX ? SEQ_TAKE : SEQ_INVALID;
    if (draft->state != RF_DRAFT_INT || draft->integer < 1 || draft->integer > (int64_t)RF_SEQ_MAX) return SEQ_INVALID;
    if ((uint64_t)draft->integer <= fold->world->seq) return SEQ_STALE;
    *seq = (uint64_t)draft->integer;
    return SEQ_TAKE;
}

static void take_seq(rf_fold *fold, uint64_t seq) {
    if (fold->patching || seq > RF_SEQ_MAX) return;
    if (seq > fold->world->seq + 1) fold->report->gaps++;
    rf_world_advance(fold->world, seq);
}

void rf_fold_unreadable(rf_fold *fold, rf_status reason, uint64_t offset) {
    rf_report_add(fold->report, fold->index, reason, offset, (rf_str){0});
    take_seq(fold, fold->world->seq + 1);
}

// ---- values -------------------------------------------------------------------------------------

static rf_str draft_term(const rf_fold *fold, const rf_draft *draft) {
    return (rf_str){(const char *)fold->builder.out.data + draft->at, draft->len};
}

// A value that was given up is reported as a wrong type, except for a term.
static rf_status bad_reason(const rf_draft *draft, const rf_component_def *def) {
    if (!def || def->type == RF_TYPE_TERM || draft->reason == RF_NUMBER_OUT_OF_RANGE) return draft->reason;
    if (def->type == RF_TYPE_STRING && !draft->nested && draft->reason == RF_INVALID_UTF8) return draft->reason;
    return RF_WRONG_TYPE;
}

// Converts a draft to the bytes that the component's column keeps.
static rf_status draft_image(rf_fold *fold, const rf_draft *draft, const rf_component_def *def, rf_str *image) {
    uint8_t *fixed;
    switch (draft->state) {
    case RF_DRAFT_IMAGE:
        *image = draft->bytes;
        return RF_OK;
    case RF_DRAFT_BAD:
        return bad_reason(draft, def);
    case RF_DRAFT_TERM:
        break;
    case RF_DRAFT_INT:
    case RF_DRAFT_STRING:
    case RF_DRAFT_ABSENT:
    case RF_DRAFT_NULL:
        return RF_WRONG_TYPE;
    }
    if ((!def || def->type == RF_TYPE_TERM) && draft->reason != RF_OK) return draft->reason;
    fixed = def && def->type != RF_TYPE_TERM ? rf_arena_alloc(&fold->arena, RF_VALUE_FIXED) : NULL;
    if (def && def->type != RF_TYPE_TERM && !fixed) {
        fold->no_memory = true;
        return RF_NO_MEMORY;
    }
    return rf_value_from_term(def, draft_term(fold, draft), fold->world->max_value_bytes, fixed, image);
}

typedef enum id_verdict { ID_THERE, ID_MISSING, ID_INVALID } id_verdict;

static id_verdict draft_id(const rf_fold *fold, const rf_draft *draft, rf_str *out) {
    rf_term head;
    switch (draft->state) {
    case RF_DRAFT_ABSENT:
    case RF_DRAFT_NULL:
        return ID_MISSING;
    case RF_DRAFT_STRING:
        *out = draft->bytes;
        break;
    case RF_DRAFT_TERM:
        head = rf_term_head(draft_term(fold, draft));
        if (head.kind != RF_TERM_STRING) return ID_INVALID;
        *out = head.as.string;
        break;
    case RF_DRAFT_INT:
    case RF_DRAFT_IMAGE:
    case RF_DRAFT_BAD:
        return ID_INVALID;
    }
    return out->len >= 1 && out->len <= RF_NAME_MAX ? ID_THERE : ID_INVALID;
}

// An id and its entity. Only ids of no entity need to be checked for UTF-8.
typedef struct target {
    rf_str id;
    uint64_t hash;
    uint32_t handle; // or RF_NO_HANDLE
} target;

static id_verdict find_target(const rf_fold *fold, const rf_draft *draft, target *out) {
    id_verdict verdict = draft_id(fold, draft, &out->id);
    if (verdict != ID_THERE) return verdict;
    out->hash = rf_hash(out->id, fold->world->hash_seed);
    out->handle = rf_world_lookup(fold->world, out->id, out->hash);
    return out->handle != RF_NO_HANDLE || rf_utf8_valid(out->id) ? ID_THERE : ID_INVALID;
}

// ---- what an operation sets ---------------------------------------------------------------------

static bool reserve_assigns(rf_fold *fold, uint32_t count) {
    rf_assign *assigns;
    if (count <= fold->assign_capacity) return true;
    assigns = fold->allocator.resize(fold->allocator.context, fold->assigns, count * sizeof *assigns);
    if (!assigns) {
        fold->no_memory = true;
        return false;
    }
    fold->assigns = assigns;
    fold->assign_capacity = count;
    return true;
}

// Whether this assignment keeps the entity within max_undeclared. *live is the running count. Call in name order: that
// decides which component is one too many.
static bool room_for(const rf_fold *fold, const rf_others *others, const rf_assign *assign, uint32_t *live) {
    bool found, present;
    uint32_t at = rf_others_find(others, assign->name, &found);
    present = found && others->items[at]->present;
    if (assign->remove) {
        *live -= present;
        return true;
    }
    if (present) return true;
    if (*live >= fold->world->max_undeclared) return false;
    ++*live;
    return true;
}

static const rf_component_def *def_at(const rf_fold *fold, int column) {
    return column >= 0 ? &fold->world->schema->defs[column] : NULL;
}

// Makes a component an assignment, or reports it.
static void assign_one(rf_fold *fold, const rf_assign *assign, rf_status status, const rf_others *others,
                       uint32_t *live, uint32_t *count) {
    rf_str about = assign->name;
    if (status == RF_OK && assign->column < 0 && !room_for(fold, others, assign, live)) status = RF_TOO_MANY_COMPONENTS;
    if (status == RF_INVALID_COMPONENT_NAME) about = (rf_str){0};
    if (status == RF_OK)
        fold->assigns[(*count)++] = *assign;
    else
        drop(fold, status, about);
}

// ---- entity events ------------------------------------------------------------------------------

static bool valid_component_name(rf_str name) {
    return name.len >= 1 && name.len <= RF_NAME_MAX && !rf_str_eq(name, RF_LIT("id")) && rf_utf8_valid(name);
}

static void sift_down(rf_draft_component *components, uint32_t root, uint32_t count) {
    for (;;) {
        uint32_t child = 2 * root + 1;
        rf_draft_component swap;
        if (child >= count) return;
        if (child + 1 < count && rf_str_cmp(components[child].name, components[child + 1].name) < 0) child++;
        if (rf_str_cmp(components[root].name, components[child].name) >= 0) return;
        swap = components[root];
        components[root] = components[child];
        components[child] = swap;
        root = child;
    }
}

static void sort_components(rf_draft_component *components, uint32_t count) {
    bool sorted = true;
    for (uint32_t i = 1; i < count && sorted; i++) sorted = rf_str_cmp(components[i - 1].name, components[i].name) < 0;
    if (sorted) return;
    for (uint32_t i = count / 2; i-- > 0;) sift_down(components, i, count);
    for (uint32_t left = count; left > 1;) {
        rf_draft_component swap = components[0];
        left--;
        components[0] = components[left];
        components[left] = swap;
        sift_down(components, 0, left);
    }
}

// Whether all values are numbers in their final form: none can be rejected, so their order does not matter.
static bool all_numbers(const rf_fold *fold) {
    for (uint32_t i = 0; i < fold->component_count; i++)
        if (fold->components[i].value.state != RF_DRAFT_IMAGE) return false;
    return true;
}

// Converts the drafted components to assignments, in the order of their names.
static uint32_t assign_components(rf_fold *fold, const rf_others *others) {
    uint32_t count = 0, live = others ? others->live : 0;
    if (!reserve_assigns(fold, fold->component_count)) return 0;
    if (!all_numbers(fold)) sort_components(fold->components, fold->component_count);
    for (uint32_t i = 0; i < fold->component_count; i++) {
        const rf_draft_component *component = &fold->components[i];
        rf_assign assign = {.column = component->column, .name = component->name};
        rf_status status = RF_OK;
        assign.remove = component->value.state == RF_DRAFT_NULL;
        if (component->column < 0 && !valid_component_name(component->name))
            status = RF_INVALID_COMPONENT_NAME;
        else if (!assign.remove)
            status = draft_image(fold, &component->value, def_at(fold, component->column), &assign.image);
        if (fold->no_memory) return 0;
        assign_one(fold, &assign, status, others, &live, &count);
    }
    return count;
}

static bool world_is_full(const rf_fold *fold, const target *who) {
    return who->handle == RF_NO_HANDLE && fold->world->count >= fold->world->max_entities;
}

static const rf_others *others_of(const rf_fold *fold, const target *who) {
    return who->handle == RF_NO_HANDLE ? NULL : rf_world_slot(fold->world, who->handle)->others;
}

static rf_status apply_delete(rf_fold *fold, const target *who) {
    if (fold->admission) return RF_OK;
    if (who->handle != RF_NO_HANDLE) return rf_change_delete(fold->world, who->handle, who->hash);
    fold->report->orphaned++;
    return RF_OK;
}

static rf_status apply_update(rf_fold *fold, const target *who, uint32_t count) {
    if (count == 0 || fold->admission) return RF_OK;
    if (who->handle != RF_NO_HANDLE) return rf_change_update(fold->world, who->handle, fold->assigns, count);
    fold->report->orphaned++;
    return RF_OK;
}

static rf_status apply_create(rf_fold *fold, const target *who, uint32_t count) {
    if (fold->admission) return RF_OK;
    return rf_change_create(fold->world, who->handle, who->id, who->hash, fold->assigns, count);
}

// ---- authorization ------------------------------------------------------------------------------

// The owner that a create would set, as a term; empty if none.
static rf_str drafted_owner(const rf_fold *fold) {
    for (uint32_t i = 0; i < fold->component_count; i++) {
        const rf_draft_component *component = &fold->components[i];
        if (rf_str_eq(component->name, RF_LIT("owner")) && component->value.state == RF_DRAFT_TERM)
            return draft_term(fold, &component->value);
    }
    return (rf_str){0};
}

static rf_str operand_term(const rf_fold *fold, const rf_operand *operand);

static rf_str rule_owner(const rf_fold *fold, const rf_op *op) {
    for (uint32_t i = 0; i < op->count; i++) {
        const rf_operand *operand = &op->operands[i];
        bool there = operand->field < 0 || fold->fields[operand->field].state == RF_DRAFT_TERM;
        if (rf_str_eq(operand->component, RF_LIT("owner")) && there) return operand_term(fold, operand);
    }
    return (rf_str){0};
}

// op: an operation of a rule; NULL: the event is an entity event.
static bool may_touch(rf_fold *fold, const rf_op *op, const target *who) {
    bool create = op ? op->kind == RF_OP_CREATE : fold->kind == RF_EVENT_CREATE;
    rf_str owner = {0};
    if (!fold->admission) return true;
    if (create) owner = op ? rule_owner(fold, op) : drafted_owner(fold);
    return rf_admission_touch(fold->admission, who->id, who->handle, create, owner);
}

static rf_status apply_entity_event(rf_fold *fold, bool *used) {
    bool create = fold->kind == RF_EVENT_CREATE;
    target who;
    uint32_t count;
    if (find_target(fold, &fold->id, &who) != ID_THERE) {
        drop(fold, RF_INVALID_ID, RF_LIT("entity_id"));
        return RF_OK;
    }
    if (!may_touch(fold, NULL, &who)) {
        drop(fold, RF_NOT_OWNED, RF_LIT("entity_id"));
        return RF_OK;
    }
    if (fold->kind == RF_EVENT_DELETE) {
        *used = true;
        return apply_delete(fold, &who);
    }
    if (!fold->has_components) {
        drop(fold, RF_INVALID_COMPONENTS, (rf_str){0});
        return RF_OK;
    }
    if (create && world_is_full(fold, &who)) {
        drop(fold, RF_WORLD_FULL, (rf_str){0});
        return RF_OK;
    }
    count = assign_components(fold, create ? NULL : others_of(fold, &who));
    if (fold->no_memory) return RF_NO_MEMORY;
    *used = create || count > 0;
    return create ? apply_create(fold, &who, count) : apply_update(fold, &who, count);
}

// ---- domain events ------------------------------------------------------------------------------

// The state of an operand: ABSENT, NULL, or a value.
static rf_draft_state operand_state(const rf_fold *fold, const rf_operand *operand) {
    if (operand->field >= 0) return fold->fields[operand->field].state;
    return rf_term_head(operand->constant).kind == RF_TERM_NULL ? RF_DRAFT_NULL : RF_DRAFT_TERM;
}

// A constant that fitted the component when the rules were compiled may still be too large for this world.
static rf_status constant_fits(const rf_fold *fold, const rf_operand *operand) {
    const rf_component_def *def = def_at(fold, operand->column);
    bool limited = !def || def->type == RF_TYPE_TERM || def->type == RF_TYPE_STRING;
    return limited && operand->image.len > fold->world->max_value_bytes ? RF_TOO_LARGE : RF_OK;
}

static uint32_t assign_operands(rf_fold *fold, const rf_op *op, const rf_others *others) {
    uint32_t count = 0, live = others ? others->live : 0;
    if (!reserve_assigns(fold, op->count)) return 0;
    for (uint32_t i = 0; i < op->count; i++) {
        const rf_operand *operand = &op->operands[i];
        rf_draft_state state = operand_state(fold, operand);
        rf_assign assign = {.column = operand->column, .name = operand->component, .image = operand->image};
        rf_status status = RF_OK;
        if (state == RF_DRAFT_ABSENT) continue;
        assign.remove = state == RF_DRAFT_NULL;
        if (!assign.remove && operand->field >= 0)
            status = draft_image(fold, &fold->fields[operand->field], def_at(fold, operand->column), &assign.image);
        else if (!assign.remove)
            status = constant_fits(fold, operand);
        if (fold->no_memory) return 0;
        assign_one(fold, &assign, status, others, &live, &count);
    }
    return count;
}

// The value that is added, put or taken, as a term.
static rf_str operand_term(const rf_fold *fold, const rf_operand *operand) {
    if (operand->field < 0) return operand->constant;
    return draft_term(fold, &fold->fields[operand->field]);
}

// Stores the result of an add, put or take in the component.
static rf_status store_result(rf_fold *fold, const target *who, const rf_operand *operand, rf_str term) {
    rf_assign assign = {.column = operand->column, .name = operand->component};
    uint8_t fixed[RF_VALUE_FIXED];
    const rf_others *others = others_of(fold, who);
    uint32_t live = others ? others->live : 0, count = 0;
    rf_status status =
        rf_value_from_term(def_at(fold, operand->column), term, fold->world->max_value_bytes, fixed, &assign.image);
    if (!reserve_assigns(fold, 1)) return RF_NO_MEMORY;
    assign_one(fold, &assign, status, others, &live, &count);
    return apply_update(fold, who, count);
}

// A component's current value in the world; false if it is absent.
static bool present_image(const rf_fold *fold, const target *who, const rf_operand *operand, rf_str *out) {
    rf_entity entity = {.handle1 = who->handle + 1};
    rf_component component;
    if (operand->column >= 0) {
        const rf_column *column = &fold->world->columns[operand->column];
        rf_column_page *page = rf_column_page_of(column, who->handle);
        if (!rf_column_has(page, who->handle)) return false;
        if (!column->blobs) {
            const uint8_t *cell = rf_column_cell(column, page, who->handle);
            *out = (rf_str){(const char *)cell + column->value_offset, column->value_size};
            return true;
        }
    }
    if (!rf_world_get(fold->world, entity, operand->component, &component)) return false;
    *out = component.as.term;
    return true;
}

static rf_status apply_add(rf_fold *fold, const rf_op *op, const target *who) {
    const rf_operand *operand = op->operands;
    rf_term sum = {.kind = RF_TERM_INT}, addend;
    rf_builder *result = &fold->result;
    rf_str image;
    addend = rf_term_head(operand_term(fold, operand));
    if (present_image(fold, who, operand, &image) && !rf_value_number(def_at(fold, operand->column), image, &sum)) {
        drop(fold, RF_NOT_A_NUMBER, operand->component);
        return RF_OK;
    }
    if (!rf_add_clamped(&sum, &addend, &op->min, &op->max)) {
        drop(fold, RF_NUMBER_OUT_OF_RANGE, operand->component);
        return RF_OK;
    }
    result->out.len = 0;
    rf_builder_start(result);
    if (!(sum.kind == RF_TERM_INT ? rf_builder_int(result, sum.as.integer) : rf_builder_float(result, sum.as.number)))
        return RF_NO_MEMORY;
    return store_result(fold, who, operand, (rf_str){(const char *)result->out.data, result->out.len});
}

static void sort_strings(rf_str *strings, uint64_t count) {
    for (uint64_t root = count / 2, left = count; left > 1;) {
        uint64_t at;
        rf_str moved;
        if (root > 0) {
            moved = strings[at = --root];
        } else {
            left--;
            moved = strings[left];
            strings[left] = strings[0];
            at = 0;
        }
        for (uint64_t child = 2 * at + 1; child < left; child = 2 * at + 1) {
            if (child + 1 < left && rf_str_cmp(strings[child], strings[child + 1]) < 0) child++;
            if (rf_str_cmp(moved, strings[child]) >= 0) break;
            strings[at] = strings[child];
            at = child;
        }
        strings[at] = moved;
    }
}

// Reads a set's strings, with room for one more. RF_NOT_A_SET, RF_NO_MEMORY.
static rf_status read_set(rf_fold *fold, rf_str set, rf_str **out, uint64_t *count) {
    rf_term_reader reader;
    rf_term head = {.kind = RF_TERM_LIST};
    rf_term_read(&reader, set);
    if (set.len > 0) head = rf_term_next(&reader);
    if (head.kind != RF_TERM_LIST) return RF_NOT_A_SET;
    *count = head.as.count;
    *out = rf_arena_alloc(&fold->arena, (size_t)(*count + 1) * sizeof **out);
    if (!*out) return RF_NO_MEMORY;
    for (uint64_t i = 0; i < *count; i++) {
        rf_term item = rf_term_next(&reader);
        if (item.kind != RF_TERM_STRING) return RF_NOT_A_SET;
        (*out)[i] = item.as.string;
    }
    return RF_OK;
}

static bool write_set(rf_builder *result, const rf_str *strings, uint64_t count, const rf_str *without) {
    result->out.len = 0;
    rf_builder_start(result);
    rf_builder_open(result, false);
    for (uint64_t i = 0; i < count; i++) {
        if (i > 0 && rf_str_eq(strings[i - 1], strings[i])) continue;
        if (without && rf_str_eq(strings[i], *without)) continue;
        rf_builder_string(result, strings[i]);
    }
    return rf_builder_close(result);
}

static rf_status apply_set(rf_fold *fold, const rf_op *op, const target *who) {
    const rf_operand *operand = op->operands;
    const rf_component_def *def = def_at(fold, operand->column);
    rf_str value = rf_term_head(operand_term(fold, operand)).as.string;
    rf_str set = {0}, *strings = NULL;
    uint64_t count = 0;
    rf_status status;
    bool present = present_image(fold, who, operand, &set);
    if (def && def->type != RF_TYPE_TERM)
        status = RF_NOT_A_SET;
    else if (!present && op->kind == RF_OP_TAKE)
        return RF_OK;
    else
        status = read_set(fold, set, &strings, &count);
    if (status == RF_NO_MEMORY) return status;
    if (status != RF_OK) {
        drop(fold, status, operand->component);
        return RF_OK;
    }
    if (op->kind == RF_OP_PUT) strings[count++] = value;
    sort_strings(strings, count);
    if (!write_set(&fold->result, strings, count, op->kind == RF_OP_TAKE ? &value : NULL)) return RF_NO_MEMORY;
    return store_result(fold, who, operand, (rf_str){(const char *)fold->result.out.data, fold->result.out.len});
}

// Checks the type of the value of an add, put or take.
static rf_status judge_value(const rf_fold *fold, const rf_op *op) {
    const rf_operand *operand = op->operands;
    const rf_draft *draft = operand->field >= 0 ? &fold->fields[operand->field] : NULL;
    rf_status no = op->kind == RF_OP_ADD ? RF_NOT_A_NUMBER : RF_NOT_A_SET;
    rf_term head;
    if (draft && draft->state != RF_DRAFT_TERM) return no;
    head = rf_term_head(operand_term(fold, operand));
    if (op->kind != RF_OP_ADD) return head.kind == RF_TERM_STRING ? RF_OK : no;
    if (head.kind == RF_TERM_FLOAT && isinf(head.as.number)) return RF_NUMBER_OUT_OF_RANGE;
    return head.kind == RF_TERM_INT || head.kind == RF_TERM_FLOAT ? RF_OK : no;
}

static rf_status apply_single(rf_fold *fold, const rf_op *op, const target *who, bool *used) {
    rf_draft_state state = operand_state(fold, op->operands);
    rf_status verdict;
    if (state == RF_DRAFT_ABSENT || state == RF_DRAFT_NULL) return RF_OK;
    verdict = judge_value(fold, op);
    if (verdict != RF_OK) {
        drop(fold, verdict, op->operands->component);
        return RF_OK;
    }
    if (who->handle == RF_NO_HANDLE) {
        *used = true;
        fold->report->orphaned++;
        return RF_OK;
    } else {
        uint64_t before = fold->report->rejected_count;
        rf_status status = op->kind == RF_OP_ADD ? apply_add(fold, op, who) : apply_set(fold, op, who);
        if (fold->report->rejected_count == before) *used = true;
        return status;
    }
}

static rf_status apply_op(rf_fold *fold, const rf_op *op, bool *used) {
    const rf_rule_field *field = &fold->rule->fields[op->entity];
    uint32_t count;
    target who;
    switch (find_target(fold, &fold->fields[op->entity], &who)) {
    case ID_MISSING:
        return RF_OK;
    case ID_INVALID:
        drop(fold, RF_INVALID_ID, field->name);
        return RF_OK;
    case ID_THERE:
        break;
    }
    if (!may_touch(fold, op, &who)) {
        drop(fold, RF_NOT_OWNED, field->name);
        return RF_OK;
    }
    switch (op->kind) {
    case RF_OP_DELETE:
        *used = true;
        return apply_delete(fold, &who);
    case RF_OP_CREATE:
        if (world_is_full(fold, &who)) {
            drop(fold, RF_WORLD_FULL, (rf_str){0});
            return RF_OK;
        }
        count = assign_operands(fold, op, NULL);
        *used = true;
        return fold->no_memory ? RF_NO_MEMORY : apply_create(fold, &who, count);
    case RF_OP_UPDATE:
        count = assign_operands(fold, op, others_of(fold, &who));
        *used = *used || count > 0;
        return fold->no_memory ? RF_NO_MEMORY : apply_update(fold, &who, count);
    case RF_OP_ADD:
    case RF_OP_PUT:
    case RF_OP_TAKE:
        return apply_single(fold, op, &who, used);
    }
    return RF_OK;
}

// ---- the event ----------------------------------------------------------------------------------

rf_status rf_fold_apply_usable(rf_fold *fold) {
    uint64_t before = fold->report->rejected_count;
    bool used = false;
    rf_status status = RF_OK;
    if (fold->kind != RF_EVENT_DOMAIN) {
        status = apply_entity_event(fold, &used);
    } else if (!fold->rule) {
        drop(fold, RF_UNKNOWN_EVENT, fold->name);
    } else {
        for (uint32_t i = 0; i < fold->rule->op_count && status == RF_OK; i++)
            status = apply_op(fold, &fold->rule->ops[i], &used);
    }
    if (status == RF_OK && (used || fold->report->rejected_count == before)) fold->report->folded++;
    return status;
}

rf_status rf_fold_orphan(rf_fold *fold) {
    uint64_t seq = 0;
    switch (judge_seq(fold, &seq)) {
    case SEQ_TAKE:
        take_seq(fold, seq);
        fold->report->orphaned++;
        fold->report->folded++;
        break;
    case SEQ_STALE:
        fold->report->stale++;
        break;
    case SEQ_INVALID:
        drop(fold, RF_INVALID_SEQ, (rf_str){0});
        break;
    }
    fold->no_memory = false;
    return RF_OK;
}

bool rf_fold_accept(rf_fold *fold) {
    uint64_t seq = 0;
    seq_verdict verdict = fold->patching ? SEQ_TAKE : judge_seq(fold, &seq);
    if (fold->unusable != RF_OK || verdict == SEQ_INVALID) {
        drop(fold, fold->unusable != RF_OK ? fold->unusable : RF_INVALID_SEQ, rf_draft_unusable_about(fold));
        if (verdict != SEQ_STALE) take_seq(fold, verdict == SEQ_TAKE ? seq : fold->world->seq + 1);
        return false;
    }
    if (verdict == SEQ_STALE) {
        fold->report->stale++;
        return false;
    }
    if (!fold->patching) take_seq(fold, seq);
    return true;
}

rf_status rf_fold_apply(rf_fold *fold) {
    if (fold->no_memory) {
        fold->no_memory = false;
        return RF_NO_MEMORY;
    }
    return rf_fold_accept(fold) ? rf_fold_apply_usable(fold) : RF_OK;
}
