// wire_values_avx2.c: encodes four entities at a time, one per lane: the operations of quantise.h in the same order,
// and the decisions of wire_values.c without branches.
#include "frame/wire_numbers.h"
#include "wire_values_simd.h"

#if RF_SIMD_X86
#include <immintrin.h>

#define TARGET __attribute__((target("avx2,bmi,bmi2,popcnt")))
#define FORCE TARGET static inline __attribute__((always_inline))

// The integers of four values. ok: all bits are set where there are integers. index: of a quaternion.
typedef struct four {
    __m128i numbers[3];
    __m128i index;
    __m128i ok;
} four;

typedef struct step_lanes {
    __m256d min, per_step;
    __m128i most;
} step_lanes;

typedef struct quaternion_lanes {
    __m256d per_step, half_up;
} quaternion_lanes;

// ---- what stands in cells and in the log ------------------------------------------------------------

FORCE __m128i low_halves(__m256d mask) {
    __m256 all = _mm256_castpd_ps(mask);
    return _mm_castps_si128(
        _mm_shuffle_ps(_mm256_castps256_ps128(all), _mm256_extractf128_ps(all, 1), _MM_SHUFFLE(2, 0, 2, 0)));
}

// Loads 32 bytes from each of four addresses and transposes them to eight vectors of four 32-bit numbers.
FORCE void load(const uint8_t *from, const uint32_t at[4], __m128 v[8]) {
    __m256 rows[4], low[2], high[2], both[4];
    for (int i = 0; i < 4; i++) rows[i] = _mm256_loadu_ps((const float *)(const void *)(from + at[i]));
    low[0] = _mm256_unpacklo_ps(rows[0], rows[1]), high[0] = _mm256_unpackhi_ps(rows[0], rows[1]);
    low[1] = _mm256_unpacklo_ps(rows[2], rows[3]), high[1] = _mm256_unpackhi_ps(rows[2], rows[3]);
    both[0] = _mm256_shuffle_ps(low[0], low[1], _MM_SHUFFLE(1, 0, 1, 0));
    both[1] = _mm256_shuffle_ps(low[0], low[1], _MM_SHUFFLE(3, 2, 3, 2));
    both[2] = _mm256_shuffle_ps(high[0], high[1], _MM_SHUFFLE(1, 0, 1, 0));
    both[3] = _mm256_shuffle_ps(high[0], high[1], _MM_SHUFFLE(3, 2, 3, 2));
    for (int i = 0; i < 4; i++) {
        v[i] = _mm256_castps256_ps128(both[i]);
        v[i + 4] = _mm256_extractf128_ps(both[i], 1);
    }
}

FORCE __m128i as_integers(__m128 lanes) {
    return _mm_castps_si128(lanes);
}

FORCE __m128i all_lanes(uint32_t number) {
    return _mm_set1_epi32((int)number);
}

// Compares unsigned numbers.
FORCE __m128i at_least(__m128i a, __m128i b) {
    return _mm_cmpeq_epi32(_mm_max_epu32(a, b), a);
}

FORCE bool none(__m128i lanes) {
    return _mm_testz_si128(lanes, lanes);
}

// rf_value_log_before for four entities: the values of those of `lanes` that it knows.
FORCE __m128i find_before(const rf_wire_values *values, __m128i handles, __m128i links, __m128i lanes, __m128 was[4]) {
    const rf_value_log *log = &values->column->log;
    const __m128i since = all_lanes(values->since), zero = _mm_setzero_si128();
    uint32_t at[4];
    __m128i known, newer;
    __m128 entry[8]; // stamp, until, previous, handle, the value
    lanes = _mm_andnot_si128(at_least(_mm_sub_epi32(all_lanes(log->written), links), all_lanes(log->length)), lanes);
    lanes = _mm_andnot_si128(_mm_cmpeq_epi32(links, zero), lanes);
    if (none(lanes)) return zero;
    links = _mm_mullo_epi32(_mm_and_si128(links, all_lanes(log->mask)), all_lanes(log->entry_size));
    _mm_storeu_si128((__m128i *)(void *)at, links);
    RF_WIRE_IN_MEMORY(at);
    load(log->entries, at, entry);
    lanes = _mm_and_si128(lanes, _mm_cmpeq_epi32(as_integers(entry[3]), handles));
    newer = _mm_and_si128(lanes, at_least(as_integers(entry[0]), since));
    known = _mm_and_si128(_mm_andnot_si128(newer, lanes), at_least(as_integers(entry[1]), since));
    if (!none(newer)) {
        uint32_t numbers[4], whose[4], found[4];
        _mm_storeu_si128((__m128i *)(void *)numbers, as_integers(entry[2]));
        _mm_storeu_si128((__m128i *)(void *)whose, handles);
        _mm_storeu_si128((__m128i *)(void *)found, known);
        for (uint32_t left = (uint32_t)_mm_movemask_ps(_mm_castsi128_ps(newer)); left != 0; left &= left - 1) {
            uint32_t lane = rf_low_bit(left);
            if (rf_wire_older_entry(values, whose[lane], numbers[lane], &at[lane])) found[lane] = UINT32_MAX;
        }
        known = _mm_loadu_si128((const __m128i *)(const void *)found);
        load(log->entries, at, entry);
    }
    for (int i = 0; i < 4; i++) was[i] = entry[i + 4];
    return known;
}

