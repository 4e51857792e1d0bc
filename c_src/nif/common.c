#include "common.h"

nif_atoms nif_atom;

void nif_atoms_make(ErlNifEnv *env) {
    // When the module is loaded again, others are using them.
    if (nif_atom.ok) {
        return;
    }
    nif_atom = (nif_atoms){
        .ok = enif_make_atom(env, "ok"),
        .error = enif_make_atom(env, "error"),
        .nil = enif_make_atom(env, "nil"),
        .false_ = enif_make_atom(env, "false"),
        .true_ = enif_make_atom(env, "true"),
        .list = enif_make_atom(env, "list"),
        .json = enif_make_atom(env, "json"),
        .entity = enif_make_atom(env, "entity"),
        .component = enif_make_atom(env, "component"),
        .kind = enif_make_atom(env, "kind"),
        .version = enif_make_atom(env, "version"),
        .compiler = enif_make_atom(env, "compiler"),
        .nif_version = enif_make_atom(env, "nif_version"),
        .simd = enif_make_atom(env, "simd"),
        .packed = enif_make_atom(env, "packed"),
        .plain = enif_make_atom(env, "plain"),
        .seq = enif_make_atom(env, "seq"),
        .time = enif_make_atom(env, "time"),
        .first = enif_make_atom(env, "first"),
        .pierce = enif_make_atom(env, "pierce"),
        .all = enif_make_atom(env, "all"),
        .box = enif_make_atom(env, "box"),
        .sphere = enif_make_atom(env, "sphere"),
        .capsule = enif_make_atom(env, "capsule"),
        .target = enif_make_atom(env, "target"),
        .wall = enif_make_atom(env, "wall"),
        .triangle = enif_make_atom(env, "triangle"),
    };
    nif_atom.reasons[RF_OK] = nif_atom.ok;
#define X(name, atom, message) nif_atom.reasons[RF_##name] = enif_make_atom(env, #atom);
#include <roomfold/reasons.inl>
#undef X
}

static void *resize(void *context, void *block, size_t size) {
    (void)context;
    if (size == 0) {
        if (block) {
            enif_free(block);
        }
        return NULL;
    }
    return block ? enif_realloc(block, size) : enif_alloc(size);
}

rf_allocator nif_allocator(void) {
    return (rf_allocator){.resize = resize, .context = NULL};
}

ERL_NIF_TERM nif_about(ErlNifEnv *env, const char *about, size_t len) {
    return about ? nif_binary(env, (rf_str){about, len}) : nif_atom.nil;
}

ERL_NIF_TERM nif_offset(ErlNifEnv *env, uint64_t offset) {
    return offset == RF_NOWHERE ? nif_atom.nil : enif_make_uint64(env, offset);
}

static ERL_NIF_TERM error_tuple(ErlNifEnv *env, rf_status status, ERL_NIF_TERM about, ERL_NIF_TERM offset) {
    return enif_make_tuple2(env, nif_atom.error, enif_make_tuple3(env, nif_atom.reasons[status], about, offset));
}

ERL_NIF_TERM nif_error(ErlNifEnv *env, rf_status status) {
    return error_tuple(env, status, nif_atom.nil, nif_atom.nil);
}

ERL_NIF_TERM nif_error_at(ErlNifEnv *env, const rf_error *error) {
    size_t len = strlen(error->about);
    ERL_NIF_TERM about = nif_about(env, len > 0 ? error->about : NULL, len);
    return error_tuple(env, error->status, about, nif_offset(env, error->offset));
}

ERL_NIF_TERM nif_binary(ErlNifEnv *env, rf_str bytes) {
    ERL_NIF_TERM term;
    unsigned char *data = enif_make_new_binary(env, bytes.len, &term);
    if (bytes.len > 0) {
        memcpy(data, bytes.data, bytes.len);
    }
    return term;
}

int nif_compare(rf_str a, rf_str b) {
    size_t shorter = a.len < b.len ? a.len : b.len;
    int order = shorter > 0 ? memcmp(a.data, b.data, shorter) : 0;
    return order != 0 ? order : (a.len > b.len) - (a.len < b.len);
}

bool nif_on_normal_scheduler(void) {
    return enif_thread_type() == ERL_NIF_THR_NORMAL_SCHEDULER;
}

ERL_NIF_TERM nif_go_dirty(ErlNifEnv *env, const char *name, nif_function *function, int argc,
                          const ERL_NIF_TERM argv[]) {
    return enif_schedule_nif(env, name, ERL_NIF_DIRTY_JOB_CPU_BOUND, function, argc, argv);
}

void nif_charge(ErlNifEnv *env, int64_t work) {
    int64_t percent = work * 100 / NIF_WORK;
    if (percent > 0) {
        enif_consume_timeslice(env, percent > 100 ? 100 : (int)percent);
    }
}
