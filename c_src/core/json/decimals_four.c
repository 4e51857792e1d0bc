#include "decimals_four.h"

#define EVERY(limit, unit)                                                                                             \
    {                                                                                                                  \
        {limit, limit, limit, limit}, {                                                                                \
            unit, unit                                                                                                 \
        }                                                                                                              \
    }

// By the number of decimals; none with 0.
const rf_four_constants rf_four_fixed[7] = {
    EVERY(-1, 1e0),   EVERY(9999999, 1e1), EVERY(999999, 1e2), EVERY(99999, 1e3),
    EVERY(9999, 1e4), EVERY(999, 1e5),     EVERY(99, 1e6),
};

const rf_four_constants rf_four_shortest = EVERY(1023, 1e4);
