// admit_nif.c: checks and numbers events (JSON text) into one binary of records; converts packed input into such text.
#include "nif_functions.h"
#include "read_nif.h"
#include <roomfold/wire.h>

#include <string.h>

#define NORMAL_LIMIT ((size_t)64 << 10) // bytes of text that a normal scheduler checks per call
#define NORMAL_FRAME ((size_t)8 << 10)  // bytes of a packed frame that it converts per call
#define TEXT_WORK_BYTES 2               // checked per unit of work

typedef struct admitting {
    nif_builder *builder;
    rf_admission *admission;
    size_t bytes;  // of text so far
    rf_str *texts; // of the current item
    size_t capacity;
} admitting;

static bool reserve(admitting *it, size_t count) {
    rf_str *texts;
    if (count <= it->capacity) return true;
    texts = enif_realloc(it->texts, count * sizeof *texts);
    if (!texts) return false;
    it->texts = texts;
    it->capacity = count;
    return true;
}

// A binary, or iodata. Valid until the call returns.
static bool read_text(ErlNifEnv *env, ERL_NIF_TERM term, rf_str *out) {
    ErlNifBinary bytes;
    if (nif_bytes(env, term, out)) return true;
    if (!enif_is_list(env, term) || !enif_inspect_iolist_as_binary(env, term, &bytes)) return false;
    *out = (rf_str){(const char *)bytes.data, bytes.size};
    return true;
}

// {by, trusted, texts}
static rf_status read_item(admitting *it, ERL_NIF_TERM term, rf_item *out) {
    ErlNifEnv *env = it->builder->env;
    const ERL_NIF_TERM *parts;
    ERL_NIF_TERM text, rest;
    unsigned count;
    int arity;
    if (!enif_get_tuple(env, term, &arity, &parts) || arity != 3 || !nif_bytes(env, parts[0], &out->by) ||
        !enif_get_list_length(env, parts[2], &count))
        return RF_INVALID_ARGUMENT;
    if (!reserve(it, count)) return RF_NO_MEMORY;
    out->trusted = enif_is_identical(parts[1], nif_atom.true_);
    out->texts = it->texts;
    out->count = 0;
    for (rest = parts[2]; enif_get_list_cell(env, rest, &text, &rest); out->count++) {
        if (!read_text(env, text, &it->texts[out->count])) return RF_INVALID_ARGUMENT;
        it->bytes += it->texts[out->count].len;
    }
    return RF_OK;
}

// The first seq, or {index, reason, about, offset}.
static ERL_NIF_TERM answer_for(ErlNifEnv *env, rf_status status, uint64_t first, size_t index, const rf_error *error) {
    if (status == RF_OK) return enif_make_uint64(env, first);
    return enif_make_tuple4(env, enif_make_uint64(env, index), nif_atom.reasons[status],
                            nif_about(env, error->about[0] ? error->about : NULL, strlen(error->about)),
                            nif_offset(env, error->offset));
}

static rf_status admit_all(admitting *it, ERL_NIF_TERM items, ERL_NIF_TERM *answers) {
    ErlNifEnv *env = it->builder->env;
    ERL_NIF_TERM term;
    *answers = enif_make_list(env, 0);
    while (enif_get_list_cell(env, items, &term, &items)) {
        rf_item item = {0};
        rf_error error = {0};
        uint64_t first = 0;
        size_t index = 0;
        rf_status status = read_item(it, term, &item);
        if (status != RF_OK) return status;
        if (it->builder->may_stop && it->bytes > NORMAL_LIMIT) {
            it->builder->stopped = true;
            return RF_TOO_LARGE;
        }
        status = rf_admit(it->admission, &item, &first, &error, &index);
        if (status == RF_NO_MEMORY) return status;
        *answers = enif_make_list_cell(env, answer_for(env, status, first, index, &error), *answers);
    }
    return RF_OK;
}

