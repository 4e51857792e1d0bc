#include "term_stack.h"

#include <stdlib.h>

bool nif_stack_push(nif_stack *stack, ERL_NIF_TERM term) {
    if (stack->len == stack->capacity) {
        size_t capacity = stack->capacity ? stack->capacity * 2 : 64;
        ERL_NIF_TERM *terms;
        if (capacity > SIZE_MAX / sizeof *terms) return false;
        terms =
            stack->terms ? enif_realloc(stack->terms, capacity * sizeof *terms) : enif_alloc(capacity * sizeof *terms);
        if (!terms) return false;
        stack->terms = terms;
        stack->capacity = capacity;
    }
    stack->terms[stack->len++] = term;
    return true;
}

void nif_stack_free(nif_stack *stack) {
    if (stack->terms) enif_free(stack->terms);
    *stack = (nif_stack){0};
}

ERL_NIF_TERM nif_stack_list(ErlNifEnv *env, nif_stack *stack, size_t from) {
    ERL_NIF_TERM list = enif_make_list(env, 0);
    while (stack->len > from) list = enif_make_list_cell(env, stack->terms[--stack->len], list);
    return list;
}

typedef struct entry {
    ERL_NIF_TERM key, value;
    size_t at;
} entry;

static int compare_entries(const void *a, const void *b) {
    const entry *left = a, *right = b;
    int order = enif_compare(left->key, right->key);
    return order != 0 ? order : (left->at > right->at) - (left->at < right->at);
}

// Removes duplicate keys: keeps the last of each, at the front of both arrays.
static bool keep_last(ERL_NIF_TERM *keys, ERL_NIF_TERM *values, size_t *count) {
    size_t kept = 0;
    entry *entries;
    if (*count > SIZE_MAX / sizeof *entries || !(entries = enif_alloc(*count * sizeof *entries))) return false;
    for (size_t i = 0; i < *count; i++) entries[i] = (entry){keys[i], values[i], i};
    qsort(entries, *count, sizeof *entries, compare_entries);
    for (size_t i = 0; i < *count; i++) {
        if (i + 1 < *count && enif_compare(entries[i].key, entries[i + 1].key) == 0) continue;
        keys[kept] = entries[i].key;
        values[kept++] = entries[i].value;
    }
    enif_free(entries);
    *count = kept;
    return true;
}

bool nif_make_map(ErlNifEnv *env, ERL_NIF_TERM *keys, ERL_NIF_TERM *values, size_t count, ERL_NIF_TERM *out) {
    if (count == 0) {
        *out = enif_make_new_map(env);
        return true;
    }
    if (enif_make_map_from_arrays(env, keys, values, count, out)) return true;
    return keep_last(keys, values, &count) && enif_make_map_from_arrays(env, keys, values, count, out);
}

bool nif_stack_map(ErlNifEnv *env, nif_stack *keys, size_t from_key, nif_stack *values, size_t from_value,
                   ERL_NIF_TERM *out) {
    size_t count = keys->len - from_key;
    keys->len = from_key;
    values->len = from_value;
    return nif_make_map(env, keys->terms + from_key, values->terms + from_value, count, out);
}