// ---- integers ---------------------------------------------------------------------------------------

FORCE four to_steps(const __m128 v[3], const step_lanes *with) {
    four out = {.index = _mm_setzero_si128()};
    for (int i = 0; i < 3; i++) {
        __m256d step = _mm256_mul_pd(_mm256_sub_pd(_mm256_cvtps_pd(v[i]), with->min), with->per_step);
        step = _mm256_add_pd(step, _mm256_set1_pd(0.5));
        // Rounds down, so that values below 0 become negative. A value that is no 32-bit integer becomes 2^31.
        out.numbers[i] = _mm256_cvttpd_epi32(_mm256_floor_pd(step));
    }
    out.ok = at_least(with->most, _mm_max_epu32(_mm_max_epu32(out.numbers[0], out.numbers[1]), out.numbers[2]));
    return out;
}

// The factor 1 / sqrt(sum), scaled, with the sign of the largest number.
FORCE __m256d quaternion_scale(__m256d sum, __m128 largest, const quaternion_lanes *with) {
    __m256d inverse = _mm256_sub_pd(_mm256_set1_pd(1.25), _mm256_mul_pd(sum, _mm256_set1_pd(0.375)));
    __m256i sign = _mm256_slli_epi64(_mm256_cvtepu32_epi64(_mm_castps_si128(largest)), 32);
    inverse = _mm256_sub_pd(_mm256_set1_pd(1.875), _mm256_mul_pd(sum, inverse));
    sign = _mm256_and_si256(sign, _mm256_set1_epi64x(INT64_MIN));
    return _mm256_xor_pd(_mm256_mul_pd(inverse, with->per_step), _mm256_castsi256_pd(sign));
}

// The first properties of a quaternion. Two quaternions with different indices need no further comparison.
typedef struct quaternion {
    __m256d sum;
    __m128 largest;
    __m128i index, ok;
} quaternion;

FORCE quaternion quaternion_of(const __m128 v[4]) {
    const __m128 magnitude = _mm_castsi128_ps(_mm_set1_epi32(INT32_MAX));
    __m256d wide = _mm256_cvtps_pd(v[0]), ok;
    __m128 most = _mm_and_ps(v[0], magnitude);
    quaternion out = {.sum = _mm256_mul_pd(wide, wide), .largest = v[0], .index = _mm_setzero_si128()};
    for (int i = 1; i < 4; i++) {
        __m128 size = _mm_and_ps(v[i], magnitude);
        __m128 bigger = _mm_cmpgt_ps(size, most);
        most = _mm_max_ps(size, most);
        out.largest = _mm_blendv_ps(out.largest, v[i], bigger);
        out.index = _mm_blendv_epi8(out.index, _mm_set1_epi32(i), _mm_castps_si128(bigger));
        wide = _mm256_cvtps_pd(v[i]);
        out.sum = _mm256_add_pd(out.sum, _mm256_mul_pd(wide, wide));
    }
    ok = _mm256_cmp_pd(out.sum, _mm256_set1_pd(63.0 / 64), _CMP_GE_OQ);
    out.ok = low_halves(_mm256_and_pd(ok, _mm256_cmp_pd(out.sum, _mm256_set1_pd(65.0 / 64), _CMP_LE_OQ)));
    return out;
}

