#include "quantise.h"

#include "frame/wire_numbers.h"
#include <math.h>
#include <string.h>

#define SQRT_2 1.4142135623730951
#define SQRT_HALF 0.7071067811865476

bool rf_quantiser_valid(const rf_component_def *def) {
    double reach;
    switch (def->quantise) {
    case RF_QUANTISE_NONE:
        return true;
    case RF_QUANTISE_SMALLEST_THREE:
        return def->type == RF_TYPE_F32 && def->count == 4 && def->bits >= RF_WIRE_QUATERNION_BITS_MIN &&
               def->bits <= RF_WIRE_QUATERNION_BITS_MAX;
    case RF_QUANTISE_STEP:
        reach = def->step * RF_WIRE_REACH_MAX;
        return (def->type == RF_TYPE_F32 || def->type == RF_TYPE_F64) && def->step > 0 && isfinite(reach) &&
               isfinite(1 / def->step) && def->min < def->max && def->min >= -reach && def->max <= reach &&
               ceil((def->max - def->min) / def->step) <= RF_WIRE_STEPS_MAX;
    default:
        return false;
    }
}

static uint8_t bit_length(uint32_t number) {
    uint8_t bits = 0;
    for (; number > 0; number >>= 1) bits++;
    return bits;
}

rf_quantiser rf_quantiser_of(const rf_component_def *def) {
    rf_quantiser out = {.kind = def->quantise, .values = def->count, .wide = def->type == RF_TYPE_F64};
    if (def->quantise == RF_QUANTISE_STEP) {
        out.count = def->count;
        out.most = (uint32_t)ceil((def->max - def->min) / def->step);
        out.bits = bit_length(out.most);
        out.min = def->min;
        out.step = def->step;
        out.per_step = 1 / def->step;
    } else if (def->quantise == RF_QUANTISE_SMALLEST_THREE) {
        uint32_t half = (UINT32_C(1) << (def->bits - 1)) - 1;
        out.count = 3;
        out.most = 2 * half;
        out.bits = def->bits;
        out.min = (double)half;
        out.step = SQRT_HALF / (double)half;
        out.per_step = SQRT_2 * (double)half;
        out.half_up = (double)half + 0.5;
    }
    out.over = (double)out.most + 1;
    out.last = (double)out.most;
    return out;
}

static void from_smallest_three(const rf_quantiser *quantiser, const uint32_t *numbers, uint32_t index, float out[4]) {
    double v[3], rest = 1;
    for (int i = 0; i < 3; i++) {
        v[i] = ((double)numbers[i] - quantiser->min) * quantiser->step;
        rest = rest - v[i] * v[i];
    }
    for (uint32_t i = 0, next = 0; i < 4; i++)
        out[i] = i == index ? (float)sqrt(rest < 0 ? 0 : rest) : (float)v[next++];
}

void rf_dequantise_value(const rf_quantiser *quantiser, const uint32_t *numbers, uint32_t index, void *value) {
    if (quantiser->kind == RF_QUANTISE_SMALLEST_THREE) {
        float quaternion[4];
        from_smallest_three(quantiser, numbers, index, quaternion);
        memcpy(value, quaternion, sizeof quaternion);
        return;
    }
    for (unsigned i = 0; i < quantiser->count; i++) {
        double number = quantiser->min + (double)numbers[i] * quantiser->step;
        float narrow = (float)number;
        if (quantiser->wide)
            memcpy((uint8_t *)value + i * sizeof number, &number, sizeof number);
        else
            memcpy((uint8_t *)value + i * sizeof narrow, &narrow, sizeof narrow);
    }
}
