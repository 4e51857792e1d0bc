// wire_values_avx512.c: eight entities at a time. What wire_values_avx2.c does, with masks for choices.
#include "wire_numbers.h"
#include "wire_values_simd.h"

#if RF_SIMD_X86
#include <immintrin.h>

#define TARGET __attribute__((target("avx2,bmi2,popcnt,avx512f,avx512vl,avx512cd,avx512dq,avx512bw")))
#define FORCE TARGET static inline __attribute__((always_inline))

// The integers of eight values; ok: a bit for each that has some. A turn's index counts places.
typedef struct eight {
    __m256i numbers[3];
    __m256i index;
    __mmask8 ok;
} eight;

typedef struct step_lanes {
    __m512d min, per_step, over;
} step_lanes;

typedef struct turn_lanes {
    __m512d per_step, half_up, last;
} turn_lanes;

FORCE __m256 load_two(const uint8_t *low, const uint8_t *high) {
    return _mm256_insertf128_ps(_mm256_castps128_ps256(_mm_loadu_ps((const float *)(const void *)low)),
                                _mm_loadu_ps((const float *)(const void *)high), 1);
}

FORCE void load(const uint8_t *const *values, __m256 v[4]) {
    __m256 rows[4], low[2], high[2];
    for (int i = 0; i < 4; i++) rows[i] = load_two(values[i], values[i + 4]);
    low[0] = _mm256_unpacklo_ps(rows[0], rows[1]), high[0] = _mm256_unpackhi_ps(rows[0], rows[1]);
    low[1] = _mm256_unpacklo_ps(rows[2], rows[3]), high[1] = _mm256_unpackhi_ps(rows[2], rows[3]);
    v[0] = _mm256_shuffle_ps(low[0], low[1], _MM_SHUFFLE(1, 0, 1, 0));
    v[1] = _mm256_shuffle_ps(low[0], low[1], _MM_SHUFFLE(3, 2, 3, 2));
    v[2] = _mm256_shuffle_ps(high[0], high[1], _MM_SHUFFLE(1, 0, 1, 0));
    v[3] = _mm256_shuffle_ps(high[0], high[1], _MM_SHUFFLE(3, 2, 3, 2));
}

FORCE eight to_steps(const uint8_t *const *values, const step_lanes *with) {
    __m256 v[4];
    eight out = {.index = _mm256_setzero_si256(), .ok = 0xff};
    load(values, v);
    for (int i = 0; i < 3; i++) {
        __m512d step = _mm512_mul_pd(_mm512_sub_pd(_mm512_cvtps_pd(v[i]), with->min), with->per_step);
        step = _mm512_add_pd(step, _mm512_set1_pd(0.5));
        out.ok = _mm512_mask_cmp_pd_mask(out.ok, step, _mm512_setzero_pd(), _CMP_GE_OQ);
        out.ok = _mm512_mask_cmp_pd_mask(out.ok, step, with->over, _CMP_LT_OQ);
        out.numbers[i] = _mm512_cvttpd_epi32(step);
    }
    return out;
}

// What 1 / sqrt(sum) is multiplied by, with the sign of the largest.
FORCE __m512d turn_scale(__m512d sum, __m256 largest, const turn_lanes *with) {
    __m512d inverse = _mm512_sub_pd(_mm512_set1_pd(1.25), _mm512_mul_pd(sum, _mm512_set1_pd(0.375)));
    __mmask8 negative = _mm256_movepi32_mask(_mm256_castps_si256(largest));
    inverse = _mm512_sub_pd(_mm512_set1_pd(1.875), _mm512_mul_pd(sum, inverse));
    inverse = _mm512_mul_pd(inverse, with->per_step);
    return _mm512_mask_xor_pd(inverse, negative, inverse, _mm512_set1_pd(-0.0));
}

