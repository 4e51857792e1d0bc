#include "hit_terms.h"

#include <math.h>

static bool read_number(ErlNifEnv *env, ERL_NIF_TERM term, double *out) {
    ErlNifSInt64 integer;
    if (enif_get_double(env, term, out)) return true;
    if (!enif_get_int64(env, term, &integer)) return false;
    *out = (double)integer;
    return true;
}

static bool read_tuple(ErlNifEnv *env, ERL_NIF_TERM term, int arity, const ERL_NIF_TERM **out) {
    int found;
    return enif_get_tuple(env, term, &found, out) && found == arity;
}

static bool read_point(ErlNifEnv *env, ERL_NIF_TERM term, double out[3]) {
    const ERL_NIF_TERM *parts;
    if (!read_tuple(env, term, 3, &parts)) return false;
    for (int i = 0; i < 3; i++)
        if (!read_number(env, parts[i], &out[i])) return false;
    return true;
}

static bool read_bits(ErlNifEnv *env, ERL_NIF_TERM term, uint32_t *out) {
    unsigned bits;
    if (!enif_get_uint(env, term, &bits)) return false;
    *out = bits;
    return true;
}

// {shape, centred, {half x, half y, half z}, radius, height}, or nil for a ray.
static bool read_collider(ErlNifEnv *env, ERL_NIF_TERM term, rf_collider *out) {
    const ERL_NIF_TERM *parts;
    *out = (rf_collider){.kind = RF_COLLIDER_POINT};
    if (enif_is_identical(term, nif_atom.nil)) return true;
    if (!read_tuple(env, term, 5, &parts)) return false;
    if (enif_is_identical(parts[0], nif_atom.box))
        out->kind = RF_COLLIDER_BOX;
    else if (enif_is_identical(parts[0], nif_atom.sphere))
        out->kind = RF_COLLIDER_SPHERE;
    else if (enif_is_identical(parts[0], nif_atom.capsule))
        out->kind = RF_COLLIDER_CAPSULE;
    else
        return false;
    out->centred = enif_is_identical(parts[1], nif_atom.true_);
    return read_point(env, parts[2], out->half) && read_number(env, parts[3], &out->radius) &&
           read_number(env, parts[4], &out->height);
}

static bool read_moment(ErlNifEnv *env, ERL_NIF_TERM term, rf_moment *out) {
    const ERL_NIF_TERM *parts;
    *out = (rf_moment){.kind = RF_NOW};
    if (enif_is_identical(term, nif_atom.nil)) return true;
    if (!read_tuple(env, term, 2, &parts)) return false;
    if (enif_is_identical(parts[0], nif_atom.seq))
        out->kind = RF_AT_SEQ;
    else if (enif_is_identical(parts[0], nif_atom.time))
        out->kind = RF_AT_TIME;
    else
        return false;
    return read_number(env, parts[1], &out->value);
}

static bool read_kind(ERL_NIF_TERM term, rf_shot_kind *out) {
    if (enif_is_identical(term, nif_atom.first))
        *out = RF_SHOT_FIRST;
    else if (enif_is_identical(term, nif_atom.pierce))
        *out = RF_SHOT_PIERCE;
    else if (enif_is_identical(term, nif_atom.all))
        *out = RF_SHOT_ALL;
    else
        return false;
    return true;
}

static bool read_owner(ErlNifEnv *env, ERL_NIF_TERM term, rf_str *out) {
    *out = (rf_str){0};
    return enif_is_identical(term, nif_atom.nil) || nif_bytes(env, term, out);
}

// Sets each field: zeroing the whole shot would take as long as reading it.
static bool read_ray(ErlNifEnv *env, const ERL_NIF_TERM *parts, rf_shot *out) {
    out->kind = RF_SHOT_FIRST;
    out->mask = 0;
    out->collider = (rf_collider){.kind = RF_COLLIDER_POINT};
    out->owner = (rf_str){0};
    out->moment = (rf_moment){.kind = RF_NOW};
    for (int i = 0; i < 3; i++)
        if (!read_number(env, parts[i], &out->origin[i]) || !read_number(env, parts[3 + i], &out->direction[i]))
            return false;
    return read_number(env, parts[6], &out->range);
}

static bool read_shot(ErlNifEnv *env, const ERL_NIF_TERM *parts, rf_shot *out) {
    return read_kind(parts[0], &out->kind) && read_bits(env, parts[1], &out->mask) &&
           read_owner(env, parts[2], &out->owner) && read_point(env, parts[3], out->origin) &&
           read_point(env, parts[4], out->direction) && read_number(env, parts[5], &out->range) &&
           read_collider(env, parts[6], &out->collider) && read_moment(env, parts[7], &out->moment);
}

rf_status nif_read_shot(ErlNifEnv *env, ERL_NIF_TERM term, rf_shot *out) {
    const ERL_NIF_TERM *parts;
    int arity;
    if (!enif_get_tuple(env, term, &arity, &parts)) return RF_INVALID_ARGUMENT;
    if (arity == 7) return read_ray(env, parts, out) ? RF_OK : RF_INVALID_ARGUMENT;
    *out = (rf_shot){.kind = RF_SHOT_FIRST};
    return arity == 8 && read_shot(env, parts, out) ? RF_OK : RF_INVALID_ARGUMENT;
}

