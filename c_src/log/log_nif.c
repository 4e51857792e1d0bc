// log_nif.c: the NIF library behind Roomfold.EventLog.SQLite.Library
// (elixir/roomfold/lib/roomfold/event_log/sqlite/library.ex). All functions run on dirty I/O schedulers, since each may
// wait for the disk.
#include <erl_nif.h>
#include <string.h>

#include "batch.h"
#include "crc32c.h"
#include "read.h"

#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define LOG_TSAN 1
#endif
#elif defined(__SANITIZE_THREAD__)
#define LOG_TSAN 1
#endif

// The VM's locks are not instrumented, so ThreadSanitizer has to be told about them.
#ifdef LOG_TSAN
void __tsan_acquire(void *address);
void __tsan_release(void *address);
#define locked(connection) __tsan_acquire(connection)
#define unlocking(connection) __tsan_release(connection)
#else
#define locked(connection) ((void)(connection))
#define unlocking(connection) ((void)(connection))
#endif

#define MAX_OPS 65536

typedef struct connection {
    ErlNifMutex *mutex; // protects the store; held during a call, never between calls
    log_store *store;   // NULL: closed
} connection;

static ErlNifResourceType *connection_type;
static ERL_NIF_TERM atom_ok, atom_error, atom_true, atom_nil;
static ERL_NIF_TERM reasons[RF_STATUS_COUNT];

// Runs on the scheduler that releases the last reference, so nothing else uses the connection. It writes nothing.
static void destroy(ErlNifEnv *env, void *object) {
    (void)env;
    connection *it = object;
    locked(it);
    if (it->store) log_close(it->store, false);
    if (it->mutex) enif_mutex_destroy(it->mutex);
}

// --- terms

static ERL_NIF_TERM binary(ErlNifEnv *env, const char *data, size_t len) {
    ERL_NIF_TERM term;
    unsigned char *bytes = enif_make_new_binary(env, len, &term);
    if (len > 0) memcpy(bytes, data, len);
    return term;
}

// {:error, {reason, detail}}
static ERL_NIF_TERM failure(ErlNifEnv *env, const log_error *error) {
    ERL_NIF_TERM detail = binary(env, error->detail, strlen(error->detail));
    return enif_make_tuple2(env, atom_error, enif_make_tuple2(env, reasons[error->status], detail));
}

static bool bytes_of(ErlNifEnv *env, ERL_NIF_TERM term, rf_str *out) {
    ErlNifBinary found;
    if (!enif_inspect_binary(env, term, &found)) return false;
    *out = (rf_str){(const char *)found.data, found.size};
    return true;
}

static bool number_of(ErlNifEnv *env, ERL_NIF_TERM term, int64_t *out) {
    ErlNifSInt64 number;
    if (!enif_get_int64(env, term, &number) || number < 0) return false;
    *out = number;
    return true;
}

// --- connections

// Locks the connection. NULL: it is closed, and *error says so.
static log_store *enter(connection *it, log_error *error) {
    enif_mutex_lock(it->mutex);
    locked(it);
    if (!it->store) log_fail(error, RF_LOG_FAILED, "it is closed");
    return it->store;
}

static void leave(connection *it) {
    unlocking(it);
    enif_mutex_unlock(it->mutex);
}

static bool connection_of(ErlNifEnv *env, ERL_NIF_TERM term, connection **out) {
    void *object;
    if (!enif_get_resource(env, term, connection_type, &object)) return false;
    *out = object;
    return true;
}

// open(path, writer, synchronous, busy_ms, max_bytes) -> {:ok, ref}
static ERL_NIF_TERM nif_open(ErlNifEnv *env, int argc, const ERL_NIF_TERM argv[]) {
    char path[4096], name[] = "roomfold_log"; // the VM copies it
    rf_str given;
    int64_t busy_ms;
    log_options options = {.writer = enif_is_identical(argv[1], atom_true)};
    (void)argc;
    if (!bytes_of(env, argv[0], &given) || given.len == 0 || given.len >= sizeof path - 16 ||
        memchr(given.data, 0, given.len) || !enif_get_int(env, argv[2], &options.synchronous) ||
        !number_of(env, argv[3], &busy_ms) || busy_ms > INT32_MAX || !number_of(env, argv[4], &options.max_bytes)) {
        return enif_make_badarg(env);
    }
    memcpy(path, given.data, given.len);
    path[given.len] = 0;
    options.busy_ms = (int)busy_ms;
    log_error error = {0};
    connection *it = enif_alloc_resource(connection_type, sizeof *it);
    if (!it) {
        log_fail(&error, RF_NO_MEMORY, "%s", "");
        return failure(env, &error);
    }
    *it = (connection){0};
    it->mutex = enif_mutex_create(name);
    bool opened = it->mutex ? log_open(path, &options, &it->store, &error) : log_fail(&error, RF_NO_MEMORY, "%s", "");
    unlocking(it);
    ERL_NIF_TERM answer = opened ? enif_make_tuple2(env, atom_ok, enif_make_resource(env, it)) : failure(env, &error);
    enif_release_resource(it);
    return answer;
}

