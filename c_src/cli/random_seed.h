// random_seed.h: a seed for hash tables of names and ids, which may have been chosen to collide.
#ifndef RF_CLI_RANDOM_SEED_H
#define RF_CLI_RANDOM_SEED_H

#include <stdint.h>

// 0 if there is none: then only that protection is missing.
uint64_t random_seed(void);

#endif
