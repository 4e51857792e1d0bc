// json_encode.c: terms to JSON text: the keys of a map in byte order, floats in their shortest form.
#include "big_integer.h"
#include "nif_functions.h"

#include <stdlib.h>
#include <string.h>

#define DEPTH_LIMIT 512
#define FIRST_SIZE 1024 // of the text; on the stack
// Of the text, and of the room for it. Terms can share parts, which the text has to repeat: a small term can become any
// amount of text.
#define SIZE_LIMIT ((size_t)1 << 30)

typedef struct nif_entry {
    rf_str key;
    ERL_NIF_TERM value;
} nif_entry;

// An open list or map.
typedef struct nif_level {
    bool map, first;
    ERL_NIF_TERM rest;         // of a list
    size_t entries, next, end; // of a map: where its entries start, the next of them, where they end
} nif_level;

typedef struct nif_encoder {
    ErlNifEnv *env;
    rf_status status;
    int64_t work;
    bool may_stop, stopped;
    char *text;
    size_t len, capacity;
    bool owned; // text is in `binary`, else on the stack
    ErlNifBinary binary;
    nif_entry *entries; // of all open maps
    size_t entries_len, entries_capacity;
    uint32_t depth;
    nif_level levels[DEPTH_LIMIT];
} nif_encoder;

static bool fail(nif_encoder *encoder, rf_status status) {
    encoder->status = status;
    return false;
}

static bool spend(nif_encoder *encoder, int64_t work) {
    encoder->work -= work;
    if (encoder->work < 0 && encoder->may_stop) encoder->stopped = true;
    return !encoder->stopped;
}

// --- text ------------------------------------------------------------------------------------------

static bool grow(nif_encoder *encoder, size_t more) {
    size_t capacity = encoder->capacity * 2;
    if (more > SIZE_LIMIT - encoder->len) return fail(encoder, RF_TOO_LARGE);
    if (capacity < encoder->len + more) capacity = encoder->len + more;
    if (capacity > SIZE_LIMIT) capacity = SIZE_LIMIT;
    if (encoder->owned) {
        if (!enif_realloc_binary(&encoder->binary, capacity)) return fail(encoder, RF_NO_MEMORY);
    } else {
        if (!enif_alloc_binary(capacity, &encoder->binary)) return fail(encoder, RF_NO_MEMORY);
        memcpy(encoder->binary.data, encoder->text, encoder->len);
        encoder->owned = true;
    }
    encoder->text = (char *)encoder->binary.data;
    encoder->capacity = capacity;
    return true;
}

static inline bool reserve(nif_encoder *encoder, size_t more) {
    return more <= encoder->capacity - encoder->len || grow(encoder, more);
}

static bool write_bytes(nif_encoder *encoder, const char *bytes, size_t len) {
    if (!reserve(encoder, len)) return false;
    memcpy(encoder->text + encoder->len, bytes, len);
    encoder->len += len;
    return true;
}

static bool write_byte(nif_encoder *encoder, char byte) {
    if (!reserve(encoder, 1)) return false;
    encoder->text[encoder->len++] = byte;
    return true;
}

static bool write_string(nif_encoder *encoder, rf_str string) {
    size_t written;
    if (!spend(encoder, (int64_t)(string.len / NIF_WORK_BYTES))) return false;
    if (string.len > SIZE_LIMIT / 6) return fail(encoder, RF_TOO_LARGE);
    if (!reserve(encoder, RF_JSON_STRING_ROOM(string.len))) return false;
    written = rf_json_write_string(encoder->text + encoder->len, string);
    encoder->len += written;
    return written > 0 || fail(encoder, RF_INVALID_UTF8);
}

static bool write_float(nif_encoder *encoder, double value) {
    if (!reserve(encoder, RF_JSON_FLOAT_ROOM)) return false;
    encoder->len += rf_json_write_f64(encoder->text + encoder->len, value, true);
    return true;
}