// close(ref) -> :ok. Later calls with this ref return an error.
static ERL_NIF_TERM nif_close(ErlNifEnv *env, int argc, const ERL_NIF_TERM argv[]) {
    connection *it;
    log_error ignored;
    (void)argc;
    if (!connection_of(env, argv[0], &it)) return enif_make_badarg(env);
    log_store *store = enter(it, &ignored);
    if (store) log_close(store, true);
    it->store = NULL;
    leave(it);
    return atom_ok;
}

// --- changes

// {kind, room, term, seq, count, bytes}
static bool op_of(ErlNifEnv *env, ERL_NIF_TERM term, log_op *out) {
    const ERL_NIF_TERM *parts;
    int arity, kind;
    if (!enif_get_tuple(env, term, &arity, &parts) || arity != 6 || !enif_get_int(env, parts[0], &kind) || kind < 0 ||
        kind >= LOG_OP_KINDS) {
        return false;
    }
    out->kind = (log_op_kind)kind;
    return bytes_of(env, parts[1], &out->room) && out->room.len <= 255 && number_of(env, parts[2], &out->term) &&
           number_of(env, parts[3], &out->seq) && number_of(env, parts[4], &out->count) &&
           bytes_of(env, parts[5], &out->bytes);
}

static ERL_NIF_TERM head_term(ErlNifEnv *env, const log_head *head) {
    return enif_make_tuple5(env, atom_ok, enif_make_int64(env, head->term), enif_make_int64(env, head->seq),
                            enif_make_int64(env, head->first), binary(env, head->versions.data, head->versions.len));
}

static ERL_NIF_TERM result_term(ErlNifEnv *env, const log_op *op, const log_result *result) {
    if (result->error.status != RF_OK) return failure(env, &result->error);
    if (op->kind == LOG_CLAIM) return head_term(env, &result->head);
    return result->more ? enif_make_tuple2(env, atom_ok, atom_true) : atom_ok;
}

static bool ops_of(ErlNifEnv *env, ERL_NIF_TERM list, unsigned count, log_op *ops) {
    for (unsigned i = 0; i < count; i++) {
        ERL_NIF_TERM cell;
        ops[i] = (log_op){0};
        if (!enif_get_list_cell(env, list, &cell, &list) || !op_of(env, cell, &ops[i])) return false;
    }
    return true;
}

static ERL_NIF_TERM results_term(ErlNifEnv *env, const log_op *ops, log_result *results, unsigned count) {
    ERL_NIF_TERM list = enif_make_list(env, 0);
    for (unsigned i = count; i-- > 0;) {
        list = enif_make_list_cell(env, result_term(env, &ops[i], &results[i]), list);
        log_text_free(&results[i].head.versions);
    }
    return list;
}

static ERL_NIF_TERM run_ops(ErlNifEnv *env, connection *it, const log_op *ops, log_result *results, unsigned count) {
    log_error error = {0};
    log_store *store = enter(it, &error);
    int pages = 0;
    if (store) {
        log_run(store, ops, count, results);
        pages = store->wal_pages;
    }
    leave(it);
    if (!store) return failure(env, &error);
    return enif_make_tuple2(env, enif_make_int(env, pages), results_term(env, ops, results, count));
}

