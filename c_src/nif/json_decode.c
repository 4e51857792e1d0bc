// json_decode.c: JSON text to terms: token by token, with a stack of open lists and maps.
#include "big_integer.h"
#include "name_cache.h"
#include "nif_functions.h"
#include "term_stack.h"

#include <string.h>

#define LONG_TEXT ((size_t)16 << 10) // longer texts go to a dirty scheduler
#define DEPTH_LIMIT 512
#define TEXT_WORK_BYTES 2 // of text are decoded per unit of work

// Where an open list or map starts on the stacks.
typedef struct nif_level {
    size_t keys, values;
} nif_level;

typedef struct nif_decoder {
    ErlNifEnv *env;
    rf_json_reader *reader;
    rf_error error;
    nif_stack keys, values; // of all open lists and maps
    nif_names names;
    uint32_t depth;
    nif_level levels[DEPTH_LIMIT];
} nif_decoder;

static bool fail(nif_decoder *decoder, rf_status status, uint64_t offset) {
    decoder->error = (rf_error){.status = status, .offset = offset};
    return false;
}

static bool push(nif_decoder *decoder, ERL_NIF_TERM value) {
    return nif_stack_push(&decoder->values, value) || fail(decoder, RF_NO_MEMORY, RF_NOWHERE);
}

static bool push_big(nif_decoder *decoder, const rf_json_token *token) {
    ERL_NIF_TERM term;
    rf_status status = nif_big_read(decoder->env, token->as.string, &term);
    return status == RF_OK ? push(decoder, term) : fail(decoder, status, token->offset);
}

static bool push_key(nif_decoder *decoder, rf_str key) {
    return nif_stack_push(&decoder->keys, nif_names_get(&decoder->names, decoder->env, key)) ||
           fail(decoder, RF_NO_MEMORY, RF_NOWHERE);
}

static bool open_level(nif_decoder *decoder) {
    // The reader has checked the depth.
    decoder->levels[decoder->depth++] = (nif_level){decoder->keys.len, decoder->values.len};
    return true;
}

static bool close_list(nif_decoder *decoder) {
    nif_level level = decoder->levels[--decoder->depth];
    return push(decoder, nif_stack_list(decoder->env, &decoder->values, level.values));
}

static bool close_map(nif_decoder *decoder) {
    nif_level level = decoder->levels[--decoder->depth];
    ERL_NIF_TERM map;
    if (!nif_stack_map(decoder->env, &decoder->keys, level.keys, &decoder->values, level.values, &map))
        return fail(decoder, RF_NO_MEMORY, RF_NOWHERE);
    return push(decoder, map);
}

static bool take(nif_decoder *decoder, const rf_json_token *token) {
    switch (token->kind) {
    case RF_JSON_NULL:
        return push(decoder, nif_atom.nil);
    case RF_JSON_FALSE:
        return push(decoder, nif_atom.false_);
    case RF_JSON_TRUE:
        return push(decoder, nif_atom.true_);
    case RF_JSON_INT:
        return push(decoder, enif_make_int64(decoder->env, token->as.integer));
    case RF_JSON_FLOAT:
        return push(decoder, enif_make_double(decoder->env, token->as.number));
    case RF_JSON_STRING:
        return push(decoder, nif_binary(decoder->env, token->as.string));
    case RF_JSON_BIG:
        return push_big(decoder, token);
    case RF_JSON_KEY:
        return push_key(decoder, token->as.string);
    case RF_JSON_OPEN_LIST:
    case RF_JSON_OPEN_MAP:
        return open_level(decoder);
    case RF_JSON_CLOSE_LIST:
        return close_list(decoder);
    case RF_JSON_CLOSE_MAP:
        return close_map(decoder);
    case RF_JSON_END:
    case RF_JSON_ERROR:
        break;
    }
    decoder->error = rf_json_error(decoder->reader);
    return false;
}

static ERL_NIF_TERM decode(nif_decoder *decoder) {
    rf_json_token token = rf_json_next(decoder->reader);
    while (token.kind != RF_JSON_END && take(decoder, &token)) token = rf_json_next(decoder->reader);
    if (token.kind != RF_JSON_END) return nif_error_at(decoder->env, &decoder->error);
    return enif_make_tuple2(decoder->env, nif_atom.ok, decoder->values.terms[0]);
}

static ERL_NIF_TERM decode_text(ErlNifEnv *env, rf_str text, uint32_t max_depth) {
    nif_decoder *decoder = enif_alloc(sizeof *decoder);
    ERL_NIF_TERM answer;
    rf_status status;
    if (!decoder) return nif_error(env, RF_NO_MEMORY);
    memset(decoder, 0, offsetof(nif_decoder, levels));
    decoder->env = env;
    status = rf_json_reader_new(nif_allocator(), text, max_depth, &decoder->reader);
    answer = status == RF_OK ? decode(decoder) : nif_error(env, status);
    if (status == RF_OK) rf_json_reader_free(decoder->reader);
    nif_stack_free(&decoder->keys);
    nif_stack_free(&decoder->values);
    enif_free(decoder);
    return answer;
}

ERL_NIF_TERM nif_json_decode(ErlNifEnv *env, int argc, const ERL_NIF_TERM argv[]) {
    rf_str text;
    unsigned max_depth;
    if (!nif_bytes(env, argv[0], &text) || !enif_get_uint(env, argv[1], &max_depth)) return enif_make_badarg(env);
    if (nif_on_normal_scheduler()) {
        if (text.len > LONG_TEXT) return nif_go_dirty(env, "json_decode", nif_json_decode, argc, argv);
        nif_charge(env, (int64_t)(text.len / TEXT_WORK_BYTES));
    }
    return decode_text(env, text, max_depth);
}
