// fold_nif.c: folds a list of events, JSON text or a packed frame, in slices.
//
// A slice on a normal scheduler ends after SLICE_MICROSECONDS, charges a whole time slice and continues when its
// process is scheduled again. Whatever may take too long goes to a dirty scheduler: waiting for the lock, an event that
// takes longer than a slice, an object that changes many entities, and long texts, since the length of the next event
// is unknown.
#include "event_terms.h"
#include "nif_functions.h"
#include "world_resource.h"

#define SLICE_MICROSECONDS 250
#define DIRTY_SLICE_MICROSECONDS 10000
#define LONG_TEXT ((size_t)256 << 10)
#define LONG_FRAME ((size_t)512 << 10) // checked as a whole before the first slice
#define LARGE_OBJECT ((size_t)8 << 10) // of an object that changes several entities
#define TEXT_WORK_BYTES 8              // of text are read per unit of work
#define EVENTS_PER_LOOK 32             // between two readings of the clock

static nif_function continue_fold;

// Measures a slice. A short slice ends before the clock is read.
typedef struct nif_slice {
    ErlNifTime until; // 0: not known yet
    uint64_t events;
    bool normal;
} nif_slice;

static bool slice_over(nif_slice *slice) {
    ErlNifTime now = enif_monotonic_time(ERL_NIF_USEC);
    if (slice->until == 0) slice->until = now + (slice->normal ? SLICE_MICROSECONDS : DIRTY_SLICE_MICROSECONDS);
    return now >= slice->until;
}

// Charges the time that the slice took, or the work if it ended before the clock was read.
static void charge_slice(ErlNifEnv *env, const nif_slice *slice, int64_t work) {
    if (slice->until != 0) {
        ErlNifTime left = slice->until - enif_monotonic_time(ERL_NIF_USEC);
        work = left < 0 ? NIF_WORK : (SLICE_MICROSECONDS - left) * NIF_WORK / SLICE_MICROSECONDS;
    }
    if (slice->normal) nif_charge(env, work);
}

// --- lists -----------------------------------------------------------------------------------------

// Folds until the end of the list (*rest) or of the slice. events->stopped: the next event needs a slice of its own.
static rf_status fold_list(nif_events *events, nif_slice *slice, ERL_NIF_TERM *rest) {
    uint64_t look = EVENTS_PER_LOOK;
    uint32_t done;
    do {
        rf_status status = nif_events_fold_list(events, rest, &done);
        slice->events += done;
        if (status != RF_OK || events->stopped) return status;
        if (slice->events < look) continue;
        look = slice->events + EVENTS_PER_LOOK;
        if (slice_over(slice)) break;
    } while (done > 0);
    if (enif_is_list(events->env, *rest)) return RF_OK;
    *rest = enif_make_list(events->env, 0); // an improper tail is one more element
    return rf_event_unreadable(events->fold, RF_NOT_AN_EVENT);
}

// Called with the fold lock held; releases it.
static ERL_NIF_TERM run_list(ErlNifEnv *env, nif_world *world, ERL_NIF_TERM ref, ERL_NIF_TERM rest) {
    nif_events events;
    nif_slice slice = {.normal = nif_on_normal_scheduler()};
    ERL_NIF_TERM answer, arguments[2] = {ref, rest};
    rf_status status;
    nif_events_start(&events, env, world->job.fold, world->world);
    status = fold_list(&events, &slice, &arguments[1]);
    if (status != RF_OK) {
        answer = nif_job_fail(env, world, status);
    } else if (events.stopped && slice.events == 0) {
        answer = nif_go_dirty(env, "world_fold", continue_fold, 2, arguments);
    } else if (!enif_is_empty_list(env, arguments[1])) {
        if (slice.normal) enif_consume_timeslice(env, 100);
        answer = enif_schedule_nif(env, "world_fold", 0, continue_fold, 2, arguments);
    } else {
        charge_slice(env, &slice, NIF_WORK - events.work);
        answer = nif_job_end(env, world);
    }
    nif_world_unlock_fold(world);
    return answer;
}

// --- text ------------------------------------------------------------------------------------------

static rf_status fold_text(nif_job *job, nif_slice *slice) {
    job->text.large = slice->normal ? LARGE_OBJECT : 0;
    while (!job->text.done) {
        rf_status status = rf_fold_json(job->fold, &job->text, EVENTS_PER_LOOK);
        if (status != RF_OK) return status;
        slice->events += EVENTS_PER_LOOK;
        if (job->text.stopped || (!job->text.done && slice_over(slice))) break;
    }
    return RF_OK;
}

// Called with the fold lock held; releases it.
static ERL_NIF_TERM run_text(ErlNifEnv *env, nif_world *world, ERL_NIF_TERM ref, ERL_NIF_TERM text) {
    nif_slice slice = {.normal = nif_on_normal_scheduler()};
    ERL_NIF_TERM answer, arguments[2] = {ref, text};
    nif_job *job = &world->job;
    rf_status status = RF_INVALID_ARGUMENT;
    // A small binary may have moved since the last slice.
    if (nif_bytes(env, text, &job->text.text)) status = fold_text(job, &slice);
    if (status != RF_OK) {
        answer = nif_job_fail(env, world, status);
    } else if (job->text.done) {
        charge_slice(env, &slice, (int64_t)(job->text.text.len / TEXT_WORK_BYTES));
        answer = nif_job_end(env, world);
    } else if (job->text.text.len <= LONG_TEXT && !job->text.stopped) {
        if (slice.normal) enif_consume_timeslice(env, 100);
        answer = enif_schedule_nif(env, "world_fold", 0, continue_fold, 2, arguments);
    } else {
        answer = nif_go_dirty(env, "world_fold", continue_fold, 2, arguments);
    }
    job->text.text.data = NULL;
    nif_world_unlock_fold(world);
    return answer;
}