// run(ref, ops) -> {pages in the WAL, [result]}, in the order of the ops
static ERL_NIF_TERM nif_run(ErlNifEnv *env, int argc, const ERL_NIF_TERM argv[]) {
    connection *it;
    unsigned count;
    ERL_NIF_TERM answer;
    log_op *ops;
    log_result *results;
    log_error error = {0};
    (void)argc;
    if (!connection_of(env, argv[0], &it) || !enif_get_list_length(env, argv[1], &count) || count < 1 ||
        count > MAX_OPS)
        return enif_make_badarg(env);
    ops = enif_alloc(count * sizeof *ops);
    results = enif_alloc(count * sizeof *results);
    if (!ops || !results) {
        log_fail(&error, RF_NO_MEMORY, "%s", "");
        answer = failure(env, &error);
    } else if (!ops_of(env, argv[1], count, ops)) {
        answer = enif_make_badarg(env);
    } else {
        answer = run_ops(env, it, ops, results, count);
    }
    if (ops) enif_free(ops);
    if (results) enif_free(results);
    return answer;
}

// --- reads

// head(ref, room) -> {:ok, term, seq, first, versions} | nil
static ERL_NIF_TERM nif_head(ErlNifEnv *env, int argc, const ERL_NIF_TERM argv[]) {
    connection *it;
    rf_str room;
    log_head head = {0};
    log_error error = {0};
    (void)argc;
    if (!connection_of(env, argv[0], &it) || !bytes_of(env, argv[1], &room)) return enif_make_badarg(env);
    log_store *store = enter(it, &error);
    bool good = store && log_head_get(store, room, &head, &error);
    leave(it);
    ERL_NIF_TERM answer = !good ? failure(env, &error) : head.term == 0 ? atom_nil : head_term(env, &head);
    log_text_free(&head.versions);
    return answer;
}

// {:ok, number, bytes} with the bytes in store->out, or the error. Unlocks the connection.
static ERL_NIF_TERM answer_out(ErlNifEnv *env, connection *it, bool good, int64_t number, const log_error *error) {
    ERL_NIF_TERM answer;
    if (good) {
        ERL_NIF_TERM bytes = binary(env, it->store->out.data, it->store->out.len);
        answer = enif_make_tuple3(env, atom_ok, enif_make_int64(env, number), bytes);
        // Do not keep a large buffer for ever.
        if (it->store->out.capacity > (size_t)4 << 20) log_text_free(&it->store->out);
    } else {
        answer = failure(env, error);
    }
    leave(it);
    return answer;
}

// read(ref, room, from, to, max_bytes, max_events) -> {:ok, last, text}; last is from - 1 if there are none
static ERL_NIF_TERM nif_read(ErlNifEnv *env, int argc, const ERL_NIF_TERM argv[]) {
    connection *it;
    rf_str room;
    log_range range = {0};
    int64_t last = 0;
    log_error error = {0};
    (void)argc;
    if (!connection_of(env, argv[0], &it) || !bytes_of(env, argv[1], &room) || !number_of(env, argv[2], &range.from) ||
        range.from < 1 || !number_of(env, argv[3], &range.to) || !number_of(env, argv[4], &range.max_bytes) ||
        !number_of(env, argv[5], &range.max_events)) {
        return enif_make_badarg(env);
    }
    log_store *store = enter(it, &error);
    bool good = store && log_read(store, room, &range, &last, &error);
    return answer_out(env, it, good, last, &error);
}

// snapshot(ref, room, at_most) -> {:ok, seq, bytes}; seq is 0 if there is none
static ERL_NIF_TERM nif_snapshot(ErlNifEnv *env, int argc, const ERL_NIF_TERM argv[]) {
    connection *it;
    rf_str room;
    int64_t at_most, seq = 0;
    log_error error = {0};
    (void)argc;
    if (!connection_of(env, argv[0], &it) || !bytes_of(env, argv[1], &room) || !number_of(env, argv[2], &at_most)) {
        return enif_make_badarg(env);
    }
    log_store *store = enter(it, &error);
    if (store) store->out.len = 0;
    bool good = store && log_snapshot_get(store, room, at_most, &seq, &error);
    return answer_out(env, it, good, seq, &error);
}

// rooms(ref, after, limit) -> {:ok, 0, names}, a zero byte after each
static ERL_NIF_TERM nif_rooms(ErlNifEnv *env, int argc, const ERL_NIF_TERM argv[]) {
    connection *it;
    rf_str after;
    int limit;
    log_error error = {0};
    (void)argc;
    if (!connection_of(env, argv[0], &it) || !bytes_of(env, argv[1], &after) || !enif_get_int(env, argv[2], &limit)) {
        return enif_make_badarg(env);
    }
    log_store *store = enter(it, &error);
    bool good = store && log_rooms_list(store, after, limit, &error);
    return answer_out(env, it, good, 0, &error);
}

