#include "operation.h"

#include "json/json_term.h"
#include <roomfold/json.h>

// ---- the entity -------------------------------------------------------------------------------------

static rf_id_verdict draft_id(const rf_fold *fold, const rf_draft *draft, rf_str *out) {
    rf_term head;
    switch (draft->state) {
    case RF_DRAFT_ABSENT:
    case RF_DRAFT_NULL:
        return RF_ID_MISSING;
    case RF_DRAFT_STRING:
        *out = draft->bytes;
        break;
    case RF_DRAFT_TERM:
        head = rf_term_head(rf_draft_term(fold, draft));
        if (head.kind != RF_TERM_STRING) return RF_ID_INVALID;
        *out = head.as.string;
        break;
    case RF_DRAFT_INT:
    case RF_DRAFT_IMAGE:
    case RF_DRAFT_BAD:
        return RF_ID_INVALID;
    }
    return out->len >= 1 && out->len <= RF_NAME_MAX ? RF_ID_VALID : RF_ID_INVALID;
}

// Only ids of no entity need to be checked for UTF-8.
rf_id_verdict rf_operation_find(const rf_fold *fold, const rf_draft *draft, rf_operation_target *out) {
    rf_id_verdict verdict = draft_id(fold, draft, &out->id);
    if (verdict != RF_ID_VALID) return verdict;
    out->hash = rf_hash(out->id, fold->world->hash_seed);
    out->handle = rf_world_lookup(fold->world, out->id, out->hash);
    return out->handle != RF_NO_HANDLE || rf_utf8_valid(out->id) ? RF_ID_VALID : RF_ID_INVALID;
}

// ---- what it sets -----------------------------------------------------------------------------------

// A value that was given up is reported as a wrong type, except for a term.
static rf_status bad_reason(const rf_draft *draft, const rf_component_def *def) {
    if (!def || def->type == RF_TYPE_TERM || draft->reason == RF_NUMBER_OUT_OF_RANGE) return draft->reason;
    if (def->type == RF_TYPE_STRING && !draft->nested && draft->reason == RF_INVALID_UTF8) return draft->reason;
    return RF_WRONG_TYPE;
}

rf_status rf_assign_converted(rf_fold *fold, const rf_draft *draft, const rf_component_def *def, rf_str *image) {
    uint8_t *fixed;
    switch (draft->state) {
    case RF_DRAFT_BAD:
        return bad_reason(draft, def);
    case RF_DRAFT_TERM:
        break;
    case RF_DRAFT_IMAGE:
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
    return rf_value_from_term(def, rf_draft_term(fold, draft), fold->world->max_value_bytes, fixed, image);
}

bool rf_assign_list_start(rf_fold *fold, uint32_t most, const rf_undeclared_list *undeclared, rf_assign_list *out) {
    rf_assign *assigns;
    *out = (rf_assign_list){.undeclared = undeclared, .live = undeclared ? undeclared->live : 0};
    if (most <= fold->assign_capacity) return true;
    assigns = fold->allocator.resize(fold->allocator.context, fold->assigns, most * sizeof *assigns);
    if (!assigns) {
        fold->no_memory = true;
        return false;
    }
    fold->assigns = assigns;
    fold->assign_capacity = most;
    return true;
}

bool rf_assign_list_fits(const rf_fold *fold, rf_assign_list *list, const rf_assign *assign) {
    bool found, present;
    uint32_t at = rf_undeclared_find(list->undeclared, assign->name, &found);
    present = found && list->undeclared->items[at]->present;
    if (assign->remove) {
        list->live -= present;
        return true;
    }
    if (present) return true;
    if (list->live >= fold->world->max_undeclared) return false;
    list->live++;
    return true;
}

// ---- doing it ---------------------------------------------------------------------------------------

rf_status rf_operation_create(rf_fold *fold, const rf_operation_target *target, uint32_t count) {
    if (fold->admission) return RF_OK;
    return rf_change_create(fold->world, target->handle, target->id, target->hash, fold->assigns, count);
}

rf_status rf_operation_update(rf_fold *fold, const rf_operation_target *target, uint32_t count) {
    if (count == 0 || fold->admission) return RF_OK;
    if (target->handle != RF_NO_HANDLE) return rf_change_update(fold->world, target->handle, fold->assigns, count);
    fold->report->orphaned++;
    return RF_OK;
}

rf_status rf_operation_delete(rf_fold *fold, const rf_operation_target *target) {
    if (fold->admission) return RF_OK;
    if (target->handle != RF_NO_HANDLE) return rf_change_delete(fold->world, target->handle, target->hash);
    fold->report->orphaned++;
    return RF_OK;
}