static bool write_integer(nif_encoder *encoder, ERL_NIF_TERM term) {
    ErlNifSInt64 integer;
    char *text;
    size_t len;
    rf_status status;
    bool ok;
    if (enif_get_int64(encoder->env, term, &integer)) {
        if (!reserve(encoder, RF_JSON_INT_ROOM)) return false;
        encoder->len += rf_json_write_int(encoder->text + encoder->len, integer);
        return true;
    }
    status = nif_big_write(encoder->env, term, &text, &len);
    if (status != RF_OK) return fail(encoder, status);
    ok = write_bytes(encoder, text, len) && spend(encoder, (int64_t)len);
    enif_free(text);
    return ok;
}

// --- values ----------------------------------------------------------------------------------------

static bool add_entry(nif_encoder *encoder, rf_str key, ERL_NIF_TERM value) {
    if (encoder->entries_len == encoder->entries_capacity) {
        size_t capacity = encoder->entries_capacity ? encoder->entries_capacity * 2 : 32;
        nif_entry *entries = encoder->entries ? enif_realloc(encoder->entries, capacity * sizeof *entries)
                                              : enif_alloc(capacity * sizeof *entries);
        if (!entries) return fail(encoder, RF_NO_MEMORY);
        encoder->entries = entries;
        encoder->entries_capacity = capacity;
    }
    encoder->entries[encoder->entries_len++] = (nif_entry){key, value};
    return true;
}

static int compare_entries(const void *a, const void *b) {
    return nif_compare(((const nif_entry *)a)->key, ((const nif_entry *)b)->key);
}

// Appends the map's entries, sorted, to those of the outer levels.
static bool collect_entries(nif_encoder *encoder, ERL_NIF_TERM map) {
    ErlNifMapIterator iterator;
    ERL_NIF_TERM key, value;
    size_t from = encoder->entries_len;
    bool ok = true, sorted = true;
    if (!enif_map_iterator_create(encoder->env, map, &iterator, ERL_NIF_MAP_ITERATOR_FIRST))
        return fail(encoder, RF_NO_MEMORY);
    while (ok && enif_map_iterator_get_pair(encoder->env, &iterator, &key, &value)) {
        rf_str text;
        ok = nif_bytes(encoder->env, key, &text) || fail(encoder, RF_UNSUPPORTED_VALUE);
        ok = ok && spend(encoder, 2) && add_entry(encoder, text, value);
        if (ok && encoder->entries_len - from > 1)
            sorted = sorted && nif_compare(encoder->entries[encoder->entries_len - 2].key, text) < 0;
        enif_map_iterator_next(encoder->env, &iterator);
    }
    enif_map_iterator_destroy(encoder->env, &iterator);
    if (!ok || sorted) return ok;
    if (!spend(encoder, 10 * (int64_t)(encoder->entries_len - from))) return false;
    qsort(encoder->entries + from, encoder->entries_len - from, sizeof(nif_entry), compare_entries);
    return true;
}

static bool open_level(nif_encoder *encoder, ERL_NIF_TERM term, bool map) {
    nif_level *level = &encoder->levels[encoder->depth];
    if (encoder->depth == DEPTH_LIMIT) return fail(encoder, RF_TOO_DEEP);
    *level = (nif_level){.map = map, .first = true, .rest = term, .entries = encoder->entries_len};
    if (map && !collect_entries(encoder, term)) return false;
    level->next = level->entries;
    level->end = encoder->entries_len;
    encoder->depth++;
    return write_byte(encoder, map ? '{' : '[');
}

static bool write_atom(nif_encoder *encoder, ERL_NIF_TERM term) {
    if (enif_is_identical(term, nif_atom.nil)) return write_bytes(encoder, "null", 4);
    if (enif_is_identical(term, nif_atom.true_)) return write_bytes(encoder, "true", 4);
    if (enif_is_identical(term, nif_atom.false_)) return write_bytes(encoder, "false", 5);
    return fail(encoder, RF_UNSUPPORTED_VALUE);
}