rf_status nif_read_zone(ErlNifEnv *env, ERL_NIF_TERM term, rf_zone *out) {
    const ERL_NIF_TERM *parts;
    *out = (rf_zone){.mask = 0};
    return read_tuple(env, term, 4, &parts) && read_bits(env, parts[0], &out->mask) &&
                   read_point(env, parts[1], out->position) && read_collider(env, parts[2], &out->collider) &&
                   read_moment(env, parts[3], &out->moment)
               ? RF_OK
               : RF_INVALID_ARGUMENT;
}

// ---- static geometry ----------------------------------------------------------------------------

typedef rf_status add_item(ErlNifEnv *env, ERL_NIF_TERM term, rf_space *space);

static rf_status add_sector(ErlNifEnv *env, ERL_NIF_TERM term, rf_space *space) {
    const ERL_NIF_TERM *parts;
    rf_sector sector;
    uint32_t number;
    if (!read_tuple(env, term, 2, &parts) || !read_number(env, parts[0], &sector.floor) ||
        !read_number(env, parts[1], &sector.ceiling))
        return RF_INVALID_LEVEL;
    return rf_space_add_sector(space, sector, &number);
}

static bool read_height(ErlNifEnv *env, ERL_NIF_TERM term, double without, double *out) {
    *out = without;
    return enif_is_identical(term, nif_atom.nil) || read_number(env, term, out);
}

static bool read_sector(ErlNifEnv *env, ERL_NIF_TERM term, uint32_t *out) {
    *out = RF_NO_SECTOR;
    return enif_is_identical(term, nif_atom.nil) || (read_bits(env, term, out) && *out != RF_NO_SECTOR);
}

static rf_status add_wall(ErlNifEnv *env, ERL_NIF_TERM term, rf_space *space) {
    const ERL_NIF_TERM *parts;
    rf_wall wall;
    uint32_t number;
    if (!read_tuple(env, term, 9, &parts) || !read_number(env, parts[0], &wall.x1) ||
        !read_number(env, parts[1], &wall.z1) || !read_number(env, parts[2], &wall.x2) ||
        !read_number(env, parts[3], &wall.z2) || !read_height(env, parts[4], -(double)INFINITY, &wall.bottom) ||
        !read_height(env, parts[5], (double)INFINITY, &wall.top) || !read_sector(env, parts[6], &wall.front) ||
        !read_sector(env, parts[7], &wall.back) || !read_bits(env, parts[8], &wall.layers))
        return RF_INVALID_LEVEL;
    return rf_space_add_wall(space, &wall, &number);
}

static rf_status add_box(ErlNifEnv *env, ERL_NIF_TERM term, rf_space *space) {
    const ERL_NIF_TERM *parts;
    double low[3], high[3];
    uint32_t layers, number;
    if (!read_tuple(env, term, 3, &parts) || !read_point(env, parts[0], low) || !read_point(env, parts[1], high) ||
        !read_bits(env, parts[2], &layers))
        return RF_INVALID_LEVEL;
    return rf_space_add_box(space, low, high, layers, &number);
}

static rf_status add_triangle(ErlNifEnv *env, ERL_NIF_TERM term, rf_space *space) {
    const ERL_NIF_TERM *parts;
    double corners[3][3];
    uint32_t layers, number;
    if (!read_tuple(env, term, 4, &parts) || !read_point(env, parts[0], corners[0]) ||
        !read_point(env, parts[1], corners[1]) || !read_point(env, parts[2], corners[2]) ||
        !read_bits(env, parts[3], &layers))
        return RF_INVALID_LEVEL;
    return rf_space_add_triangle(space, (const double(*)[3])corners, layers, &number);
}

static rf_status add_all(ErlNifEnv *env, ERL_NIF_TERM list, rf_space *space, add_item *add) {
    ERL_NIF_TERM item;
    rf_status status = RF_OK;
    while (status == RF_OK && enif_get_list_cell(env, list, &item, &list)) status = add(env, item, space);
    if (status == RF_OK && !enif_is_empty_list(env, list)) return RF_INVALID_LEVEL;
    return status == RF_OK || status == RF_NO_MEMORY ? status : RF_INVALID_LEVEL;
}

rf_status nif_read_level(ErlNifEnv *env, ERL_NIF_TERM term, rf_space *space) {
    add_item *const adders[] = {add_sector, add_wall, add_box, add_triangle};
    const ERL_NIF_TERM *parts;
    rf_status status = RF_OK;
    if (!read_tuple(env, term, 4, &parts)) return RF_INVALID_ARGUMENT;
    for (int i = 0; i < 4 && status == RF_OK; i++) status = add_all(env, parts[i], space, adders[i]);
    return status;
}

// ---- hits ---------------------------------------------------------------------------------------

static ERL_NIF_TERM make_point(ErlNifEnv *env, const double point[3]) {
    return enif_make_tuple3(env, enif_make_double(env, point[0]), enif_make_double(env, point[1]),
                            enif_make_double(env, point[2]));
}

ERL_NIF_TERM nif_make_hit(ErlNifEnv *env, const rf_hit *hit) {
    const ERL_NIF_TERM kinds[] = {nif_atom.target, nif_atom.wall, nif_atom.box, nif_atom.triangle};
    ERL_NIF_TERM what =
        hit->kind == RF_HIT_TARGET ? nif_binary(env, hit->id) : enif_make_uint(env, (unsigned)hit->number);
    return enif_make_tuple6(env, kinds[hit->kind], what, enif_make_double(env, hit->t),
                            enif_make_double(env, hit->distance), make_point(env, hit->point),
                            make_point(env, hit->normal));
}
