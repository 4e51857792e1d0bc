// recording.h: casts the shots of a recording again and compares the results.
#ifndef RF_CLI_RECORDING_H
#define RF_CLI_RECORDING_H

#include "scene.h"

typedef struct verdict {
    bool hit;   // the recorded engine hit a target
    bool agree; // we hit the same target, or neither hit one
} verdict;

problem judge_ray(scene *in, const json_t *line, verdict *out);
problem judge_projectile(scene *in, const json_t *line, verdict *out);

#endif
