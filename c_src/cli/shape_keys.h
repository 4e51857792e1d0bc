// shape_keys.h: the keys that an object of several entities can't have (docs/event-model.md: Several entities at once):
// load and apply_diff take what has them.
#ifndef RF_CLI_SHAPE_KEYS_H
#define RF_CLI_SHAPE_KEYS_H

#include <roomfold/roomfold.h>
#include <string.h>

static inline bool shape_key_taken(rf_str key) {
    static const char *const taken[] = {"entities", "components", "kinds", "from", "creates", "updates", "deletes"};
    for (size_t i = 0; i < sizeof taken / sizeof *taken; i++)
        if (key.len == strlen(taken[i]) && memcmp(key.data, taken[i], key.len) == 0) return true;
    return false;
}

#endif
