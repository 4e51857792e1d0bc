// quantise.h: quantises numbers in steps, and quaternions as their smallest three (docs/wire-format.md, "Values";
// Fiedler, "Snapshot Compression", 2015). All in binary64 in a fixed order, so that every implementation gets the same
// integers and floats.
#ifndef RF_CORE_QUANTISE_H
#define RF_CORE_QUANTISE_H

#include <math.h>
#include <roomfold/schema.h>
#include <string.h>

// How to quantise a component, with precomputed constants.
typedef struct rf_quantiser {
    uint8_t kind;               // rf_quantise
    uint8_t bits;               // of each integer
    uint8_t count;              // integers: the component's numbers, or 3
    uint8_t values;             // numbers of the component
    bool wide;                  // f64
    uint32_t most;              // the largest integer
    double min, step, per_step; // per_step: 1 / step; of a quaternion: the factor of its numbers
    double half_up;             // of a quaternion: min plus the rounding term
    double over, last;          // most + 1, most
} rf_quantiser;

bool rf_quantiser_valid(const rf_component_def *def);
rf_quantiser rf_quantiser_of(const rf_component_def *def);

// Inline, because an encoder does this for every number.

static inline bool rf_to_step(const rf_quantiser *quantiser, double number, uint32_t *out) {
    double step = (number - quantiser->min) * quantiser->per_step + 0.5;
    // Needed for numbers between -1 and 0, which a conversion would truncate to 0.
    if (!(step >= 0 && step < quantiser->over)) return false;
    *out = (uint32_t)(int64_t)step;
    return true;
}

static inline bool rf_to_steps(const rf_quantiser *quantiser, const void *value, uint32_t *out) {
    bool ok = true;
    float narrow[3];
    if (!quantiser->wide && quantiser->count == 3) {
        memcpy(narrow, value, sizeof narrow);
        for (int i = 0; i < 3; i++) ok &= rf_to_step(quantiser, (double)narrow[i], &out[i]);
        return ok;
    }
    for (unsigned i = 0; i < quantiser->count; i++) {
        double number;
        if (quantiser->wide) {
            memcpy(&number, (const uint8_t *)value + i * sizeof number, sizeof number);
        } else {
            memcpy(narrow, (const uint8_t *)value + i * sizeof *narrow, sizeof *narrow);
            number = (double)narrow[0];
        }
        ok &= rf_to_step(quantiser, number, &out[i]);
    }
    return ok;
}

// The index of the largest number by magnitude; the first of equals.
static inline uint32_t rf_largest_of_four(const float v[4]) {
    uint32_t index = 0;
    for (uint32_t i = 1; i < 4; i++) index = fabsf(v[i]) > fabsf(v[index]) ? i : index;
    return index;
}

static inline bool rf_to_smallest_three(const rf_quantiser *quantiser, const void *value, bool forced, uint32_t *index,
                                        uint32_t *out) {
    float v[4];
    double x, y, z, w, sum, scale;
    memcpy(v, value, sizeof v);
    x = (double)v[0], y = (double)v[1], z = (double)v[2], w = (double)v[3];
    sum = x * x + y * y + z * z + w * w;
    if (!(sum >= 63.0 / 64 && sum <= 65.0 / 64)) return false;
    if (!forced) *index = rf_largest_of_four(v);
    scale = (1.875 - sum * (1.25 - sum * 0.375)) * quantiser->per_step; // nearly 1 / sqrt(sum), without its cost
    if (v[*index] < 0) scale = -scale;
    // The other three numbers, in order.
    for (uint32_t i = 0; i < 3; i++) {
        double step = (double)v[i + (i >= *index)] * scale + quantiser->half_up;
        step = step < 0 ? 0 : step;
        step = step > quantiser->last ? quantiser->last : step;
        out[i] = (uint32_t)(int64_t)step;
    }
    return true;
}

// Converts a column's value to integers; false: impossible (out of bounds, or not a unit quaternion). For a quaternion,
// *index is the position of the largest number, which is left out; with `forced`, it is an input instead.
static inline bool rf_quantise_value(const rf_quantiser *quantiser, const void *value, bool forced, uint32_t *index,
                                     uint32_t *out) {
    if (quantiser->kind == RF_QUANTISE_STEP) return rf_to_steps(quantiser, value, out);
    return rf_to_smallest_three(quantiser, value, forced, index, out);
}

// Converts integers, which must be in range, back to a column's value.
void rf_dequantise_value(const rf_quantiser *quantiser, const uint32_t *numbers, uint32_t index, void *value);

#endif
