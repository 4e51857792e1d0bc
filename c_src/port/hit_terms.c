#include "hit_terms.h"

#include <math.h>

static bool read_nil(port_reader *reader) {
    return port_read_this_atom(reader, "nil");
}

static bool read_point(port_reader *reader, double out[3]) {
    return port_read_tuple(reader, 3) && port_read_number(reader, &out[0]) && port_read_number(reader, &out[1]) &&
           port_read_number(reader, &out[2]);
}

// {shape, centred, {half x, half y, half z}, radius, height}, or nil for a ray.
static bool read_collider(port_reader *reader, rf_collider *out) {
    *out = (rf_collider){.kind = RF_COLLIDER_POINT};
    if (read_nil(reader)) return true;
    if (!port_read_tuple(reader, 5)) return false;
    if (port_read_this_atom(reader, "box"))
        out->kind = RF_COLLIDER_BOX;
    else if (port_read_this_atom(reader, "sphere"))
        out->kind = RF_COLLIDER_SPHERE;
    else if (port_read_this_atom(reader, "capsule"))
        out->kind = RF_COLLIDER_CAPSULE;
    else
        return false;
    return port_read_bool(reader, &out->centred) && read_point(reader, out->half) &&
           port_read_number(reader, &out->radius) && port_read_number(reader, &out->height);
}

static bool read_moment(port_reader *reader, rf_moment *out) {
    *out = (rf_moment){.kind = RF_NOW};
    if (read_nil(reader)) return true;
    if (!port_read_tuple(reader, 2)) return false;
    if (port_read_this_atom(reader, "seq"))
        out->kind = RF_AT_SEQ;
    else if (port_read_this_atom(reader, "time"))
        out->kind = RF_AT_TIME;
    else
        return false;
    return port_read_number(reader, &out->value);
}

static bool read_kind(port_reader *reader, rf_shot_kind *out) {
    if (port_read_this_atom(reader, "first"))
        *out = RF_SHOT_FIRST;
    else if (port_read_this_atom(reader, "pierce"))
        *out = RF_SHOT_PIERCE;
    else if (port_read_this_atom(reader, "all"))
        *out = RF_SHOT_ALL;
    else
        return false;
    return true;
}

static bool read_owner(port_reader *reader, rf_str *out) {
    *out = (rf_str){0};
    return read_nil(reader) || port_read_binary(reader, out);
}

static bool read_ray(port_reader *reader, rf_shot *out) {
    for (int i = 0; i < 3; i++)
        if (!port_read_number(reader, &out->origin[i])) return false;
    for (int i = 0; i < 3; i++)
        if (!port_read_number(reader, &out->direction[i])) return false;
    return port_read_number(reader, &out->range);
}

static bool read_shot(port_reader *reader, rf_shot *out) {
    return read_kind(reader, &out->kind) && port_read_u32(reader, &out->mask) && read_owner(reader, &out->owner) &&
           read_point(reader, out->origin) && read_point(reader, out->direction) &&
           port_read_number(reader, &out->range) && read_collider(reader, &out->collider) &&
           read_moment(reader, &out->moment);
}

rf_status port_read_shot(port_reader *reader, rf_shot *out) {
    port_reader shot = *reader;
    bool ok;
    *out = (rf_shot){.kind = RF_SHOT_FIRST};
    ok = port_read_tuple(&shot, 7) ? read_ray(&shot, out) : port_read_tuple(&shot, 8) && read_shot(&shot, out);
    port_skip(reader);
    return ok ? RF_OK : RF_INVALID_ARGUMENT;
}

rf_status port_read_zone(port_reader *reader, rf_zone *out) {
    port_reader zone = *reader;
    bool ok;
    *out = (rf_zone){.mask = 0};
    ok = port_read_tuple(&zone, 4) && port_read_u32(&zone, &out->mask) && read_point(&zone, out->position) &&
         read_collider(&zone, &out->collider) && read_moment(&zone, &out->moment);
    port_skip(reader);
    return ok ? RF_OK : RF_INVALID_ARGUMENT;
}

// ---- static geometry ----------------------------------------------------------------------------

