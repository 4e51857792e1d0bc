// big_integer.h: converts integers beyond 64 bits between decimal text and Erlang terms.
#ifndef ROOMFOLD_NIF_BIG_INTEGER_H
#define ROOMFOLD_NIF_BIG_INTEGER_H

#include "common.h"

// Conversion takes quadratic time, so the number of digits is limited: this many take about a millisecond.
#define NIF_BIG_DIGITS 16384

// text: an integer as in JSON, digits with an optional minus sign. RF_NUMBER_OUT_OF_RANGE: more digits than the limit.
rf_status nif_big_read(ErlNifEnv *env, rf_str text, ERL_NIF_TERM *out);
// Writes any integer term. The caller frees *text with enif_free.
rf_status nif_big_write(ErlNifEnv *env, ERL_NIF_TERM integer, char **text, size_t *len);

#endif