FORCE eight to_turn(const uint8_t *const *values, const turn_lanes *with) {
    __m256 v[4], most, largest;
    __m512d sum, scale, wide;
    eight out = {.index = _mm256_setzero_si256()};
    load(values, v);
    wide = _mm512_cvtps_pd(v[0]);
    sum = _mm512_mul_pd(wide, wide);
    largest = v[0];
    most = _mm256_andnot_ps(_mm256_set1_ps(-0.0F), v[0]);
    for (int i = 1; i < 4; i++) {
        __m256 size = _mm256_andnot_ps(_mm256_set1_ps(-0.0F), v[i]);
        __mmask8 bigger = _mm256_cmp_ps_mask(size, most, _CMP_GT_OQ);
        most = _mm256_max_ps(size, most);
        largest = _mm256_mask_mov_ps(largest, bigger, v[i]);
        out.index = _mm256_mask_mov_epi32(out.index, bigger, _mm256_set1_epi32(i));
        wide = _mm512_cvtps_pd(v[i]);
        sum = _mm512_add_pd(sum, _mm512_mul_pd(wide, wide));
    }
    scale = turn_scale(sum, largest, with);
    for (int i = 0; i < 3; i++) {
        // Each place of the rest has its own number, or the next one if the largest is not behind it.
        __mmask8 behind = _mm256_cmpgt_epi32_mask(out.index, _mm256_set1_epi32(i));
        __m512d step = _mm512_cvtps_pd(_mm256_mask_mov_ps(v[i + 1], behind, v[i]));
        step = _mm512_add_pd(_mm512_mul_pd(step, scale), with->half_up);
        step = _mm512_min_pd(_mm512_max_pd(step, _mm512_setzero_pd()), with->last);
        out.numbers[i] = _mm512_cvttpd_epi32(step);
    }
    out.ok = _mm512_cmp_pd_mask(sum, _mm512_set1_pd(63.0 / 64), _CMP_GE_OQ);
    out.ok = _mm512_mask_cmp_pd_mask(out.ok, sum, _mm512_set1_pd(65.0 / 64), _CMP_LE_OQ);
    return out;
}

FORCE __m512i widen(__m256i numbers) {
    return _mm512_cvtepu32_epi64(numbers);
}

FORCE __m512i shifted(__m256i numbers, unsigned bits) {
    return _mm512_sll_epi64(widen(numbers), _mm_cvtsi32_si128((int)bits));
}

FORCE __m512i whole_bits(const eight *now, const rf_wire_layout *in) {
    __m512i out = _mm512_or_si512(_mm512_set1_epi64((long long)in->whole_head),
                                  shifted(now->index, in->whole_place - in->index_bits));
    for (unsigned i = 0; i < 3; i++)
        out = _mm512_or_si512(out, shifted(now->numbers[i], in->whole_place + i * in->bits));
    return out;
}

typedef struct deltas {
    __m512i bits;
    __m256i len, width;
    __mmask8 same;
} deltas;

FORCE deltas delta_bits(const eight *now, const eight *was, const rf_wire_layout *in) {
    const __m256i zero = _mm256_setzero_si256();
    const unsigned flags_at = 1 + in->index_bits + RF_WIRE_DELTA_WIDTH_BITS;
    __m256i zigzags[3], all = zero, at = zero;
    __mmask8 changed[3];
    __m512i numbers = _mm512_setzero_si512();
    deltas out;
    for (int i = 0; i < 3; i++) {
        __m256i step = _mm256_sub_epi32(now->numbers[i], was->numbers[i]);
        zigzags[i] = _mm256_xor_si256(_mm256_slli_epi32(step, 1), _mm256_srai_epi32(step, 31));
        changed[i] = _mm256_test_epi32_mask(zigzags[i], zigzags[i]);
        all = _mm256_or_si256(all, zigzags[i]);
    }
    out.width = _mm256_sub_epi32(_mm256_set1_epi32(32), _mm256_lzcnt_epi32(all));
    out.same = _mm256_testn_epi32_mask(all, all);
    for (int i = 0; i < 3; i++) {
        numbers = _mm512_or_si512(numbers, _mm512_sllv_epi64(widen(zigzags[i]), widen(at)));
        at = _mm256_mask_add_epi32(at, changed[i], at, out.width);
    }
    out.len = _mm256_add_epi32(at, _mm256_set1_epi32((int)flags_at + 3));
    out.bits = _mm512_sll_epi64(numbers, _mm_cvtsi32_si128((int)flags_at + 3));
    out.bits = _mm512_or_si512(out.bits, shifted(now->index, 1));
    out.bits = _mm512_or_si512(
        out.bits, shifted(_mm256_sub_epi32(out.width, _mm256_set1_epi32(1)), flags_at - RF_WIRE_DELTA_WIDTH_BITS));
    for (int i = 0; i < 3; i++)
        out.bits =
            _mm512_mask_or_epi64(out.bits, changed[i], out.bits, _mm512_set1_epi64(1LL << (flags_at + (unsigned)i)));
    return out;
}