// argv: world, version, milliseconds, items. {:ok, {text, answers}}, the last answer first.
static rf_status admit(nif_builder *builder, const nif_world *world, const ERL_NIF_TERM argv[], ERL_NIF_TERM *answer) {
    ErlNifEnv *env = builder->env;
    admitting it = {.builder = builder};
    ERL_NIF_TERM answers;
    ErlNifSInt64 at;
    rf_status status;
    if (!enif_get_int64(env, argv[2], &at)) return RF_INVALID_ARGUMENT;
    status = rf_admission_new(world->world, at, &it.admission);
    if (status == RF_OK) status = admit_all(&it, argv[3], &answers);
    if (status == RF_OK) {
        ERL_NIF_TERM text = nif_binary(env, rf_admission_text(it.admission));
        *answer = enif_make_tuple2(env, nif_atom.ok, enif_make_tuple2(env, text, answers));
    }
    rf_admission_free(it.admission);
    if (it.texts) enif_free(it.texts);
    builder->work -=
        (int64_t)(it.bytes / TEXT_WORK_BYTES) < builder->work ? (int64_t)(it.bytes / TEXT_WORK_BYTES) : builder->work;
    return status;
}

ERL_NIF_TERM nif_world_admit(ErlNifEnv *env, int argc, const ERL_NIF_TERM argv[]) {
    return nif_read(env, argc, argv, &(nif_reader){"world_admit", nif_world_admit, admit, false});
}

// {:ok, text}, or the error.
static ERL_NIF_TERM text_answer(ErlNifEnv *env, rf_status status, uint8_t *text, size_t len, const rf_error *error) {
    ERL_NIF_TERM answer = status == RF_OK
                              ? enif_make_tuple2(env, nif_atom.ok, nif_binary(env, (rf_str){(const char *)text, len}))
                              : nif_error_at(env, error);
    if (text) enif_free(text);
    return answer;
}

static bool too_long(nif_builder *builder, rf_str frame) {
    builder->stopped = builder->may_stop && frame.len > NORMAL_FRAME;
    return builder->stopped;
}

// argv: world, version, frame, user, move. {:ok, text}
static rf_status input(nif_builder *builder, const nif_world *world, const ERL_NIF_TERM argv[], ERL_NIF_TERM *answer) {
    ErlNifEnv *env = builder->env;
    rf_str frame, user, move;
    rf_error error = {.offset = RF_NOWHERE};
    uint8_t *text;
    size_t len;
    rf_status status;
    if (!nif_bytes(env, argv[2], &frame) || !nif_bytes(env, argv[3], &user) || !nif_bytes(env, argv[4], &move))
        return RF_INVALID_ARGUMENT;
    if (too_long(builder, frame)) return RF_TOO_LARGE;
    status = rf_input_text(rf_world_schema(world->world), frame, user, move, nif_allocator(), &text, &len, &error);
    *answer = text_answer(env, status, text, len, &error);
    return RF_OK;
}

ERL_NIF_TERM nif_world_input(ErlNifEnv *env, int argc, const ERL_NIF_TERM argv[]) {
    return nif_read(env, argc, argv, &(nif_reader){"world_input", nif_world_input, input, false});
}

// argv: world, version, frame. {:ok, text}
static rf_status events(nif_builder *builder, const nif_world *world, const ERL_NIF_TERM argv[], ERL_NIF_TERM *answer) {
    ErlNifEnv *env = builder->env;
    rf_str frame;
    rf_error error = {.offset = RF_NOWHERE};
    uint8_t *text;
    size_t len;
    rf_status status;
    if (!nif_bytes(env, argv[2], &frame)) return RF_INVALID_ARGUMENT;
    if (too_long(builder, frame)) return RF_TOO_LARGE;
    status = rf_events_text(world->world, frame, nif_allocator(), &text, &len, &error);
    *answer = text_answer(env, status, text, len, &error);
    return RF_OK;
}

ERL_NIF_TERM nif_world_events_text(ErlNifEnv *env, int argc, const ERL_NIF_TERM argv[]) {
    return nif_read(env, argc, argv, &(nif_reader){"world_events_text", nif_world_events_text, events, false});
}