// checkpoint(ref) -> {:ok, pages that are in the WAL only}
static ERL_NIF_TERM nif_checkpoint(ErlNifEnv *env, int argc, const ERL_NIF_TERM argv[]) {
    connection *it;
    log_error error = {0};
    (void)argc;
    if (!connection_of(env, argv[0], &it)) return enif_make_badarg(env);
    log_store *store = enter(it, &error);
    int left = 0;
    bool good = store && log_checkpoint(store, &left, &error);
    leave(it);
    return good ? enif_make_tuple2(env, atom_ok, enif_make_int(env, left)) : failure(env, &error);
}

// check(ref) -> :ok if all rooms are there
static ERL_NIF_TERM nif_check(ErlNifEnv *env, int argc, const ERL_NIF_TERM argv[]) {
    connection *it;
    log_error error = {0};
    (void)argc;
    if (!connection_of(env, argv[0], &it)) return enif_make_badarg(env);
    log_store *store = enter(it, &error);
    bool good = store && log_begin_read(store, &error);
    if (good) {
        good = log_rooms_check(store, &error);
        log_rollback(store);
    }
    leave(it);
    return good ? atom_ok : failure(env, &error);
}

// sqlite_version() -> "3.40.1"
static ERL_NIF_TERM nif_sqlite_version(ErlNifEnv *env, int argc, const ERL_NIF_TERM argv[]) {
    (void)argc, (void)argv;
    return binary(env, sqlite3_libversion(), strlen(sqlite3_libversion()));
}

// --- the library

// clang-format off
static ErlNifFunc functions[] = {
    {"sqlite_version", 0, nif_sqlite_version, 0},
    {"open", 5, nif_open, ERL_NIF_DIRTY_JOB_IO_BOUND},
    {"close", 1, nif_close, ERL_NIF_DIRTY_JOB_IO_BOUND},
    {"run", 2, nif_run, ERL_NIF_DIRTY_JOB_IO_BOUND},
    {"head", 2, nif_head, ERL_NIF_DIRTY_JOB_IO_BOUND},
    {"read", 6, nif_read, ERL_NIF_DIRTY_JOB_IO_BOUND},
    {"snapshot", 3, nif_snapshot, ERL_NIF_DIRTY_JOB_IO_BOUND},
    {"rooms", 3, nif_rooms, ERL_NIF_DIRTY_JOB_IO_BOUND},
    {"checkpoint", 1, nif_checkpoint, ERL_NIF_DIRTY_JOB_IO_BOUND},
    {"check", 1, nif_check, ERL_NIF_DIRTY_JOB_IO_BOUND},
};
// clang-format on

static int load(ErlNifEnv *env, void **data, ERL_NIF_TERM argument) {
    (void)data, (void)argument;
    // A newer library takes over the connections of an older one: change the name whenever their layout changes.
    ErlNifResourceFlags flags = (ErlNifResourceFlags)(ERL_NIF_RT_CREATE | ERL_NIF_RT_TAKEOVER);
    ErlNifResourceType *type = enif_open_resource_type(env, NULL, "roomfold_log_1", destroy, flags, NULL);
    if (!type) return -1;
    // When the module is loaded again nothing changes, and others are using all this.
    if (type == connection_type) return 0;
    connection_type = type;
    atom_ok = enif_make_atom(env, "ok");
    atom_error = enif_make_atom(env, "error");
    atom_true = enif_make_atom(env, "true");
    atom_nil = enif_make_atom(env, "nil");
    reasons[RF_OK] = atom_ok;
#define X(name, atom, message) reasons[RF_##name] = enif_make_atom(env, #atom);
#include <roomfold/reasons.inl>
#undef X
    log_crc32c_init();
    return 0;
}

static int upgrade(ErlNifEnv *env, void **data, void **old_data, ERL_NIF_TERM argument) {
    (void)old_data;
    return load(env, data, argument);
}

ERL_NIF_INIT(Elixir.Roomfold.EventLog.SQLite.Library, functions, load, NULL, upgrade, NULL)
