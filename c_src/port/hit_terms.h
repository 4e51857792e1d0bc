// hit_terms.h: converts shots, zones, static geometry and hits from and to terms (see Roomfold.Hits).
#ifndef ROOMFOLD_PORT_HIT_TERMS_H
#define ROOMFOLD_PORT_HIT_TERMS_H

#include "answer.h"
#include "term.h"

// {ox, oy, oz, dx, dy, dz, range}, or {kind, mask, owner | nil, origin, direction, range, collider | nil, moment | nil}
// with {x, y, z} and moments {:seq, n}, {:time, ms}. RF_INVALID_ARGUMENT for anything else. Moves past the term.
rf_status port_read_shot(port_reader *reader, rf_shot *out);
// {mask, position, collider, moment | nil}
rf_status port_read_zone(port_reader *reader, rf_zone *out);
// {sectors, walls, boxes, triangles}: lists of {floor, ceiling}, {x1, z1, x2, z2, bottom | nil, top | nil, front | nil,
// back | nil, layers}, {low, high, layers}, {a, b, c, layers}. Adds everything to the space.
rf_status port_read_level(port_reader *reader, rf_space *space);

// {kind, id | number, t, distance, point, normal}
void port_put_hit(port_answer *out, const rf_hit *hit);

#endif
