// Bullet: a collision world over a dynamic tree, asked by rayTest.
#include "peer.h"

#include <btBulletCollisionCommon.h>
#include <vector>

namespace {

struct World {
    btDefaultCollisionConfiguration configuration;
    btCollisionDispatcher dispatcher{&configuration};
    btDbvtBroadphase broadphase;
    btCollisionWorld world{&dispatcher, &broadphase, &configuration};
    btSphereShape sphere;
    std::vector<btCollisionObject> objects;
    World(size_t targets, double radius) : sphere(btScalar(radius)), objects(targets) {}
};

btVector3 vector(const double at[3]) {
    return btVector3(btScalar(at[0]), btScalar(at[1]), btScalar(at[2]));
}

void move(void *in, const double (*positions)[3], size_t targets) {
    World *world = static_cast<World *>(in);
    for (size_t i = 0; i < targets; i++) {
        world->objects[i].getWorldTransform().setOrigin(vector(positions[i]));
        world->world.updateSingleAabb(&world->objects[i]);
    }
}

void *make(const double (*positions)[3], size_t targets, double radius) {
    World *world = new World(targets, radius);
    for (size_t i = 0; i < targets; i++) {
        btTransform at(btQuaternion::getIdentity(), vector(positions[i]));
        world->objects[i].setCollisionShape(&world->sphere);
        world->objects[i].setWorldTransform(at);
        world->world.addCollisionObject(&world->objects[i]);
    }
    return world;
}

size_t cast(void *in, const double (*from)[3], const double (*to)[3], size_t shots) {
    World *world = static_cast<World *>(in);
    size_t hits = 0;
    for (size_t i = 0; i < shots; i++) {
        btVector3 start = vector(from[i]), end = vector(to[i]);
        btCollisionWorld::ClosestRayResultCallback result(start, end);
        world->world.rayTest(start, end, result);
        hits += result.hasHit();
    }
    return hits;
}

void drop(void *in) {
    World *world = static_cast<World *>(in);
    for (btCollisionObject &object : world->objects) world->world.removeCollisionObject(&object);
    delete world;
}

} // namespace

extern "C" const peer peer_bullet = {"bullet", make, move, cast, drop};
