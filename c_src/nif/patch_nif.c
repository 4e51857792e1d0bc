// patch_nif.c: applies diffs and loads snapshots that are terms: entities in the order of their ids, under one seq.
//
// A patch with many entries runs on a dirty scheduler from the start. One with large entries moves there when NIF_WORK
// is used up; it then reads its entries again and continues after the last one that was applied.
#include "event_terms.h"
#include "nif_functions.h"
#include "world_resource.h"

#include <stdlib.h>

#define MANY_ENTRIES 1000

// One entity's part of a patch.
typedef struct nif_entry {
    rf_entity_op op;
    rf_str id;
    ERL_NIF_TERM components; // not for delete
} nif_entry;

typedef struct nif_patch {
    ErlNifEnv *env;
    rf_status invalid; // the reason if the term is not a valid patch
    bool may_stop;     // on a normal scheduler
    bool stopped;      // it has too many entries for that
    uint64_t from, seq;
    nif_entry *entries;
    size_t len, capacity;
} nif_patch;

typedef struct nif_patcher {
    const char *name;
    nif_function *start, *go_on;
    rf_status (*read)(nif_patch *patch, ERL_NIF_TERM term, const rf_world *world);
    rf_status invalid;
} nif_patcher;

static const nif_patcher apply_diff, load_snapshot;

// --- reading: RF_OK, RF_NO_MEMORY (or patch->stopped), patch->invalid --------------------------------

static rf_status add_entry(nif_patch *patch, rf_entity_op op, ERL_NIF_TERM id, ERL_NIF_TERM components) {
    nif_entry entry = {.op = op, .components = components};
    if (!nif_bytes(patch->env, id, &entry.id)) return patch->invalid;
    if (patch->len == MANY_ENTRIES && patch->may_stop) {
        patch->stopped = true;
        return RF_NO_MEMORY;
    }
    if (patch->len == patch->capacity) {
        size_t capacity = patch->capacity ? patch->capacity * 2 : 32;
        nif_entry *entries = patch->entries ? enif_realloc(patch->entries, capacity * sizeof entry)
                                            : enif_alloc(capacity * sizeof entry);
        if (!entries) return RF_NO_MEMORY;
        patch->entries = entries;
        patch->capacity = capacity;
    }
    patch->entries[patch->len++] = entry;
    return RF_OK;
}

static int compare_entries(const void *a, const void *b) {
    return nif_compare(((const nif_entry *)a)->id, ((const nif_entry *)b)->id);
}

static void sort_from(nif_patch *patch, size_t from) {
    if (patch->len - from > 1) qsort(patch->entries + from, patch->len - from, sizeof(nif_entry), compare_entries);
}

// id => components
static rf_status add_map(nif_patch *patch, ERL_NIF_TERM map, rf_entity_op op) {
    ErlNifMapIterator entries;
    ERL_NIF_TERM id, components;
    size_t from = patch->len;
    rf_status status = RF_OK;
    if (!enif_map_iterator_create(patch->env, map, &entries, ERL_NIF_MAP_ITERATOR_FIRST)) return patch->invalid;
    while (status == RF_OK && enif_map_iterator_get_pair(patch->env, &entries, &id, &components)) {
        status = add_entry(patch, op, id, components);
        enif_map_iterator_next(patch->env, &entries);
    }
    enif_map_iterator_destroy(patch->env, &entries);
    sort_from(patch, from);
    return status;
}

static rf_status add_deletes(nif_patch *patch, ERL_NIF_TERM list) {
    ERL_NIF_TERM id;
    size_t from = patch->len;
    rf_status status = RF_OK;
    while (status == RF_OK && enif_get_list_cell(patch->env, list, &id, &list))
        status = add_entry(patch, RF_ENTITY_DELETE, id, nif_atom.nil);
    if (status == RF_OK && !enif_is_empty_list(patch->env, list)) status = patch->invalid;
    sort_from(patch, from);
    return status;
}

static bool get(nif_patch *patch, ERL_NIF_TERM map, rf_str key, ERL_NIF_TERM *out) {
    return enif_get_map_value(patch->env, map, nif_binary(patch->env, key), out);
}

static bool get_seq(nif_patch *patch, ERL_NIF_TERM map, rf_str key, uint64_t *out) {
    ErlNifUInt64 seq;
    ERL_NIF_TERM term;
    if (!get(patch, map, key, &term) || !enif_get_uint64(patch->env, term, &seq) || seq > RF_SEQ_MAX) return false;
    *out = seq;
    return true;
}

static rf_status read_diff(nif_patch *patch, ERL_NIF_TERM diff, const rf_world *world) {
    ERL_NIF_TERM creates, updates, deletes;
    rf_status status;
    (void)world;
    if (!get_seq(patch, diff, (rf_str){"from", 4}, &patch->from) ||
        !get_seq(patch, diff, (rf_str){"seq", 3}, &patch->seq) || patch->seq < patch->from ||
        !get(patch, diff, (rf_str){"creates", 7}, &creates) || !get(patch, diff, (rf_str){"updates", 7}, &updates) ||
        !get(patch, diff, (rf_str){"deletes", 7}, &deletes))
        return patch->invalid;
    status = add_deletes(patch, deletes);
    if (status == RF_OK) status = add_map(patch, creates, RF_ENTITY_CREATE);
    if (status == RF_OK) status = add_map(patch, updates, RF_ENTITY_UPDATE);
    // Nothing can have changed without a seq.
    return status == RF_OK && patch->len > 0 && patch->seq == patch->from ? patch->invalid : status;
}

