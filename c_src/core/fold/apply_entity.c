// apply_entity.c: applies a drafted create, update or delete.
#include "admit_state.h"
#include "operation.h"
#include <roomfold/json.h>

static bool valid_component_name(rf_str name) {
    return name.len >= 1 && name.len <= RF_NAME_MAX && !rf_str_eq(name, RF_LIT("id")) && rf_utf8_valid(name);
}

#define SORT_NAME sort_by_name
#define SORT_ITEM rf_draft_component
#define SORT_CONTEXT const void *
#define SORT_BEFORE(context, a, b) (rf_str_cmp((a)->name, (b)->name) < 0)
#include "base/heapsort.inl"

static void sort_components(rf_draft_component *components, uint32_t count) {
    bool sorted = true;
    for (uint32_t i = 1; i < count && sorted; i++) sorted = rf_str_cmp(components[i - 1].name, components[i].name) < 0;
    if (!sorted) sort_by_name(NULL, components, count);
}

// Whether all values are numbers in their final form: none can be rejected, so their order does not matter.
static bool all_numbers(const rf_fold *fold) {
    for (uint32_t i = 0; i < fold->component_count; i++)
        if (fold->components[i].value.state != RF_DRAFT_IMAGE) return false;
    return true;
}

// Converts the drafted components to assignments, in the order of their names. Returns how many; on failure,
// fold->no_memory is set.
static uint32_t assign_components(rf_fold *fold, const rf_undeclared_list *undeclared) {
    rf_assign_list list;
    if (!rf_assign_list_start(fold, fold->component_count, undeclared, &list)) return 0;
    if (!all_numbers(fold)) sort_components(fold->components, fold->component_count);
    for (uint32_t i = 0; i < fold->component_count; i++) {
        const rf_draft_component *component = &fold->components[i];
        rf_assign assign = {.column = component->column, .name = component->name};
        rf_status status = RF_OK;
        assign.remove = component->value.state == RF_DRAFT_NULL;
        if (component->column < 0 && !valid_component_name(component->name))
            status = RF_INVALID_COMPONENT_NAME;
        else if (!assign.remove)
            status = rf_assign_image(fold, &component->value, rf_operation_def(fold, component->column), &assign.image);
        if (fold->no_memory) return 0;
        rf_assign_list_add(fold, &list, &assign, status);
    }
    return list.count;
}

// The owner that a create would set, as a term; empty if none.
static rf_str drafted_owner(const rf_fold *fold) {
    for (uint32_t i = 0; i < fold->component_count; i++) {
        const rf_draft_component *component = &fold->components[i];
        if (rf_str_eq(component->name, RF_LIT("owner")) && component->value.state == RF_DRAFT_TERM)
            return rf_draft_term(fold, &component->value);
    }
    return (rf_str){0};
}

static bool may_touch(const rf_fold *fold, const rf_operation_target *target) {
    bool create = fold->kind == RF_EVENT_CREATE;
    if (!fold->admission) return true;
    return rf_admission_touch(fold->admission, target, create, create ? drafted_owner(fold) : (rf_str){0});
}

rf_status rf_apply_entity_event(rf_fold *fold, bool *used) {
    bool create = fold->kind == RF_EVENT_CREATE;
    rf_operation_target target;
    uint32_t count;
    if (rf_operation_find(fold, &fold->id, &target) != RF_ID_VALID) {
        rf_fold_reject(fold, RF_INVALID_ID, RF_LIT("entity_id"));
        return RF_OK;
    }
    if (!may_touch(fold, &target)) {
        rf_fold_reject(fold, RF_NOT_OWNED, RF_LIT("entity_id"));
        return RF_OK;
    }
    if (fold->kind == RF_EVENT_DELETE) {
        *used = true;
        return rf_operation_delete(fold, &target);
    }
    if (!fold->has_components) {
        rf_fold_reject(fold, RF_INVALID_COMPONENTS, (rf_str){0});
        return RF_OK;
    }
    if (create && rf_operation_world_full(fold, &target)) {
        rf_fold_reject(fold, RF_WORLD_FULL, (rf_str){0});
        return RF_OK;
    }
    count = assign_components(fold, create ? NULL : rf_operation_undeclared(fold, &target));
    if (fold->no_memory) return RF_NO_MEMORY;
    *used = create || count > 0;
    return create ? rf_operation_create(fold, &target, count) : rf_operation_update(fold, &target, count);
}
