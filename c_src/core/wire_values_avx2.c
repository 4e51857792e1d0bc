// wire_values_avx2.c: four entities at a time, number by number in a lane each: the operations of quantise.h in the
// same order, and the choices of wire_values.c without a branch.
#include "wire_numbers.h"
#include "wire_values_simd.h"

#if RF_SIMD_X86
#include <immintrin.h>

#define TARGET __attribute__((target("avx2,bmi2,popcnt")))
#define FORCE TARGET static inline __attribute__((always_inline))

// The integers of four values; ok: all bits set where there are some. A turn's index counts places.
typedef struct four {
    __m128i numbers[3];
    __m128i index;
    __m128i ok;
} four;

typedef struct step_lanes {
    __m256d min, per_step, over;
} step_lanes;

typedef struct turn_lanes {
    __m256d per_step, half_up, last;
} turn_lanes;

FORCE __m128i low_halves(__m256d mask) {
    __m256 all = _mm256_castpd_ps(mask);
    return _mm_castps_si128(
        _mm_shuffle_ps(_mm256_castps256_ps128(all), _mm256_extractf128_ps(all, 1), _MM_SHUFFLE(2, 0, 2, 0)));
}

FORCE void load(const uint8_t *const *values, __m128 v[4]) {
    for (int i = 0; i < 4; i++) v[i] = _mm_loadu_ps((const float *)(const void *)values[i]);
    _MM_TRANSPOSE4_PS(v[0], v[1], v[2], v[3]);
}

FORCE four to_steps(const uint8_t *const *values, const step_lanes *with) {
    const __m256d half = _mm256_set1_pd(0.5), zero = _mm256_setzero_pd();
    __m256d ok = _mm256_cmp_pd(zero, zero, _CMP_EQ_OQ);
    __m128 v[4];
    four out = {.index = _mm_setzero_si128()};
    load(values, v);
    for (int i = 0; i < 3; i++) {
        __m256d step = _mm256_mul_pd(_mm256_sub_pd(_mm256_cvtps_pd(v[i]), with->min), with->per_step);
        step = _mm256_add_pd(step, half);
        ok = _mm256_and_pd(ok, _mm256_cmp_pd(step, zero, _CMP_GE_OQ));
        ok = _mm256_and_pd(ok, _mm256_cmp_pd(step, with->over, _CMP_LT_OQ));
        out.numbers[i] = _mm256_cvttpd_epi32(step);
    }
    out.ok = low_halves(ok);
    return out;
}

// What 1 / sqrt(sum) is multiplied by, with the sign of the largest.
FORCE __m256d turn_scale(__m256d sum, __m128 largest, const turn_lanes *with) {
    __m256d inverse = _mm256_sub_pd(_mm256_set1_pd(1.25), _mm256_mul_pd(sum, _mm256_set1_pd(0.375)));
    __m256i sign = _mm256_slli_epi64(_mm256_cvtepu32_epi64(_mm_castps_si128(largest)), 32);
    inverse = _mm256_sub_pd(_mm256_set1_pd(1.875), _mm256_mul_pd(sum, inverse));
    sign = _mm256_and_si256(sign, _mm256_set1_epi64x(INT64_MIN));
    return _mm256_xor_pd(_mm256_mul_pd(inverse, with->per_step), _mm256_castsi256_pd(sign));
}