// Without the bounds that quantise.h keeps: where ok, a number that stays is at most sqrt(1/2) of the length, so a step
// is more than -1 and less than one above the last, and what is cut off is the same.
FORCE four to_smallest_three(const __m128 v[4], const quaternion *of, const quaternion_lanes *with) {
    const __m256d scale = quaternion_scale(of->sum, of->largest, with);
    __m128 rest[3];
    four out = {.index = of->index, .ok = of->ok};
    // Position i of the rest has number i, or the next one if the largest comes at or before it.
    for (int i = 0; i < 3; i++) {
        __m128i behind = _mm_cmpgt_epi32(out.index, _mm_set1_epi32(i));
        rest[i] = _mm_blendv_ps(v[i + 1], v[i], _mm_castsi128_ps(behind));
    }
    for (int i = 0; i < 3; i++) {
        __m256d step = _mm256_add_pd(_mm256_mul_pd(_mm256_cvtps_pd(rest[i]), scale), with->half_up);
        out.numbers[i] = _mm256_cvttpd_epi32(step);
    }
    return out;
}

// ---- bits -------------------------------------------------------------------------------------------

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
    __m128i zigzags[3], same[3], width, len, none;
} deltas;

FORCE deltas find_deltas(const four *now, const four *was, const rf_wire_layout *in) {
    const __m128i zero = _mm_setzero_si128();
    __m128i all = zero;
    deltas out;
    for (int i = 0; i < 3; i++) {
        __m128i step = _mm_sub_epi32(now->numbers[i], was->numbers[i]);
        out.zigzags[i] = _mm_xor_si128(_mm_slli_epi32(step, 1), _mm_srai_epi32(step, 31));
        out.same[i] = _mm_cmpeq_epi32(out.zigzags[i], zero);
        all = _mm_or_si128(all, out.zigzags[i]);
    }
    // An integer up to 2^24 is exact as a binary32, whose exponent is then the number of bits.
    out.width = _mm_sub_epi32(_mm_srli_epi32(_mm_castps_si128(_mm_cvtepi32_ps(all)), 23), _mm_set1_epi32(126));
    out.none = _mm_cmpeq_epi32(all, zero);
    out.len = all_lanes(in->flags_at + 3);
    for (int i = 0; i < 3; i++) out.len = _mm_add_epi32(out.len, _mm_andnot_si128(out.same[i], out.width));
    return out;
}

FORCE __m256i delta_bits(const deltas *delta, const four *now, const rf_wire_layout *in) {
    __m128i at = all_lanes(in->flags_at + 3), width = _mm_sub_epi32(delta->width, _mm_set1_epi32(1));
    __m256i out = _mm256_or_si256(
        _mm256_slli_epi64(widen(now->index), 1),
        _mm256_sll_epi64(widen(width), _mm_cvtsi32_si128((int)in->flags_at - RF_WIRE_DELTA_WIDTH_BITS)));
    for (unsigned i = 0; i < 3; i++) {
        __m128i flag = _mm_andnot_si128(delta->same[i], _mm_set1_epi32(1 << (in->flags_at + i)));
        out = _mm256_or_si256(out, widen(flag));
        out = _mm256_or_si256(out, _mm256_sllv_epi64(widen(delta->zigzags[i]), widen(at)));
        at = _mm_add_epi32(at, _mm_andnot_si128(delta->same[i], delta->width));
    }
    return out;
}

// Chooses the encodings of the lanes `changed`. known: the lanes with a previous value.
FORCE void choose(rf_wire_codes *out, uint32_t i, const four *now, const four *was, __m128i changed, __m128i known,
                  const rf_wire_layout *in) {
    const __m128i bytes = _mm_setr_epi8(0, 4, 8, 12, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1);
    const __m128i whole_len = all_lanes(in->whole_place + 3 * in->bits);
    __m128i len = whole_len;
    __m256i bits = whole_bits(now, in);
    int lens;
    known = _mm_and_si128(known, _mm_and_si128(was->ok, _mm_cmpeq_epi32(now->index, was->index)));
    if (!none(known)) {
        deltas delta = find_deltas(now, was, in);
        __m128i shorter = _mm_and_si128(known, _mm_cmplt_epi32(delta.len, whole_len));
        shorter = _mm_and_si128(shorter, _mm_cmplt_epi32(delta.width, _mm_set1_epi32(RF_WIRE_DELTA_BITS + 1)));
        if (!none(shorter)) {
            bits = _mm256_blendv_epi8(bits, delta_bits(&delta, now, in), _mm256_cvtepi32_epi64(shorter));
            len = _mm_blendv_epi8(len, delta.len, shorter);
        }
        len = _mm_andnot_si128(_mm_and_si128(known, delta.none), len);
    }
    len = _mm_and_si128(changed, _mm_blendv_epi8(_mm_set1_epi32(RF_WIRE_VALUE_RAW), len, now->ok));
    lens = _mm_cvtsi128_si32(_mm_shuffle_epi8(len, bytes));
    _mm256_storeu_si256((__m256i *)(void *)&out->bits[i], bits);
    memcpy(&out->len[i], &lens, sizeof lens);
}