// --- packed ----------------------------------------------------------------------------------------

#define PACKED_PER_LOOK 512

static rf_status fold_packed(nif_job *job, nif_slice *slice, rf_error *error) {
    while (!job->packed.done) {
        rf_status status = rf_fold_packed(job->fold, &job->packed, PACKED_PER_LOOK, error);
        if (status != RF_OK) return status;
        if (!job->packed.done && slice_over(slice)) break;
    }
    return RF_OK;
}

// A bad frame has changed nothing: the world's version is valid again.
static ERL_NIF_TERM refuse(ErlNifEnv *env, nif_world *world, const rf_error *error) {
    rf_fold_free(world->job.fold);
    rf_report_free(&world->job.report);
    world->job.fold = NULL;
    world->version--;
    return nif_error_at(env, error);
}

// Called with the fold lock held; releases it.
static ERL_NIF_TERM run_packed(ErlNifEnv *env, nif_world *world, ERL_NIF_TERM ref, ERL_NIF_TERM frame) {
    nif_slice slice = {.normal = nif_on_normal_scheduler()};
    ERL_NIF_TERM answer, arguments[2] = {ref, frame};
    nif_job *job = &world->job;
    bool first = !job->packed.checked;
    rf_error error = {.status = RF_INVALID_ARGUMENT};
    rf_status status = RF_INVALID_ARGUMENT;
    if (nif_bytes(env, frame, &job->packed.frame)) status = fold_packed(job, &slice, &error);
    if (status != RF_OK) {
        answer = first && status != RF_NO_MEMORY ? refuse(env, world, &error) : nif_job_fail(env, world, status);
    } else if (job->packed.done) {
        charge_slice(env, &slice, (int64_t)(job->packed.frame.len / TEXT_WORK_BYTES));
        answer = nif_job_end(env, world);
    } else {
        if (slice.normal) enif_consume_timeslice(env, 100);
        answer = enif_schedule_nif(env, "world_fold", slice.normal ? 0 : ERL_NIF_DIRTY_JOB_CPU_BOUND, continue_fold, 2,
                                   arguments);
    }
    job->packed.frame.data = NULL;
    nif_world_unlock_fold(world);
    return answer;
}

// --- all --------------------------------------------------------------------------------------------

// Called with the fold lock held; releases it.
static ERL_NIF_TERM run(ErlNifEnv *env, nif_world *world, ERL_NIF_TERM ref, ERL_NIF_TERM input) {
    switch (world->job.input) {
    case NIF_TEXT:
        return run_text(env, world, ref, input);
    case NIF_PACKED:
        return run_packed(env, world, ref, input);
    case NIF_LIST:
        break;
    }
    return run_list(env, world, ref, input);
}

static ERL_NIF_TERM continue_fold(ErlNifEnv *env, int argc, const ERL_NIF_TERM argv[]) {
    nif_world *world;
    if (!nif_world_arg(env, argv[0], &world)) return enif_make_badarg(env);
    if (!nif_world_lock_fold(world, !nif_on_normal_scheduler()))
        return nif_go_dirty(env, "world_fold", continue_fold, argc, argv);
    return run(env, world, argv[0], argv[1]);
}

static bool is_input(ErlNifEnv *env, ERL_NIF_TERM term, const ERL_NIF_TERM **input) {
    int arity;
    if (!enif_get_tuple(env, term, &arity, input) || arity != 2) return false;
    if (enif_is_identical((*input)[0], nif_atom.json) || enif_is_identical((*input)[0], nif_atom.packed) ||
        enif_is_identical((*input)[0], nif_atom.plain))
        return enif_is_binary(env, (*input)[1]);
    return enif_is_identical((*input)[0], nif_atom.list) && enif_is_list(env, (*input)[1]);
}

ERL_NIF_TERM nif_world_fold(ErlNifEnv *env, int argc, const ERL_NIF_TERM argv[]) {
    nif_world *world;
    uint64_t version;
    const ERL_NIF_TERM *input;
    rf_str text = {0}; // stays so for a list
    bool normal = nif_on_normal_scheduler();
    rf_status status;
    if (!nif_world_args(env, argv, &world, &version) || !is_input(env, argv[2], &input)) return enif_make_badarg(env);
    nif_bytes(env, input[1], &text);
    if ((normal && text.len > (enif_is_identical(input[0], nif_atom.json) ? LONG_TEXT : LONG_FRAME)) ||
        !nif_world_lock_fold(world, !normal))
        return nif_go_dirty(env, "world_fold", nif_world_fold, argc, argv);
    status = nif_world_is_newest(world, version) ? nif_job_begin(world) : RF_FOLDED_ON;
    if (status == RF_OK) {
        bool plain = enif_is_identical(input[0], nif_atom.plain); // rf_packed_batch
        world->job.packed.plain = plain;
        world->job.input = enif_is_identical(input[0], nif_atom.json)              ? NIF_TEXT
                           : enif_is_identical(input[0], nif_atom.packed) || plain ? NIF_PACKED
                                                                                   : NIF_LIST;
        return run(env, world, argv[0], input[1]);
    }
    nif_world_unlock_fold(world);
    return nif_error(env, status);
}
