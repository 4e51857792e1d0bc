// Embree: sphere points, asked ray by ray; the tree built anew each tick at low quality, or refitted.
#include "peer.h"

#include <embree3/rtcore.h>
#include <math.h>
#include <stdlib.h>

typedef struct world {
    RTCDevice device;
    RTCScene scene;
    RTCGeometry spheres;
    float (*points)[4];
    double radius;
} world;

static void move(void *in, const double (*positions)[3], size_t targets) {
    world *of = in;
    for (size_t i = 0; i < targets; i++) {
        for (int axis = 0; axis < 3; axis++) of->points[i][axis] = (float)positions[i][axis];
        of->points[i][3] = (float)of->radius;
    }
    rtcUpdateGeometryBuffer(of->spheres, RTC_BUFFER_TYPE_VERTEX, 0);
    rtcCommitGeometry(of->spheres);
    rtcCommitScene(of->scene);
}

static void *make(const double (*positions)[3], size_t targets, double radius, enum RTCBuildQuality quality) {
    world *of = calloc(1, sizeof *of);
    of->device = rtcNewDevice("threads=1");
    of->scene = rtcNewScene(of->device);
    of->radius = radius;
    rtcSetSceneFlags(of->scene, RTC_SCENE_FLAG_DYNAMIC);
    rtcSetSceneBuildQuality(of->scene, RTC_BUILD_QUALITY_LOW);
    of->spheres = rtcNewGeometry(of->device, RTC_GEOMETRY_TYPE_SPHERE_POINT);
    rtcSetGeometryBuildQuality(of->spheres, quality);
    of->points = rtcSetNewGeometryBuffer(of->spheres, RTC_BUFFER_TYPE_VERTEX, 0, RTC_FORMAT_FLOAT4, 16, targets);
    rtcAttachGeometry(of->scene, of->spheres);
    move(of, positions, targets);
    return of;
}

static void *make_build(const double (*positions)[3], size_t targets, double radius) {
    return make(positions, targets, radius, RTC_BUILD_QUALITY_LOW);
}

static void *make_refit(const double (*positions)[3], size_t targets, double radius) {
    return make(positions, targets, radius, RTC_BUILD_QUALITY_REFIT);
}

static size_t cast(void *in, const double (*from)[3], const double (*to)[3], size_t shots) {
    world *of = in;
    size_t hits = 0;
    for (size_t i = 0; i < shots; i++) {
        struct RTCIntersectContext context;
        struct RTCRayHit ray = {.ray = {.org_x = (float)from[i][0],
                                        .org_y = (float)from[i][1],
                                        .org_z = (float)from[i][2],
                                        .dir_x = (float)(to[i][0] - from[i][0]),
                                        .dir_y = (float)(to[i][1] - from[i][1]),
                                        .dir_z = (float)(to[i][2] - from[i][2]),
                                        .tfar = 1,
                                        .mask = ~0u},
                                .hit = {.geomID = RTC_INVALID_GEOMETRY_ID}};
        rtcInitIntersectContext(&context);
        rtcIntersect1(of->scene, &context, &ray);
        hits += ray.hit.geomID != RTC_INVALID_GEOMETRY_ID;
    }
    return hits;
}

static void drop(void *in) {
    world *of = in;
    rtcReleaseGeometry(of->spheres);
    rtcReleaseScene(of->scene);
    rtcReleaseDevice(of->device);
    free(of);
}

const peer peer_embree_build = {"embree (build)", make_build, move, cast, drop};
const peer peer_embree_refit = {"embree (refit)", make_refit, move, cast, drop};
