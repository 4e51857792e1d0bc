// term_stack.h: a stack on which terms are collected for a list or a map.
#ifndef ROOMFOLD_NIF_TERM_STACK_H
#define ROOMFOLD_NIF_TERM_STACK_H

#include "common.h"

// Zero it before use. Valid within one NIF call.
typedef struct nif_stack {
    ERL_NIF_TERM *terms;
    size_t len, capacity;
} nif_stack;

// false when out of memory.
bool nif_stack_push(nif_stack *stack, ERL_NIF_TERM term);
void nif_stack_free(nif_stack *stack);

// Pops the terms from index `from` to the top and returns them as a list.
ERL_NIF_TERM nif_stack_list(ErlNifEnv *env, nif_stack *stack, size_t from);

// Makes a map of `count` keys and values; of equal keys, the last one wins. False when out of memory.
bool nif_make_map(ErlNifEnv *env, ERL_NIF_TERM *keys, ERL_NIF_TERM *values, size_t count, ERL_NIF_TERM *out);
// The same with terms popped from two stacks.
bool nif_stack_map(ErlNifEnv *env, nif_stack *keys, size_t from_key, nif_stack *values, size_t from_value,
                   ERL_NIF_TERM *out);

#endif
