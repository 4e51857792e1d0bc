// hit_terms.h: converts shots, zones, static geometry and hits from and to Erlang terms (see Roomfold.Hits).
#ifndef ROOMFOLD_NIF_HIT_TERMS_H
#define ROOMFOLD_NIF_HIT_TERMS_H

#include "common.h"

// {ox, oy, oz, dx, dy, dz, range}, or {kind, mask, owner | nil, origin, direction, range, collider | nil, moment | nil}
// with {x, y, z} and moments {:seq, n}, {:time, ms}. RF_INVALID_ARGUMENT for anything else.
rf_status nif_read_shot(ErlNifEnv *env, ERL_NIF_TERM term, rf_shot *out);
// {mask, position, collider, moment | nil}
rf_status nif_read_zone(ErlNifEnv *env, ERL_NIF_TERM term, rf_zone *out);
// {sectors, walls, boxes, triangles}: lists of {floor, ceiling}, {x1, z1, x2, z2, bottom | nil, top | nil, front | nil,
// back | nil, layers}, {low, high, layers}, {a, b, c, layers}. Adds everything to the space.
rf_status nif_read_level(ErlNifEnv *env, ERL_NIF_TERM term, rf_space *space);

// {kind, id | number, t, distance, point, normal}
ERL_NIF_TERM nif_make_hit(ErlNifEnv *env, const rf_hit *hit);

#endif