FORCE four to_turn(const uint8_t *const *values, const turn_lanes *with) {
    const __m128 magnitude = _mm_castsi128_ps(_mm_set1_epi32(INT32_MAX));
    __m128 v[4], bigger[4], most, largest, rest[3];
    __m256d sum, scale, ok, wide;
    four out = {.index = _mm_setzero_si128()};
    load(values, v);
    wide = _mm256_cvtps_pd(v[0]);
    sum = _mm256_mul_pd(wide, wide);
    largest = v[0];
    most = _mm_and_ps(v[0], magnitude);
    for (int i = 1; i < 4; i++) {
        __m128 size = _mm_and_ps(v[i], magnitude);
        bigger[i] = _mm_cmpgt_ps(size, most);
        most = _mm_max_ps(size, most);
        largest = _mm_blendv_ps(largest, v[i], bigger[i]);
        out.index = _mm_blendv_epi8(out.index, _mm_set1_epi32(i), _mm_castps_si128(bigger[i]));
        wide = _mm256_cvtps_pd(v[i]);
        sum = _mm256_add_pd(sum, _mm256_mul_pd(wide, wide));
    }
    // Each place of the rest has its own number, or the next one if the largest is not behind it.
    for (int i = 0; i < 3; i++) {
        __m128i behind = _mm_cmpgt_epi32(out.index, _mm_set1_epi32(i));
        rest[i] = _mm_blendv_ps(v[i + 1], v[i], _mm_castsi128_ps(behind));
    }
    scale = turn_scale(sum, largest, with);
    for (int i = 0; i < 3; i++) {
        __m256d step = _mm256_add_pd(_mm256_mul_pd(_mm256_cvtps_pd(rest[i]), scale), with->half_up);
        step = _mm256_min_pd(_mm256_max_pd(step, _mm256_setzero_pd()), with->last);
        out.numbers[i] = _mm256_cvttpd_epi32(step);
    }
    ok = _mm256_cmp_pd(sum, _mm256_set1_pd(63.0 / 64), _CMP_GE_OQ);
    out.ok = low_halves(_mm256_and_pd(ok, _mm256_cmp_pd(sum, _mm256_set1_pd(65.0 / 64), _CMP_LE_OQ)));
    return out;
}

FORCE __m256i widen(__m128i numbers) {
    return _mm256_cvtepu32_epi64(numbers);
}

FORCE __m256i whole_bits(const four *now, const rf_wire_layout *in) {
    __m256i out = _mm256_or_si256(
        _mm256_set1_epi64x((long long)in->whole_head),
        _mm256_sll_epi64(widen(now->index), _mm_cvtsi32_si128((int)in->whole_place - (int)in->index_bits)));
    for (unsigned i = 0; i < 3; i++)
        out = _mm256_or_si256(
            out, _mm256_sll_epi64(widen(now->numbers[i]), _mm_cvtsi32_si128((int)(in->whole_place + i * in->bits))));
    return out;
}

typedef struct deltas {
    __m256i bits;
    __m128i len, width, same;
} deltas;

FORCE deltas delta_bits(const four *now, const four *was, const rf_wire_layout *in) {
    const __m128i zero = _mm_setzero_si128();
    const unsigned head = 1 + in->index_bits;
    __m128i zigzags[3], same[3], all = zero, count, at;
    deltas out;
    for (int i = 0; i < 3; i++) {
        __m128i step = _mm_sub_epi32(now->numbers[i], was->numbers[i]);
        zigzags[i] = _mm_xor_si128(_mm_slli_epi32(step, 1), _mm_srai_epi32(step, 31));
        same[i] = _mm_cmpeq_epi32(zigzags[i], zero);
        all = _mm_or_si128(all, zigzags[i]);
    }
    // A binary32 of an integer up to 2^24 is exact, and its exponent says how many bits the integer has.
    out.width = _mm_sub_epi32(_mm_srli_epi32(_mm_castps_si128(_mm_cvtepi32_ps(all)), 23), _mm_set1_epi32(126));
    count = _mm_add_epi32(_mm_add_epi32(same[0], same[1]), _mm_add_epi32(same[2], _mm_set1_epi32(3)));
    at = _mm_set1_epi32((int)head + RF_WIRE_DELTA_WIDTH_BITS + 3);
    out.len = _mm_add_epi32(at, _mm_mullo_epi16(count, out.width));
    out.same = _mm_cmpeq_epi32(all, zero);
    out.bits = _mm256_slli_epi64(widen(now->index), 1);
    out.bits = _mm256_or_si256(
        out.bits, _mm256_sll_epi64(widen(_mm_sub_epi32(out.width, _mm_set1_epi32(1))), _mm_cvtsi32_si128((int)head)));
    for (int i = 0; i < 3; i++) {
        __m128i flag = _mm_andnot_si128(same[i], _mm_set1_epi32(1 << (head + RF_WIRE_DELTA_WIDTH_BITS + (unsigned)i)));
        out.bits = _mm256_or_si256(out.bits, widen(flag));
        out.bits = _mm256_or_si256(out.bits, _mm256_sllv_epi64(widen(zigzags[i]), widen(at)));
        at = _mm_add_epi32(at, _mm_andnot_si128(same[i], out.width));
    }
    return out;
}

