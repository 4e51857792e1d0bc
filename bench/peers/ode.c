// ODE: spheres in a hash space, asked by a ray geometry.
#include "peer.h"

#include <ode/ode.h>
#include <stdlib.h>

typedef struct world {
    dSpaceID space;
    dGeomID *spheres, ray;
} world;

static void move(void *in, const double (*positions)[3], size_t targets) {
    world *of = in;
    for (size_t i = 0; i < targets; i++)
        dGeomSetPosition(of->spheres[i], (dReal)positions[i][0], (dReal)positions[i][1], (dReal)positions[i][2]);
}

static void *make(const double (*positions)[3], size_t targets, double radius) {
    world *of = calloc(1, sizeof *of);
    dInitODE2(0);
    of->space = dHashSpaceCreate(0);
    of->spheres = calloc(targets, sizeof *of->spheres);
    for (size_t i = 0; i < targets; i++) of->spheres[i] = dCreateSphere(of->space, (dReal)radius);
    of->ray = dCreateRay(0, 1);
    dGeomRaySetClosestHit(of->ray, 1);
    move(of, positions, targets);
    return of;
}

static void meet(void *found, dGeomID a, dGeomID b) {
    dContactGeom contact;
    if (dCollide(a, b, 1, &contact, sizeof contact) > 0) *(int *)found = 1;
}

static size_t cast(void *in, const double (*from)[3], const double (*to)[3], size_t shots) {
    world *of = in;
    size_t hits = 0;
    for (size_t i = 0; i < shots; i++) {
        dReal way[3] = {(dReal)(to[i][0] - from[i][0]), (dReal)(to[i][1] - from[i][1]), (dReal)(to[i][2] - from[i][2])};
        int found = 0;
        dGeomRaySet(of->ray, (dReal)from[i][0], (dReal)from[i][1], (dReal)from[i][2], way[0], way[1], way[2]);
        dGeomRaySetLength(of->ray, dSqrt(way[0] * way[0] + way[1] * way[1] + way[2] * way[2]));
        dSpaceCollide2(of->ray, (dGeomID)of->space, &found, meet);
        hits += (size_t)found;
    }
    return hits;
}

static void drop(void *in) {
    world *of = in;
    dGeomDestroy(of->ray);
    dSpaceDestroy(of->space);
    free(of->spheres);
    free(of);
    dCloseODE();
}

const peer peer_ode = {"ode", make, move, cast, drop};