// Writes a scalar, or opens a list or map.
static bool write_value(nif_encoder *encoder, ERL_NIF_TERM term) {
    rf_str string;
    double number;
    if (!spend(encoder, 2)) return false;
    switch (enif_term_type(encoder->env, term)) {
    case ERL_NIF_TERM_TYPE_ATOM:
        return write_atom(encoder, term);
    case ERL_NIF_TERM_TYPE_INTEGER:
        return write_integer(encoder, term);
    case ERL_NIF_TERM_TYPE_FLOAT:
        return enif_get_double(encoder->env, term, &number) ? spend(encoder, 4) && write_float(encoder, number)
                                                            : fail(encoder, RF_UNSUPPORTED_VALUE);
    case ERL_NIF_TERM_TYPE_BITSTRING:
        return nif_bytes(encoder->env, term, &string) ? write_string(encoder, string)
                                                      : fail(encoder, RF_UNSUPPORTED_VALUE);
    case ERL_NIF_TERM_TYPE_LIST:
        return open_level(encoder, term, false);
    case ERL_NIF_TERM_TYPE_MAP:
        return open_level(encoder, term, true);
    default:
        return fail(encoder, RF_UNSUPPORTED_VALUE);
    }
}

static bool write_comma(nif_encoder *encoder, nif_level *level) {
    bool first = level->first;
    level->first = false;
    return first || write_byte(encoder, ',');
}

static bool close_level(nif_encoder *encoder, char bracket) {
    encoder->depth--;
    return write_byte(encoder, bracket);
}

// Writes the next value of the innermost list or map, or its end.
static bool go_on(nif_encoder *encoder) {
    nif_level *level = &encoder->levels[encoder->depth - 1];
    ERL_NIF_TERM head;
    if (level->map) {
        nif_entry entry;
        if (level->next == level->end) {
            encoder->entries_len = level->entries; // those of inner maps are gone already
            return close_level(encoder, '}');
        }
        entry = encoder->entries[level->next++];
        return write_comma(encoder, level) && write_string(encoder, entry.key) && write_byte(encoder, ':') &&
               write_value(encoder, entry.value);
    }
    if (enif_get_list_cell(encoder->env, level->rest, &head, &level->rest))
        return write_comma(encoder, level) && write_value(encoder, head);
    if (!enif_is_empty_list(encoder->env, level->rest)) return fail(encoder, RF_UNSUPPORTED_VALUE);
    return close_level(encoder, ']');
}

static bool encode(nif_encoder *encoder, ERL_NIF_TERM term) {
    if (!write_value(encoder, term)) return false;
    while (encoder->depth > 0)
        if (!go_on(encoder)) return false;
    return true;
}

// ---------------------------------------------------------------------------------------------------

static ERL_NIF_TERM finish(nif_encoder *encoder) {
    ErlNifEnv *env = encoder->env;
    ERL_NIF_TERM text;
    if (!encoder->owned)
        return enif_make_tuple2(env, nif_atom.ok, nif_binary(env, (rf_str){encoder->text, encoder->len}));
    if (!enif_realloc_binary(&encoder->binary, encoder->len)) {
        enif_release_binary(&encoder->binary);
        return nif_error(env, RF_NO_MEMORY);
    }
    text = enif_make_binary(env, &encoder->binary);
    return enif_make_tuple2(env, nif_atom.ok, text);
}

ERL_NIF_TERM nif_json_encode(ErlNifEnv *env, int argc, const ERL_NIF_TERM argv[]) {
    nif_encoder encoder; // levels and room stay as they are: 20 KB that need no zeroing
    char room[FIRST_SIZE];
    bool ok;
    memset(&encoder, 0, offsetof(nif_encoder, levels));
    encoder.env = env;
    encoder.work = NIF_WORK;
    encoder.may_stop = nif_on_normal_scheduler();
    encoder.text = room;
    encoder.capacity = sizeof room;
    ok = encode(&encoder, argv[0]);
    if (encoder.entries) enif_free(encoder.entries);
    if (ok) {
        if (encoder.may_stop) nif_charge(env, NIF_WORK - encoder.work);
        return finish(&encoder);
    }
    if (encoder.owned) enif_release_binary(&encoder.binary);
    return encoder.stopped ? nif_go_dirty(env, "json_encode", nif_json_encode, argc, argv)
                           : nif_error(env, encoder.status);
}