FORCE void choose(rf_wire_sayings *out, uint32_t i, const eight *now, const eight *was, __mmask8 known,
                  const rf_wire_layout *in) {
    __m256i whole_len = _mm256_set1_epi32((int)(in->whole_place + 3 * in->bits)), len = whole_len;
    __m512i bits = whole_bits(now, in);
    if (in->update) {
        deltas delta = delta_bits(now, was, in);
        __mmask8 is = known & was->ok & _mm256_cmpeq_epi32_mask(now->index, was->index), same = is & delta.same;
        is &= _mm256_cmplt_epi32_mask(delta.len, whole_len) &
              _mm256_cmplt_epi32_mask(delta.width, _mm256_set1_epi32(RF_WIRE_DELTA_BITS + 1));
        bits = _mm512_mask_mov_epi64(bits, is, delta.bits);
        len = _mm256_mask_mov_epi32(len, is, delta.len);
        len = _mm256_mask_mov_epi32(len, same, _mm256_setzero_si256());
    }
    len = _mm256_mask_mov_epi32(_mm256_set1_epi32(RF_WIRE_VALUE_RAW), now->ok, len);
    _mm512_storeu_si512(&out->bits[i], bits);
    _mm_storel_epi64((__m128i *)(void *)&out->len[i], _mm256_cvtepi32_epi8(len));
}

// Whose `was` is another place than `now`.
FORCE __mmask8 known_of(const rf_wire_values *values, uint32_t i) {
    return _mm512_cmpneq_epi64_mask(_mm512_loadu_si512(&values->now[i]), _mm512_loadu_si512(&values->was[i]));
}

TARGET static void steps(const rf_quantiser *quantiser, rf_wire_values *values, rf_wire_sayings *out) {
    const step_lanes with = {_mm512_set1_pd(quantiser->min), _mm512_set1_pd(quantiser->per_step),
                             _mm512_set1_pd(quantiser->over)};
    const rf_wire_layout in = rf_wire_layout_of(quantiser, values->update, 0);
    rf_wire_fill_up(values, 8);
    for (uint32_t i = 0; i < values->count; i += 8) {
        eight now = to_steps(values->now + i, &with), was = now;
        if (values->update) was = to_steps(values->was + i, &with);
        choose(out, i, &now, &was, known_of(values, i), &in);
    }
}

TARGET static void turns(const rf_quantiser *quantiser, rf_wire_values *values, rf_wire_sayings *out) {
    const turn_lanes with = {_mm512_set1_pd(quantiser->per_step), _mm512_set1_pd(quantiser->half_up),
                             _mm512_set1_pd(quantiser->last)};
    const rf_wire_layout in = rf_wire_layout_of(quantiser, values->update, 2);
    rf_wire_fill_up(values, 8);
    for (uint32_t i = 0; i < values->count; i += 8) {
        eight now = to_turn(values->now + i, &with), was = now;
        if (values->update) was = to_turn(values->was + i, &with);
        choose(out, i, &now, &was, known_of(values, i), &in);
    }
}

static bool available(void) {
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") &&
           __builtin_cpu_supports("avx512cd") && __builtin_cpu_supports("avx512dq") &&
           __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("bmi2") && __builtin_cpu_supports("popcnt");
}

#include "wire_page.inl"

const rf_wire_way rf_wire_way_avx512 = {"avx512", available, changed, said, find_values, put_even, steps, turns};
#endif
