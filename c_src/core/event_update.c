// event_update.c: the commonest event in one call: an update of an entity that is there, with numbers.
#include <roomfold/event.h>

#include "draft.h"

#define FAST_COMPONENTS 8

// In place of a draft. Returns false, having done nothing, for whatever needs one: a seq that is not simply the next, an
// unknown id, a number that is too large for its component.
static bool update_at_once(rf_fold *fold, rf_str id, uint64_t seq, const rf_numbers *numbers, size_t count,
                           rf_status *status) {
    uint64_t images[FAST_COMPONENTS][RF_NUMBERS_MAX];
    rf_assign assigns[FAST_COMPONENTS];
    rf_world *world = fold->world;
    uint32_t handle;
    if (fold->patching || count == 0 || count > FAST_COMPONENTS) return false;
    if ((seq != 0 && seq != world->seq + 1) || world->seq >= RF_SEQ_MAX) return false;
    handle = rf_world_lookup(world, id, rf_hash(id, world->hash_seed));
    if (handle == RF_NO_HANDLE) return false;
    for (size_t i = 0; i < count; i++) {
        const rf_component_def *def = &world->schema->defs[numbers[i].component];
        assigns[i] = (rf_assign){.column = numbers[i].component};
        if (rf_value_from_numbers(def, numbers[i].values, (uint8_t *)images[i], &assigns[i].image) != RF_OK)
            return false;
    }
    rf_world_advance(world, world->seq + 1);
    *status = rf_change_update(world, handle, assigns, count);
    return true;
}

static rf_status update_by_draft(rf_fold *fold, rf_str id, uint64_t seq, const rf_numbers *numbers, size_t count) {
    rf_event_begin(fold, RF_LIT("update"));
    if (seq != 0) {
        rf_event_field(fold, RF_LIT("seq"));
        rf_put_int(fold, seq <= RF_SEQ_MAX ? (int64_t)seq : -1);
    }
    rf_event_field(fold, RF_LIT("entity_id"));
    rf_put_string(fold, id);
    rf_event_field(fold, RF_LIT("components"));
    rf_event_components(fold);
    for (size_t i = 0; i < count; i++) {
        int column = numbers[i].component;
        rf_draft_component_at(fold, fold->world->schema->defs[column].name, column);
        rf_draft_numbers(fold, numbers[i].values);
    }
    return rf_event_end(fold);
}

rf_status rf_event_update(rf_fold *fold, rf_str id, uint64_t seq, const rf_numbers *numbers, size_t count) {
    rf_status status;
    if (!update_at_once(fold, id, seq, numbers, count, &status)) return update_by_draft(fold, id, seq, numbers, count);
    if (status == RF_OK) {
        fold->report->folded++;
        fold->index++;
    }
    return status;
}
