// fold.c: makes and frees folds, and decides by its seq whether a drafted event is applied.
#include <roomfold/fold.h>

#include "admit_state.h"
#include "operation.h"
#include "wire_events.h"

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

// ---- seq ----------------------------------------------------------------------------------------

typedef enum seq_verdict { SEQ_TAKE, SEQ_STALE, SEQ_INVALID } seq_verdict;

static seq_verdict check_seq(const rf_fold *fold, uint64_t *seq) {
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

// ---- the event ----------------------------------------------------------------------------------

rf_status rf_fold_apply_usable(rf_fold *fold) {
    uint64_t before = fold->report->rejected_count;
    bool used = false;
    rf_status status = RF_OK;
    if (fold->kind != RF_EVENT_DOMAIN) {
        status = rf_apply_entity_event(fold, &used);
    } else if (!fold->rule) {
        rf_fold_reject(fold, RF_UNKNOWN_EVENT, fold->name);
    } else {
        status = rf_apply_rule(fold, &used);
    }
    if (status == RF_OK && (used || fold->report->rejected_count == before)) fold->report->folded++;
    return status;
}

rf_status rf_fold_orphan(rf_fold *fold) {
    uint64_t seq = 0;
    switch (check_seq(fold, &seq)) {
    case SEQ_TAKE:
        take_seq(fold, seq);
        fold->report->orphaned++;
        fold->report->folded++;
        break;
    case SEQ_STALE:
        fold->report->stale++;
        break;
    case SEQ_INVALID:
        rf_fold_reject(fold, RF_INVALID_SEQ, (rf_str){0});
        break;
    }
    fold->no_memory = false;
    return RF_OK;
}

bool rf_fold_accept(rf_fold *fold) {
    uint64_t seq = 0;
    seq_verdict verdict = fold->patching ? SEQ_TAKE : check_seq(fold, &seq);
    if (fold->unusable != RF_OK || verdict == SEQ_INVALID) {
        rf_fold_reject(fold, fold->unusable != RF_OK ? fold->unusable : RF_INVALID_SEQ, rf_draft_unusable_about(fold));
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
