// apply_rule.c: applies a drafted domain event: the operations of its rule (docs/event-model.md, "Rules").
#include "admit_state.h"
#include "arithmetic.h"
#include "json/json_term.h"
#include "operation.h"
#include "string_set.h"

// The state of an operand: ABSENT, NULL, or a value.
static rf_draft_state operand_state(const rf_fold *fold, const rf_operand *operand) {
    if (operand->field >= 0) return fold->fields[operand->field].state;
    return rf_term_head(operand->constant).kind == RF_TERM_NULL ? RF_DRAFT_NULL : RF_DRAFT_TERM;
}

// The value that is added, put or taken, as a term.
static rf_str operand_term(const rf_fold *fold, const rf_operand *operand) {
    if (operand->field < 0) return operand->constant;
    return rf_draft_term(fold, &fold->fields[operand->field]);
}

// A constant that fitted the component when the rules were compiled may still be too large for this world.
static rf_status constant_fits(const rf_fold *fold, const rf_operand *operand) {
    const rf_component_def *def = rf_operation_def(fold, operand->column);
    bool limited = !def || def->type == RF_TYPE_TERM || def->type == RF_TYPE_STRING;
    return limited && operand->image.len > fold->world->max_value_bytes ? RF_TOO_LARGE : RF_OK;
}

// Converts the operands that the event has to assignments, in the order of their names. Returns how many; on failure,
// fold->no_memory is set.
static uint32_t assign_operands(rf_fold *fold, const rf_op *op, const rf_undeclared_list *undeclared) {
    rf_assign_list list;
    if (!rf_assign_list_start(fold, op->count, undeclared, &list)) return 0;
    for (uint32_t i = 0; i < op->count; i++) {
        const rf_operand *operand = &op->operands[i];
        rf_draft_state state = operand_state(fold, operand);
        rf_assign assign = {.column = operand->column, .name = operand->component, .image = operand->image};
        rf_status status = RF_OK;
        if (state == RF_DRAFT_ABSENT) continue;
        assign.remove = state == RF_DRAFT_NULL;
        if (!assign.remove && operand->field >= 0)
            status = rf_assign_image(fold, &fold->fields[operand->field], rf_operation_def(fold, operand->column),
                                     &assign.image);
        else if (!assign.remove)
            status = constant_fits(fold, operand);
        if (fold->no_memory) return 0;
        rf_assign_list_add(fold, &list, &assign, status);
    }
    return list.count;
}

// Stores the result of an add, put or take in the component.
static rf_status store_result(rf_fold *fold, const rf_operation_target *target, const rf_operand *operand,
                              rf_str term) {
    rf_assign assign = {.column = operand->column, .name = operand->component};
    uint8_t fixed[RF_VALUE_FIXED];
    rf_assign_list list;
    rf_status status = rf_value_from_term(rf_operation_def(fold, operand->column), term, fold->world->max_value_bytes,
                                          fixed, &assign.image);
    if (!rf_assign_list_start(fold, 1, rf_operation_undeclared(fold, target), &list)) return RF_NO_MEMORY;
    rf_assign_list_add(fold, &list, &assign, status);
    return rf_operation_update(fold, target, list.count);
}

// A component's current value in the world; false if it is absent.
static bool present_image(const rf_fold *fold, const rf_operation_target *target, const rf_operand *operand,
                          rf_str *out) {
    rf_entity entity = {.handle1 = target->handle + 1};
    rf_component component;
    if (operand->column >= 0) {
        const rf_column *column = &fold->world->columns[operand->column];
        rf_column_page *page = rf_column_page_of(column, target->handle);
        if (!rf_column_has(page, target->handle)) return false;
        if (!column->blobs) {
            const uint8_t *cell = rf_column_cell(column, page, target->handle);
            *out = (rf_str){(const char *)cell + column->value_offset, column->value_size};
            return true;
        }
    }
    if (!rf_world_get(fold->world, entity, operand->component, &component)) return false;
    *out = component.as.term;
    return true;
}

static rf_status apply_add(rf_fold *fold, const rf_op *op, const rf_operation_target *target) {
    const rf_operand *operand = op->operands;
    rf_term sum = {.kind = RF_TERM_INT}, addend;
    rf_builder *result = &fold->result;
    rf_str image;
    addend = rf_term_head(operand_term(fold, operand));
    if (present_image(fold, target, operand, &image) &&
        !rf_value_number(rf_operation_def(fold, operand->column), image, &sum)) {
        rf_fold_reject(fold, RF_NOT_A_NUMBER, operand->component);
        return RF_OK;
    }
    if (!rf_add_clamped(&sum, &addend, &op->min, &op->max)) {
        rf_fold_reject(fold, RF_NUMBER_OUT_OF_RANGE, operand->component);
        return RF_OK;
    }
    result->out.len = 0;
    rf_builder_start(result);
    if (!(sum.kind == RF_TERM_INT ? rf_builder_int(result, sum.as.integer) : rf_builder_float(result, sum.as.number)))
        return RF_NO_MEMORY;
    return store_result(fold, target, operand, (rf_str){(const char *)result->out.data, result->out.len});
}

