// recording.h: a line of a recording, judged again.
#ifndef RF_CLI_RECORDING_H
#define RF_CLI_RECORDING_H

#include "scene.h"

typedef struct verdict {
    bool hit;   // the recorded engine hit somebody
    bool agree; // so do we, and the same one; or neither does
} verdict;

problem judge_ray(scene *in, const json_t *line, verdict *out);
problem judge_projectile(scene *in, const json_t *line, verdict *out);

#endif
