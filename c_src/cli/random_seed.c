#include "random_seed.h"

#include <stdio.h>

uint64_t random_seed(void) {
    uint64_t seed = 0;
    FILE *from = fopen("/dev/urandom", "rb");
    if (!from) return 0;
    if (fread(&seed, sizeof seed, 1, from) != 1) seed = 0;
    fclose(from);
    return seed;
}