// Applies a put or take.
static rf_status apply_set(rf_fold *fold, const rf_op *op, const rf_operation_target *target) {
    const rf_operand *operand = op->operands;
    const rf_component_def *def = rf_operation_def(fold, operand->column);
    rf_str value = rf_term_head(operand_term(fold, operand)).as.string;
    rf_str set = {0};
    rf_status status;
    bool present = present_image(fold, target, operand, &set);
    if (def && def->type != RF_TYPE_TERM)
        status = RF_NOT_A_SET;
    else if (!present && op->kind == RF_OP_TAKE)
        return RF_OK;
    else
        status = rf_string_set_change(&fold->arena, set, value, op->kind == RF_OP_PUT, &fold->result);
    if (status == RF_NO_MEMORY) return status;
    if (status != RF_OK) {
        rf_fold_reject(fold, status, operand->component);
        return RF_OK;
    }
    return store_result(fold, target, operand, (rf_str){(const char *)fold->result.out.data, fold->result.out.len});
}

// Checks the type of the value of an add, put or take.
static rf_status check_value(const rf_fold *fold, const rf_op *op) {
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

// Applies an add, put or take.
static rf_status apply_single(rf_fold *fold, const rf_op *op, const rf_operation_target *target, bool *used) {
    rf_draft_state state = operand_state(fold, op->operands);
    rf_status verdict;
    if (state == RF_DRAFT_ABSENT || state == RF_DRAFT_NULL) return RF_OK;
    verdict = check_value(fold, op);
    if (verdict != RF_OK) {
        rf_fold_reject(fold, verdict, op->operands->component);
        return RF_OK;
    }
    if (target->handle == RF_NO_HANDLE) {
        *used = true;
        fold->report->orphaned++;
        return RF_OK;
    } else {
        uint64_t before = fold->report->rejected_count;
        rf_status status = op->kind == RF_OP_ADD ? apply_add(fold, op, target) : apply_set(fold, op, target);
        if (fold->report->rejected_count == before) *used = true;
        return status;
    }
}

// The owner that a create would set, as a term; empty if none.
static rf_str rule_owner(const rf_fold *fold, const rf_op *op) {
    for (uint32_t i = 0; i < op->count; i++) {
        const rf_operand *operand = &op->operands[i];
        bool there = operand->field < 0 || fold->fields[operand->field].state == RF_DRAFT_TERM;
        if (rf_str_eq(operand->component, RF_LIT("owner")) && there) return operand_term(fold, operand);
    }
    return (rf_str){0};
}

static bool may_touch(const rf_fold *fold, const rf_op *op, const rf_operation_target *target) {
    bool create = op->kind == RF_OP_CREATE;
    if (!fold->admission) return true;
    return rf_admission_touch(fold->admission, target, create, create ? rule_owner(fold, op) : (rf_str){0});
}

static rf_status apply_op(rf_fold *fold, const rf_op *op, bool *used) {
    const rf_rule_field *field = &fold->rule->fields[op->entity];
    uint32_t count;
    rf_operation_target target;
    switch (rf_operation_find(fold, &fold->fields[op->entity], &target)) {
    case RF_ID_MISSING:
        return RF_OK;
    case RF_ID_INVALID:
        rf_fold_reject(fold, RF_INVALID_ID, field->name);
        return RF_OK;
    case RF_ID_VALID:
        break;
    }
    if (!may_touch(fold, op, &target)) {
        rf_fold_reject(fold, RF_NOT_OWNED, field->name);
        return RF_OK;
    }
    switch (op->kind) {
    case RF_OP_DELETE:
        *used = true;
        return rf_operation_delete(fold, &target);
    case RF_OP_CREATE:
        if (rf_operation_world_full(fold, &target)) {
            rf_fold_reject(fold, RF_WORLD_FULL, (rf_str){0});
            return RF_OK;
        }
        count = assign_operands(fold, op, NULL);
        *used = true;
        return fold->no_memory ? RF_NO_MEMORY : rf_operation_create(fold, &target, count);
    case RF_OP_UPDATE:
        count = assign_operands(fold, op, rf_operation_undeclared(fold, &target));
        *used = *used || count > 0;
        return fold->no_memory ? RF_NO_MEMORY : rf_operation_update(fold, &target, count);
    case RF_OP_ADD:
    case RF_OP_PUT:
    case RF_OP_TAKE:
        return apply_single(fold, op, &target, used);
    }
    return RF_OK;
}

rf_status rf_apply_rule(rf_fold *fold, bool *used) {
    rf_status status = RF_OK;
    for (uint32_t i = 0; i < fold->rule->op_count && status == RF_OK; i++)
        status = apply_op(fold, &fold->rule->ops[i], used);
    return status;
}
