// big_integer.h: integers beyond 64 bits between decimal text and Erlang terms.
#ifndef ROOMFOLD_NIF_BIG_INTEGER_H
#define ROOMFOLD_NIF_BIG_INTEGER_H

#include "common.h"

// Converting takes time with the square of the length, so there is a limit: about a millisecond.
#define NIF_BIG_DIGITS 16384

// RF_NUMBER_OUT_OF_RANGE: it has more digits than that.
// text is an integer as in JSON: digits, perhaps behind a minus sign.
rf_status nif_big_read(ErlNifEnv *env, rf_str text, ERL_NIF_TERM *out);
// Writes any integer term; *text is to be given back by enif_free.
rf_status nif_big_write(ErlNifEnv *env, ERL_NIF_TERM integer, char **text, size_t *len);

#endif
