// ray.c: compares the rays of a recording.
#include "recording.h"

#include <math.h>

// {"shooter", "origin", "dir", "range", "hit", "targets", "sectors"}: see the recordings' own description.
problem judge_ray(scene *in, const json_t *line, verdict *out) {
    rf_shot shot = {.kind = RF_SHOT_FIRST};
    const json_t *targets = json_object_get(line, "targets"), *hit = json_object_get(line, "hit");
    double range;
    long target;
    problem what;
    if (!scene_read_point(json_object_get(line, "origin"), shot.origin)) return "origin";
    if (!scene_read_point(json_object_get(line, "dir"), shot.direction)) return "dir";
    if (!scene_read_number(json_object_get(line, "range"), &range)) return "range";
    if (!scene_is_id_or_none(hit)) return "hit";
    shot.range = range * RF_LEVEL_DOOM_UNIT;
    what = scene_set_sectors(in, json_object_get(line, "sectors"));
    if (!what) what = scene_set_targets(in, targets);
    if (!what) what = scene_cast(in, &shot, &target, NULL);
    if (what) return what;
    out->hit = hit && !json_is_null(hit);
    if (target < 0)
        out->agree = !out->hit;
    else
        out->agree = json_equal(json_array_get(json_array_get(targets, (size_t)target), 0), hit);
    return NULL;
}
