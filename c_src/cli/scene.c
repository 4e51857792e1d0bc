#include "scene.h"

#include <stdio.h>

rf_status scene_new(scene *out, rf_str level, rf_error *error) {
    rf_space_def def = rf_space_def_default();
    rf_status status;
    *out = (scene){.hits = rf_hits_new(def.allocator, 1000)};
    status = rf_level_from_json(def.allocator, level, RF_LEVEL_DOOM_UNIT, &out->level, error);
    if (status != RF_OK) return status;
    status = rf_space_new(&def, &out->space);
    if (status == RF_OK) status = rf_space_add_level(out->space, out->level, RF_LAYER_DEFAULT, NULL, NULL);
    if (status == RF_OK) return RF_OK;
    scene_free(out);
    *error = (rf_error){.status = status, .offset = RF_NOWHERE};
    return status;
}

void scene_free(scene *in) {
    rf_hits_free(&in->hits);
    rf_space_free(in->space);
    rf_level_free(in->level);
    *in = (scene){0};
}

bool scene_read_number(const json_t *number, double *out) {
    if (!json_is_number(number)) return false;
    *out = json_number_value(number);
    return true;
}

bool scene_read_point(const json_t *list, double out[3]) {
    double at[3];
    if (json_array_size(list) != 3) return false;
    for (size_t i = 0; i < 3; i++)
        if (!scene_read_number(json_array_get(list, i), &at[i])) return false;
    out[0] = at[0] * RF_LEVEL_DOOM_UNIT;
    out[1] = at[2] * RF_LEVEL_DOOM_UNIT;
    out[2] = -at[1] * RF_LEVEL_DOOM_UNIT;
    return true;
}

problem scene_set_sector(scene *in, const json_t *number, const json_t *floor, const json_t *ceil) {
    rf_sector sector;
    json_int_t at = json_integer_value(number);
    if (!json_is_integer(number) || at < 0 || at >= (json_int_t)rf_level_sectors(in->level)) return "sectors";
    rf_space_sector(in->space, (uint32_t)at, &sector);
    if (scene_read_number(floor, &sector.floor))
        sector.floor *= RF_LEVEL_DOOM_UNIT;
    else if (!json_is_null(floor))
        return "sectors";
    if (scene_read_number(ceil, &sector.ceiling))
        sector.ceiling *= RF_LEVEL_DOOM_UNIT;
    else if (!json_is_null(ceil))
        return "sectors";
    return rf_space_set_sector(in->space, (uint32_t)at, sector) == RF_OK ? NULL : "sectors";
}

problem scene_set_sectors(scene *in, const json_t *sectors) {
    size_t i;
    json_t *item;
    for (size_t number = 0; number < rf_level_sectors(in->level); number++)
        rf_space_set_sector(in->space, (uint32_t)number, rf_level_sector(in->level, number));
    if (sectors && !json_is_array(sectors) && !json_is_null(sectors)) return "sectors";
    json_array_foreach(sectors, i, item) {
        problem what = scene_set_sector(in, json_array_get(item, 0), json_array_get(item, 1), json_array_get(item, 2));
        if (what) return what;
    }
    return NULL;
}

bool scene_is_id_or_none(const json_t *id) {
    return !id || json_is_null(id) || json_is_integer(id) || (json_is_string(id) && json_string_length(id) > 0);
}

// The id's bytes are in `number` or in the JSON value.
static rf_str id_of(const json_t *id, char number[24]) {
    if (json_is_string(id)) return (rf_str){json_string_value(id), json_string_length(id)};
    return (rf_str){number, (size_t)snprintf(number, 24, "%lld", (long long)json_integer_value(id))};
}

static problem set_target(scene *in, uint32_t key, const json_t *item) {
    const json_t *id = json_array_get(item, 0);
    char number[24];
    json_t *point = json_pack("[O?O?O?]", json_array_get(item, 1), json_array_get(item, 2), json_array_get(item, 3));
    double radius, height;
    rf_target target = {.layers = RF_LAYER_DEFAULT};
    bool fine = scene_read_point(point, target.position);
    json_decref(point);
    if (!fine || !id || json_is_null(id) || !scene_is_id_or_none(id) ||
        !scene_read_number(json_array_get(item, 4), &radius) || !scene_read_number(json_array_get(item, 5), &height))
        return "targets";
    target.id = id_of(id, number);
    target.collider = rf_collider_box(radius * RF_LEVEL_DOOM_UNIT, height * RF_LEVEL_DOOM_UNIT);
    return rf_space_put(in->space, key, &target) == RF_OK ? NULL : "targets";
}

problem scene_set_targets(scene *in, const json_t *targets) {
    uint32_t count = 0;
    size_t i;
    json_t *item;
    problem what = targets && !json_is_array(targets) && !json_is_null(targets) ? "targets" : NULL;
    json_array_foreach(targets, i, item) {
        if (!what) what = set_target(in, count, item);
        if (what) break;
        count++;
    }
    for (uint32_t key = count; key < in->targets; key++) rf_space_remove(in->space, key);
    in->targets = count > in->targets || !what ? count : in->targets;
    return what;
}

problem scene_cast(scene *in, const rf_shot *shot, long *target, bool *wall) {
    rf_answer answer;
    const rf_hit *hit;
    *target = -1;
    if (wall) *wall = false;
    in->hits.len = 0;
    rf_cast(in->space, shot, 1, &answer, &in->hits);
    if (answer.status != RF_OK) return rf_status_message(answer.status);
    if (answer.count == 0) return NULL;
    hit = &in->hits.items[answer.first];
    if (hit->kind == RF_HIT_TARGET) *target = (long)hit->number;
    if (wall) *wall = hit->kind != RF_HIT_TARGET;
    return NULL;
}