typedef rf_status add_item(port_reader *reader, rf_space *space);

static rf_status add_sector(port_reader *reader, rf_space *space) {
    rf_sector sector;
    uint32_t number;
    if (!port_read_tuple(reader, 2) || !port_read_number(reader, &sector.floor) ||
        !port_read_number(reader, &sector.ceiling))
        return RF_INVALID_LEVEL;
    return rf_space_add_sector(space, sector, &number);
}

static bool read_height(port_reader *reader, double without, double *out) {
    *out = without;
    return read_nil(reader) || port_read_number(reader, out);
}

static bool read_sector(port_reader *reader, uint32_t *out) {
    *out = RF_NO_SECTOR;
    return read_nil(reader) || (port_read_u32(reader, out) && *out != RF_NO_SECTOR);
}

static rf_status add_wall(port_reader *reader, rf_space *space) {
    rf_wall wall;
    uint32_t number;
    if (!port_read_tuple(reader, 9) || !port_read_number(reader, &wall.x1) || !port_read_number(reader, &wall.z1) ||
        !port_read_number(reader, &wall.x2) || !port_read_number(reader, &wall.z2) ||
        !read_height(reader, -(double)INFINITY, &wall.bottom) || !read_height(reader, (double)INFINITY, &wall.top) ||
        !read_sector(reader, &wall.front) || !read_sector(reader, &wall.back) || !port_read_u32(reader, &wall.layers))
        return RF_INVALID_LEVEL;
    return rf_space_add_wall(space, &wall, &number);
}

static rf_status add_box(port_reader *reader, rf_space *space) {
    double low[3], high[3];
    uint32_t layers, number;
    if (!port_read_tuple(reader, 3) || !read_point(reader, low) || !read_point(reader, high) ||
        !port_read_u32(reader, &layers))
        return RF_INVALID_LEVEL;
    return rf_space_add_box(space, low, high, layers, &number);
}

static rf_status add_triangle(port_reader *reader, rf_space *space) {
    double corners[3][3];
    uint32_t layers, number;
    if (!port_read_tuple(reader, 4) || !read_point(reader, corners[0]) || !read_point(reader, corners[1]) ||
        !read_point(reader, corners[2]) || !port_read_u32(reader, &layers))
        return RF_INVALID_LEVEL;
    return rf_space_add_triangle(space, (const double(*)[3])corners, layers, &number);
}

static rf_status add_all(port_reader *reader, rf_space *space, add_item *add) {
    rf_status status = RF_OK;
    int count;
    if (!port_read_list(reader, &count)) return RF_INVALID_LEVEL;
    for (int i = 0; i < count && status == RF_OK; i++) status = add(reader, space);
    if (status == RF_OK && count > 0 && !port_read_tail(reader)) return RF_INVALID_LEVEL;
    return status == RF_OK || status == RF_NO_MEMORY ? status : RF_INVALID_LEVEL;
}

rf_status port_read_level(port_reader *reader, rf_space *space) {
    add_item *const adders[] = {add_sector, add_wall, add_box, add_triangle};
    rf_status status = RF_OK;
    if (!port_read_tuple(reader, 4)) return RF_INVALID_ARGUMENT;
    for (int i = 0; i < 4 && status == RF_OK; i++) status = add_all(reader, space, adders[i]);
    return status;
}

// ---- hits ---------------------------------------------------------------------------------------

static void put_point(port_answer *out, const double point[3]) {
    port_put_tuple(out, 3);
    for (int i = 0; i < 3; i++) port_put_float(out, point[i]);
}

void port_put_hit(port_answer *out, const rf_hit *hit) {
    static const char *const kinds[] = {"target", "wall", "box", "triangle"};
    port_put_tuple(out, 6);
    port_put_atom(out, kinds[hit->kind]);
    if (hit->kind == RF_HIT_TARGET)
        port_put_binary(out, hit->id);
    else
        port_put_uint(out, hit->number);
    port_put_float(out, hit->t);
    port_put_float(out, hit->distance);
    put_point(out, hit->point);
    put_point(out, hit->normal);
}