FORCE void choose(rf_wire_sayings *out, uint32_t i, const four *now, const four *was, __m128i known,
                  const rf_wire_layout *in) {
    const __m128i bytes = _mm_setr_epi8(0, 4, 8, 12, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1);
    __m128i whole_len = _mm_set1_epi32((int)(in->whole_place + 3 * in->bits)), len = whole_len, is_delta, all;
    __m256i bits = whole_bits(now, in);
    int lens;
    if (in->update) {
        deltas delta = delta_bits(now, was, in);
        all = _mm_and_si128(known, _mm_and_si128(was->ok, _mm_cmpeq_epi32(now->index, was->index)));
        is_delta = _mm_and_si128(all, _mm_cmplt_epi32(delta.len, whole_len));
        is_delta = _mm_and_si128(is_delta, _mm_cmplt_epi32(delta.width, _mm_set1_epi32(RF_WIRE_DELTA_BITS + 1)));
        bits = _mm256_blendv_epi8(bits, delta.bits, _mm256_cvtepi32_epi64(is_delta));
        len = _mm_blendv_epi8(len, delta.len, is_delta);
        len = _mm_andnot_si128(_mm_and_si128(all, delta.same), len);
    }
    len = _mm_blendv_epi8(_mm_set1_epi32(RF_WIRE_VALUE_RAW), len, now->ok);
    lens = _mm_cvtsi128_si32(_mm_shuffle_epi8(len, bytes));
    _mm256_storeu_si256((__m256i *)(void *)&out->bits[i], bits);
    memcpy(&out->len[i], &lens, sizeof lens);
}

// Whose `was` is another place than `now`, in all their bits.
FORCE __m128i known_of(const rf_wire_values *values, uint32_t i) {
    const __m256i now = _mm256_loadu_si256((const __m256i *)(const void *)&values->now[i]);
    const __m256i was = _mm256_loadu_si256((const __m256i *)(const void *)&values->was[i]);
    return _mm_xor_si128(low_halves(_mm256_castsi256_pd(_mm256_cmpeq_epi64(now, was))), _mm_set1_epi32(-1));
}

TARGET static void steps(const rf_quantiser *quantiser, rf_wire_values *values, rf_wire_sayings *out) {
    const step_lanes with = {_mm256_set1_pd(quantiser->min), _mm256_set1_pd(quantiser->per_step),
                             _mm256_set1_pd(quantiser->over)};
    const rf_wire_layout in = rf_wire_layout_of(quantiser, values->update, 0);
    rf_wire_fill_up(values, 4);
    for (uint32_t i = 0; i < values->count; i += 4) {
        four now = to_steps(values->now + i, &with), was = now;
        if (values->update) was = to_steps(values->was + i, &with);
        choose(out, i, &now, &was, known_of(values, i), &in);
    }
}

TARGET static void turns(const rf_quantiser *quantiser, rf_wire_values *values, rf_wire_sayings *out) {
    const turn_lanes with = {_mm256_set1_pd(quantiser->per_step), _mm256_set1_pd(quantiser->half_up),
                             _mm256_set1_pd(quantiser->last)};
    const rf_wire_layout in = rf_wire_layout_of(quantiser, values->update, 2);
    rf_wire_fill_up(values, 4);
    for (uint32_t i = 0; i < values->count; i += 4) {
        four now = to_turn(values->now + i, &with), was = now;
        if (values->update) was = to_turn(values->was + i, &with);
        choose(out, i, &now, &was, known_of(values, i), &in);
    }
}

static bool available(void) {
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi2") && __builtin_cpu_supports("popcnt");
}

#include "wire_page.inl"

const rf_wire_way rf_wire_way_avx2 = {"avx2", available, changed, said, find_values, put_even, steps, turns};
#endif