// ---- components -------------------------------------------------------------------------------------

// Four entities: their cells, their handles, and which of them are encoded.
typedef struct group {
    uint32_t at[4];
    __m128i handles, changed;
} group;

FORCE void open_group(group *g, const rf_wire_values *values, uint32_t i) {
    uint32_t four_places;
    __m128i places;
    memcpy(&four_places, &values->places->at[i], sizeof four_places);
    places = _mm_cvtepu8_epi32(_mm_cvtsi32_si128((int)four_places));
    _mm_storeu_si128((__m128i *)(void *)g->at, _mm_mullo_epi32(places, all_lanes(values->column->stride)));
    RF_WIRE_IN_MEMORY(g->at);
    g->handles = _mm_add_epi32(places, all_lanes(values->first));
}

FORCE bool find_changed(group *g, const rf_wire_values *values, __m128 stamps) {
    g->changed = at_least(as_integers(stamps), all_lanes(values->since));
    return !none(g->changed);
}

FORCE void put_nothing(rf_wire_codes *out, uint32_t i) {
    memset(&out->len[i], 0, 4);
}

// A cell is its stamp, three numbers, and the link.
TARGET static void steps(const rf_quantiser *quantiser, const rf_wire_values *values, rf_wire_codes *out) {
    const step_lanes with = {_mm256_set1_pd(quantiser->min), _mm256_set1_pd(quantiser->per_step),
                             all_lanes(quantiser->most)};
    const rf_wire_layout in = rf_wire_layout_of(quantiser, values->since > 0, 0);
    for (uint32_t i = 0; i < values->places->count; i += 4) {
        __m128i known = _mm_setzero_si128();
        __m128 v[8], before[4] = {0};
        four now, was;
        group g;
        open_group(&g, values, i);
        load(values->cells, g.at, v);
        if (!find_changed(&g, values, v[0])) {
            put_nothing(out, i);
            continue;
        }
        now = was = to_steps(v + 1, &with);
        if (in.update) known = find_before(values, g.handles, as_integers(v[4]), g.changed, before);
        if (!none(known)) was = to_steps(before, &with);
        choose(out, i, &now, &was, g.changed, known, &in);
    }
}

// A cell is its stamp, four numbers, and the link.
TARGET static void quaternions(const rf_quantiser *quantiser, const rf_wire_values *values, rf_wire_codes *out) {
    const quaternion_lanes with = {_mm256_set1_pd(quantiser->per_step), _mm256_set1_pd(quantiser->half_up)};
    const rf_wire_layout in = rf_wire_layout_of(quantiser, values->since > 0, 2);
    for (uint32_t i = 0; i < values->places->count; i += 4) {
        __m128i known = _mm_setzero_si128();
        __m128 v[8], before[4] = {0};
        quaternion is, was_one;
        four now, was;
        group g;
        open_group(&g, values, i);
        load(values->cells, g.at, v);
        if (!find_changed(&g, values, v[0])) {
            put_nothing(out, i);
            continue;
        }
        is = quaternion_of(v + 1);
        now = was = to_smallest_three(v + 1, &is, &with);
        if (in.update) known = find_before(values, g.handles, as_integers(v[5]), g.changed, before);
        if (!none(known)) {
            was_one = quaternion_of(before);
            known = _mm_and_si128(known, _mm_and_si128(was_one.ok, _mm_cmpeq_epi32(is.index, was_one.index)));
            if (!none(known)) was = to_smallest_three(before, &was_one, &with);
        }
        choose(out, i, &now, &was, g.changed, known, &in);
    }
}

static bool available(void) {
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi") && __builtin_cpu_supports("bmi2") &&
           __builtin_cpu_supports("popcnt");
}

#include "wire_page.inl"

const rf_wire_ops rf_wire_ops_avx2 = {"avx2", available, put_even, NULL, steps, quaternions};
#endif