static rf_status read_snapshot(nif_patch *patch, ERL_NIF_TERM snapshot, const rf_world *world) {
    patch->from = patch->seq = rf_world_seq(world);
    return add_map(patch, snapshot, RF_ENTITY_CREATE);
}

// --- applying --------------------------------------------------------------------------------------

static rf_status begin(nif_world *world, const nif_patch *patch) {
    rf_status status = RF_SEQ_MISMATCH;
    if (patch->from == rf_world_seq(world->world)) status = nif_job_begin(world);
    return status == RF_OK ? rf_patch_begin(world->job.fold, patch->seq) : status;
}

// Folds the remaining entries. events->stopped: the rest needs a dirty scheduler.
static rf_status fold_entries(nif_events *events, nif_job *job, const nif_patch *patch) {
    rf_status status = RF_OK;
    while (status == RF_OK && job->entries_done < patch->len) {
        const nif_entry *entry = &patch->entries[job->entries_done];
        status = nif_events_fold_entity(events, entry->op, entry->id, entry->components);
        if (events->stopped) return RF_OK;
        job->entries_done++;
    }
    return status;
}

static ERL_NIF_TERM apply(ErlNifEnv *env, const nif_patcher *patcher, nif_world *world, const nif_patch *patch,
                          const ERL_NIF_TERM argv[]) {
    nif_events events;
    rf_status status;
    nif_events_start(&events, env, world->job.fold, world->world);
    status = fold_entries(&events, &world->job, patch);
    if (status != RF_OK) return nif_job_fail(env, world, status);
    if (events.stopped) return nif_go_dirty(env, patcher->name, patcher->go_on, 3, argv);
    if (events.may_stop) nif_charge(env, NIF_WORK - events.work);
    rf_patch_end(world->job.fold);
    return nif_job_end(env, world);
}

// With the fold lock held. first: nothing has been applied yet.
static ERL_NIF_TERM run(ErlNifEnv *env, const nif_patcher *patcher, nif_world *world, const ERL_NIF_TERM argv[],
                        bool first) {
    nif_patch patch = {.env = env, .invalid = patcher->invalid, .may_stop = nif_on_normal_scheduler()};
    ERL_NIF_TERM answer;
    rf_status status = patcher->read(&patch, argv[2], world->world);
    if (status == RF_OK && first) status = begin(world, &patch);
    if (patch.stopped)
        answer = nif_go_dirty(env, patcher->name, patcher->start, 3, argv);
    else if (status == RF_OK)
        answer = apply(env, patcher, world, &patch, argv);
    else
        answer = nif_error(env, status);
    if (patch.entries) enif_free(patch.entries);
    return answer;
}

static ERL_NIF_TERM start(ErlNifEnv *env, const nif_patcher *patcher, const ERL_NIF_TERM argv[]) {
    nif_world *world;
    uint64_t version;
    ERL_NIF_TERM answer;
    if (!nif_world_args(env, argv, &world, &version)) return enif_make_badarg(env);
    if (!nif_world_lock_fold(world, !nif_on_normal_scheduler()))
        return nif_go_dirty(env, patcher->name, patcher->start, 3, argv);
    answer = nif_world_is_newest(world, version) ? run(env, patcher, world, argv, true) : nif_error(env, RF_FOLDED_ON);
    nif_world_unlock_fold(world);
    return answer;
}

// On a dirty scheduler.
static ERL_NIF_TERM go_on(ErlNifEnv *env, const nif_patcher *patcher, const ERL_NIF_TERM argv[]) {
    nif_world *world;
    ERL_NIF_TERM answer;
    if (!nif_world_arg(env, argv[0], &world)) return enif_make_badarg(env);
    nif_world_lock_fold(world, true);
    answer = run(env, patcher, world, argv, false);
    nif_world_unlock_fold(world);
    return answer;
}

static ERL_NIF_TERM go_on_diff(ErlNifEnv *env, int argc, const ERL_NIF_TERM argv[]) {
    (void)argc;
    return go_on(env, &apply_diff, argv);
}

static ERL_NIF_TERM go_on_load(ErlNifEnv *env, int argc, const ERL_NIF_TERM argv[]) {
    (void)argc;
    return go_on(env, &load_snapshot, argv);
}

static const nif_patcher apply_diff = {"world_apply_diff", nif_world_apply_diff, go_on_diff, read_diff,
                                       RF_INVALID_DIFF};
static const nif_patcher load_snapshot = {"world_load", nif_world_load, go_on_load, read_snapshot, RF_INVALID_SNAPSHOT};

ERL_NIF_TERM nif_world_apply_diff(ErlNifEnv *env, int argc, const ERL_NIF_TERM argv[]) {
    (void)argc;
    return start(env, &apply_diff, argv);
}

ERL_NIF_TERM nif_world_load(ErlNifEnv *env, int argc, const ERL_NIF_TERM argv[]) {
    (void)argc;
    return start(env, &load_snapshot, argv);
}
