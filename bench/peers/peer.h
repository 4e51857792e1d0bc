// peer.h: somebody else's engine, doing the same: spheres that move, rays that ask for the first of them.
#ifndef BENCH_PEER_H
#define BENCH_PEER_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct peer {
    const char *name;
    void *(*make)(const double (*positions)[3], size_t targets, double radius);
    void (*move)(void *in, const double (*positions)[3], size_t targets);
    size_t (*cast)(void *in, const double (*from)[3], const double (*to)[3], size_t shots); // how many hit somebody
    void (*drop)(void *in);
} peer;

extern const peer peer_bullet, peer_embree_build, peer_embree_refit, peer_ode;

#ifdef __cplusplus
}
#endif

#endif
