// operation.h: one operation on one entity: which entity it is about, which components it sets, and doing it. An entity
// event is one operation (apply_entity.c), a domain event has those of its rule (apply_rule.c).
#ifndef RF_CORE_OPERATION_H
#define RF_CORE_OPERATION_H

#include "draft.h"
#include "report.h"

// An id and its entity.
typedef struct rf_operation_target {
    rf_str id;
    uint64_t hash;
    uint32_t handle; // or RF_NO_HANDLE
} rf_operation_target;

typedef enum rf_id_verdict { RF_ID_VALID, RF_ID_MISSING, RF_ID_INVALID } rf_id_verdict;

// The assignments of an operation, which are in fold->assigns.
typedef struct rf_assign_list {
    uint32_t count;
    const rf_undeclared_list *undeclared; // the undeclared components that the entity has so far, or NULL
    uint32_t live;                        // how many it will have
} rf_assign_list;

// Reports a rejection. about: a component or a field; may be empty.
static inline void rf_fold_reject(rf_fold *fold, rf_status status, rf_str about) {
    rf_report_add(fold->report, fold->index, status, RF_NOWHERE, about);
}

// The term of a draft in the state RF_DRAFT_TERM.
static inline rf_str rf_draft_term(const rf_fold *fold, const rf_draft *draft) {
    return (rf_str){(const char *)fold->builder.out.data + draft->at, draft->len};
}

// NULL: not declared.
static inline const rf_component_def *rf_operation_def(const rf_fold *fold, int column) {
    return column >= 0 ? &fold->world->schema->defs[column] : NULL;
}

// The entity's undeclared components; NULL: it has none, or does not exist.
static inline const rf_undeclared_list *rf_operation_undeclared(const rf_fold *fold,
                                                                const rf_operation_target *target) {
    return target->handle == RF_NO_HANDLE ? NULL : rf_world_slot(fold->world, target->handle)->undeclared;
}

// Whether there is no room for the entity, if it is new.
static inline bool rf_operation_world_full(const rf_fold *fold, const rf_operation_target *target) {
    return target->handle == RF_NO_HANDLE && fold->world->count >= fold->world->max_entities;
}

// Reads the id from its draft, and finds the entity.
rf_id_verdict rf_operation_find(const rf_fold *fold, const rf_draft *draft, rf_operation_target *out);

// Starts a list of at most `most` assignments. False: out of memory, and fold->no_memory is set.
bool rf_assign_list_start(rf_fold *fold, uint32_t most, const rf_undeclared_list *undeclared, rf_assign_list *out);
// The slow parts of the functions below: a draft that is not converted yet; whether an undeclared component keeps the
// entity within max_undeclared.
rf_status rf_assign_converted(rf_fold *fold, const rf_draft *draft, const rf_component_def *def, rf_str *image);
bool rf_assign_list_fits(const rf_fold *fold, rf_assign_list *list, const rf_assign *assign);

// Converts a draft to the bytes that the component's column keeps. On RF_NO_MEMORY, fold->no_memory is set.
static inline rf_status rf_assign_image(rf_fold *fold, const rf_draft *draft, const rf_component_def *def,
                                        rf_str *image) {
    if (draft->state != RF_DRAFT_IMAGE) return rf_assign_converted(fold, draft, def, image);
    *image = draft->bytes;
    return RF_OK;
}

// Adds an assignment, or rejects it: for `status`, or because the entity would have too many components. Call in the
// order of names, which decides which component is one too many.
static inline void rf_assign_list_add(rf_fold *fold, rf_assign_list *list, const rf_assign *assign, rf_status status) {
    if (status == RF_OK && assign->column < 0 && !rf_assign_list_fits(fold, list, assign))
        status = RF_TOO_MANY_COMPONENTS;
    if (status == RF_OK)
        fold->assigns[list->count++] = *assign;
    else
        rf_fold_reject(fold, status, status == RF_INVALID_COMPONENT_NAME ? (rf_str){0} : assign->name);
}

// Do the operation with the first `count` of fold->assigns, or count it as orphaned. While events are only tried out,
// they do nothing.
rf_status rf_operation_create(rf_fold *fold, const rf_operation_target *target, uint32_t count);
rf_status rf_operation_update(rf_fold *fold, const rf_operation_target *target, uint32_t count);
rf_status rf_operation_delete(rf_fold *fold, const rf_operation_target *target);

// Apply the drafted event. *used: whether any of it could be used.
rf_status rf_apply_entity_event(rf_fold *fold, bool *used);
rf_status rf_apply_rule(rf_fold *fold, bool *used);

#endif
