// wire_values_avx512.c: encodes eight entities at a time. Like wire_values_avx2.c, with masks for decisions, and with
// shortcuts for consecutive cells and for values that have changed a lot.
#include "frame/wire_numbers.h"
#include "wire_values_simd.h"

#if RF_SIMD_X86
#include <immintrin.h>

#define TARGET __attribute__((target("avx2,bmi,bmi2,popcnt,avx512f,avx512vl,avx512cd,avx512dq,avx512bw")))
#define FORCE TARGET static inline __attribute__((always_inline))

// The integers of eight values, as wide as the doubles they come from. ok: a bit per value that has integers. index: of
// a quaternion.
typedef struct eight {
    __m512i numbers[3];
    __m256i index;
    __mmask8 ok;
} eight;

typedef struct step_lanes {
    __m512d min, per_step;
    __m512i most;
} step_lanes;

typedef struct quaternion_lanes {
    __m512d per_step, half_up;
} quaternion_lanes;

// ---- what stands in cells and in the log ------------------------------------------------------------

FORCE __m512 load_two(const uint8_t *low, const uint8_t *high) {
    return _mm512_insertf32x8(_mm512_castps256_ps512(_mm256_loadu_ps((const float *)(const void *)low)),
                              _mm256_loadu_ps((const float *)(const void *)high), 1);
}

// Transposes eight rows of eight 32-bit numbers; each register holds the rows 0 and 4, 1 and 5, 2 and 6, or 3 and 7.
FORCE void transpose(const __m512 rows[4], __m256 v[8]) {
    __m512 low[2], high[2], both[4];
    low[0] = _mm512_unpacklo_ps(rows[0], rows[1]), high[0] = _mm512_unpackhi_ps(rows[0], rows[1]);
    low[1] = _mm512_unpacklo_ps(rows[2], rows[3]), high[1] = _mm512_unpackhi_ps(rows[2], rows[3]);
    both[0] = _mm512_shuffle_ps(low[0], low[1], _MM_SHUFFLE(1, 0, 1, 0));
    both[1] = _mm512_shuffle_ps(low[0], low[1], _MM_SHUFFLE(3, 2, 3, 2));
    both[2] = _mm512_shuffle_ps(high[0], high[1], _MM_SHUFFLE(1, 0, 1, 0));
    both[3] = _mm512_shuffle_ps(high[0], high[1], _MM_SHUFFLE(3, 2, 3, 2));
    for (int i = 0; i < 4; i++) {
        v[i] = _mm512_castps512_ps256(_mm512_shuffle_f32x4(both[i], both[i], _MM_SHUFFLE(2, 0, 2, 0)));
        v[i + 4] = _mm512_castps512_ps256(_mm512_shuffle_f32x4(both[i], both[i], _MM_SHUFFLE(3, 1, 3, 1)));
    }
}

// Loads 32 bytes from each of eight addresses and transposes them to eight vectors of eight 32-bit numbers.
FORCE void load(const uint8_t *from, const uint32_t at[8], __m256 v[8]) {
    __m512 rows[4];
    for (int i = 0; i < 4; i++) rows[i] = load_two(from + at[i], from + at[i + 4]);
    transpose(rows, v);
}

// The same for equidistant addresses, which then need not go through memory.
FORCE void load_next(const uint8_t *from, size_t stride, __m256 v[8]) {
    __m512 rows[4];
    for (unsigned i = 0; i < 4; i++) rows[i] = load_two(from + i * stride, from + (i + 4) * stride);
    transpose(rows, v);
}

FORCE __m256i as_integers(__m256 lanes) {
    return _mm256_castps_si256(lanes);
}

FORCE __m256i all_lanes(uint32_t number) {
    return _mm256_set1_epi32((int)number);
}

// Loads the log's entries with these indices; at: their offsets. Entities that were updated in order have consecutive
// entries.
FORCE void load_entries(const rf_value_log *log, __m256i indices, uint32_t at[8], __m256 entry[8]) {
    const __m256i first = _mm256_broadcastd_epi32(_mm256_castsi256_si128(indices));
    const __m256i next = _mm256_add_epi32(first, _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
    const size_t size = log->entry_size;
    _mm256_storeu_si256((__m256i *)(void *)at, _mm256_mullo_epi32(indices, all_lanes((uint32_t)size)));
    if (_mm256_cmpeq_epi32_mask(indices, next) == 0xff) {
        load_next(log->entries + (uint32_t)_mm_cvtsi128_si32(_mm256_castsi256_si128(indices)) * size, size, entry);
    } else {
        RF_WIRE_IN_MEMORY(*(uint32_t(*)[8])at);
        load(log->entries, at, entry);
    }
}

// rf_value_log_before for eight entities: the values of those of `lanes` that it knows.
FORCE __mmask8 find_before(const rf_wire_values *values, __m256i handles, __m256i links, __mmask8 lanes,
                           __m256 was[4]) {
    const rf_value_log *log = &values->column->log;
    const __m256i since = all_lanes(values->since);
    uint32_t at[8];
    __mmask8 known, newer;
    __m256 entry[8]; // stamp, until, previous, handle, the value
    lanes =
        _mm256_mask_cmplt_epu32_mask(lanes, _mm256_sub_epi32(all_lanes(log->written), links), all_lanes(log->length));
    lanes = _mm256_mask_test_epi32_mask(lanes, links, links);
    if (lanes == 0) return 0;
    load_entries(log, _mm256_and_si256(links, all_lanes(log->mask)), at, entry);
    lanes = _mm256_mask_cmpeq_epi32_mask(lanes, as_integers(entry[3]), handles);
    known = _mm256_mask_cmplt_epu32_mask(lanes, as_integers(entry[0]), since);
    newer = lanes & (__mmask8)~known;
    known = _mm256_mask_cmpge_epu32_mask(known, as_integers(entry[1]), since);
    if (newer != 0) {
        uint32_t numbers[8], whose[8];
        _mm256_storeu_si256((__m256i *)(void *)numbers, as_integers(entry[2]));
        _mm256_storeu_si256((__m256i *)(void *)whose, handles);
        for (uint32_t left = newer; left != 0; left &= left - 1) {
            uint32_t lane = rf_low_bit(left);
            if (rf_wire_older_entry(values, whose[lane], numbers[lane], &at[lane])) known |= (__mmask8)(1u << lane);
        }
        load(log->entries, at, entry);
    }
    for (int i = 0; i < 4; i++) was[i] = entry[i + 4];
    return known;
}

// ---- integers ---------------------------------------------------------------------------------------

FORCE eight to_steps(const __m256 v[3], const step_lanes *with) {
    eight out = {.index = _mm256_setzero_si256()};
    __m512i largest;
    for (int i = 0; i < 3; i++) {
        __m512d step = _mm512_mul_pd(_mm512_sub_pd(_mm512_cvtps_pd(v[i]), with->min), with->per_step);
        step = _mm512_add_pd(step, _mm512_set1_pd(0.5));
        // Rounds down, so that values below 0 become negative. A value that is no 64-bit integer becomes -2^63. As
        // unsigned numbers, neither is at most `most`.
        out.numbers[i] = _mm512_cvt_roundpd_epi64(step, _MM_FROUND_TO_NEG_INF | _MM_FROUND_NO_EXC);
    }
    largest = _mm512_max_epu64(_mm512_max_epu64(out.numbers[0], out.numbers[1]), out.numbers[2]);
    out.ok = _mm512_cmple_epu64_mask(largest, with->most);
    return out;
}

// The factor 1 / sqrt(sum), scaled, with the sign of the largest number.
FORCE __m512d quaternion_scale(__m512d sum, __m256 largest, const quaternion_lanes *with) {
    __m512d inverse = _mm512_sub_pd(_mm512_set1_pd(1.25), _mm512_mul_pd(sum, _mm512_set1_pd(0.375)));
    __mmask8 negative = _mm256_movepi32_mask(_mm256_castps_si256(largest));
    inverse = _mm512_sub_pd(_mm512_set1_pd(1.875), _mm512_mul_pd(sum, inverse));
    inverse = _mm512_mul_pd(inverse, with->per_step);
    return _mm512_mask_xor_pd(inverse, negative, inverse, _mm512_set1_pd(-0.0));
}

// The first properties of a quaternion. Two quaternions with different indices need no further comparison.
typedef struct quaternion {
    __m512d wide[4]; // its numbers
    __m512d sum;
    __m256 largest;
    __m256i index;
    __mmask8 ok;
} quaternion;

FORCE quaternion quaternion_of(const __m256 v[4]) {
    __m256 most = _mm256_andnot_ps(_mm256_set1_ps(-0.0F), v[0]);
    quaternion out = {.largest = v[0], .index = _mm256_setzero_si256()};
    out.wide[0] = _mm512_cvtps_pd(v[0]);
    out.sum = _mm512_mul_pd(out.wide[0], out.wide[0]);
    for (int i = 1; i < 4; i++) {
        __m256 size = _mm256_andnot_ps(_mm256_set1_ps(-0.0F), v[i]);
        __mmask8 bigger = _mm256_cmp_ps_mask(size, most, _CMP_GT_OQ);
        most = _mm256_max_ps(size, most);
        out.largest = _mm256_mask_mov_ps(out.largest, bigger, v[i]);
        out.index = _mm256_mask_mov_epi32(out.index, bigger, _mm256_set1_epi32(i));
        out.wide[i] = _mm512_cvtps_pd(v[i]);
        out.sum = _mm512_add_pd(out.sum, _mm512_mul_pd(out.wide[i], out.wide[i]));
    }
    out.ok = _mm512_cmp_pd_mask(out.sum, _mm512_set1_pd(63.0 / 64), _CMP_GE_OQ);
    out.ok = _mm512_mask_cmp_pd_mask(out.ok, out.sum, _mm512_set1_pd(65.0 / 64), _CMP_LE_OQ);
    return out;
}

// Without the bounds that quantise.h keeps: where ok, a number that stays is at most sqrt(1/2) of the length, so a step
// is more than -1 and less than one above the last, and what is cut off is the same.
FORCE eight to_smallest_three(const quaternion *of, const quaternion_lanes *with) {
    const __m512d scale = quaternion_scale(of->sum, of->largest, with);
    eight out = {.index = of->index, .ok = of->ok};
    for (int i = 0; i < 3; i++) {
        // Position i of the rest has number i, or the next one if the largest comes at or before it.
        __mmask8 behind = _mm256_cmpgt_epi32_mask(out.index, _mm256_set1_epi32(i));
        __m512d step = _mm512_mask_mov_pd(of->wide[i + 1], behind, of->wide[i]);
        step = _mm512_add_pd(_mm512_mul_pd(step, scale), with->half_up);
        out.numbers[i] = _mm512_cvttpd_epi64(step);
    }
    return out;
}

// ---- bits -------------------------------------------------------------------------------------------

FORCE __m512i widen(__m256i numbers) {
    return _mm512_cvtepu32_epi64(numbers);
}

FORCE __m512i shifted(__m256i numbers, unsigned bits) {
    return _mm512_sll_epi64(widen(numbers), _mm_cvtsi32_si128((int)bits));
}

// The encodings of eight values.
typedef struct eight_codes {
    __m512i bits;
    __m256i len;
} eight_codes;

// A layout as vectors.
typedef struct whole_lanes {
    __m512i head, index_at, numbers_at[3];
    __m256i len;
} whole_lanes;

FORCE whole_lanes whole_of(const rf_wire_layout *in) {
    whole_lanes out = {.head = _mm512_set1_epi64((long long)in->whole_head),
                       .index_at = _mm512_set1_epi64((long long)(in->whole_place - in->index_bits)),
                       .len = all_lanes(in->whole_place + 3 * in->bits)};
    for (unsigned i = 0; i < 3; i++) out.numbers_at[i] = _mm512_set1_epi64((long long)(in->whole_place + i * in->bits));
    return out;
}

FORCE eight_codes whole_codes(const eight *now, const whole_lanes *in) {
    eight_codes out = {_mm512_or_si512(in->head, _mm512_sllv_epi64(widen(now->index), in->index_at)), in->len};
    for (unsigned i = 0; i < 3; i++)
        out.bits = _mm512_or_si512(out.bits, _mm512_sllv_epi64(now->numbers[i], in->numbers_at[i]));
    return out;
}

typedef struct deltas {
    __m256i zigzags[3], width, len;
    __mmask8 changed[3], same;
} deltas;

FORCE deltas find_deltas(const eight *now, const eight *was, const rf_wire_layout *in) {
    __m256i all = _mm256_setzero_si256();
    deltas out;
    for (int i = 0; i < 3; i++) {
        __m256i step = _mm512_cvtepi64_epi32(_mm512_sub_epi64(now->numbers[i], was->numbers[i]));
        out.zigzags[i] = _mm256_xor_si256(_mm256_slli_epi32(step, 1), _mm256_srai_epi32(step, 31));
        out.changed[i] = _mm256_test_epi32_mask(out.zigzags[i], out.zigzags[i]);
        all = _mm256_or_si256(all, out.zigzags[i]);
    }
    out.width = _mm256_sub_epi32(_mm256_set1_epi32(32), _mm256_lzcnt_epi32(all));
    out.same = _mm256_testn_epi32_mask(all, all);
    out.len = all_lanes(in->flags_at + 3);
    for (int i = 0; i < 3; i++) out.len = _mm256_mask_add_epi32(out.len, out.changed[i], out.len, out.width);
    return out;
}

FORCE __m512i delta_bits(const deltas *delta, const eight *now, const rf_wire_layout *in) {
    __m256i at = all_lanes(in->flags_at + 3), width = _mm256_sub_epi32(delta->width, _mm256_set1_epi32(1));
    __m512i out = _mm512_or_si512(shifted(now->index, 1), shifted(width, in->flags_at - RF_WIRE_DELTA_WIDTH_BITS));
    for (unsigned i = 0; i < 3; i++) {
        __m512i flag = _mm512_set1_epi64(1LL << (in->flags_at + i));
        out = _mm512_or_si512(out, _mm512_sllv_epi64(widen(delta->zigzags[i]), widen(at)));
        out = _mm512_mask_or_epi64(out, delta->changed[i], out, flag);
        at = _mm256_mask_add_epi32(at, delta->changed[i], at, delta->width);
    }
    return out;
}

// For the values of `known`: a delta if it is shorter, and nothing if nothing changed.
FORCE eight_codes shorter_codes(eight_codes whole, const eight *now, const eight *was, __mmask8 known,
                                const rf_wire_layout *in) {
    const deltas delta = find_deltas(now, was, in);
    __mmask8 shorter = _mm256_mask_cmplt_epi32_mask(known, delta.len, whole.len);
    shorter = _mm256_mask_cmplt_epi32_mask(shorter, delta.width, all_lanes(RF_WIRE_DELTA_BITS + 1));
    if (shorter != 0) {
        whole.bits = _mm512_mask_mov_epi64(whole.bits, shorter, delta_bits(&delta, now, in));
        whole.len = _mm256_mask_mov_epi32(whole.len, shorter, delta.len);
    }
    whole.len = _mm256_mask_mov_epi32(whole.len, known & delta.same, _mm256_setzero_si256());
    return whole;
}

// ok: the values that have integers; lanes: the values to encode.
FORCE void put(rf_wire_codes *out, uint32_t i, eight_codes it, __mmask8 ok, __mmask8 lanes) {
    it.len = _mm256_mask_mov_epi32(all_lanes(RF_WIRE_VALUE_RAW), ok, it.len);
    it.len = _mm256_maskz_mov_epi32(lanes, it.len);
    _mm512_storeu_si512(&out->bits[i], it.bits);
    _mm_storel_epi64((__m128i *)(void *)&out->len[i], _mm256_cvtepi32_epi8(it.len));
}

// ---- components -------------------------------------------------------------------------------------

// The data of a page's entities, eight at a time: which of them are encoded, their values, and the previous values of
// those of `known`. Loaded for all entities before any computation, so that no computation waits for memory.
#define GROUPS (RF_PAGE_SIZE / 8)
typedef struct groups {
    __m256 now[GROUPS][4], was[GROUPS][4];
    __mmask8 changed[GROUPS], known[GROUPS];
} groups;

FORCE void load_cells(const rf_wire_values *values, uint32_t i, __m256i places, __m256 v[8]) {
    const uint8_t *at = &values->places->at[i];
    const size_t stride = values->column->stride;
    if (rf_load64(at) - UINT64_C(0x0101010101010101) * at[0] == UINT64_C(0x0706050403020100)) {
        load_next(values->cells + at[0] * stride, stride, v);
    } else {
        uint32_t offsets[8];
        _mm256_storeu_si256((__m256i *)(void *)offsets, _mm256_mullo_epi32(places, all_lanes((uint32_t)stride)));
        RF_WIRE_IN_MEMORY(offsets);
        load(values->cells, offsets, v);
    }
}

// A cell is its stamp, three or four numbers, and the link.
FORCE void find_all(groups *all, const rf_wire_values *values, int numbers) {
    __m256i handles[GROUPS], links[GROUPS];
    const uint32_t count = values->places->count;
    for (uint32_t i = 0, k = 0; i < count; i += 8, k++) {
        __m256i places = _mm256_cvtepu8_epi32(_mm_loadl_epi64((const __m128i *)(const void *)&values->places->at[i]));
        __m256 v[8];
        load_cells(values, i, places, v);
        for (int n = 0; n < numbers; n++) all->now[k][n] = v[n + 1];
        links[k] = as_integers(v[numbers + 1]);
        handles[k] = _mm256_add_epi32(places, all_lanes(values->first));
        all->changed[k] = _mm256_cmpge_epu32_mask(as_integers(v[0]), all_lanes(values->since));
        all->known[k] = 0;
    }
    if (values->since == 0) return;
    for (uint32_t i = 0, k = 0; i < count; i += 8, k++)
        if (all->changed[k] != 0)
            all->known[k] = find_before(values, handles[k], links[k], all->changed[k], all->was[k]);
}

// If a value has certainly changed a lot, its previous integers are not needed: a delta can only be shorter if all
// three of its numbers are small, or one of them did not change.
typedef struct reach {
    __m256 change; // a number that differs by this much gives another integer,
    __m256 delta;  // and by this much, its delta is too long if all three changed
} reach;

// The largest difference of integers for which a delta of all three numbers is shorter.
FORCE double longest_delta(const rf_wire_layout *in) {
    const unsigned whole = in->whole_place + 3 * in->bits, head = in->flags_at + 3;
    const unsigned width = whole > head ? (whole - 1 - head) / 3 : 0;
    return (double)((1u << (width < RF_WIRE_DELTA_BITS ? width : RF_WIRE_DELTA_BITS)) / 2);
}

// Rounding changes a number by less than one integer, and the relative error of a difference in binary32 is below
// 2^-20. If steps are too small or too large for that, both numbers are rounded alike, and only equal numbers are near.
FORCE reach reach_of(const rf_quantiser *quantiser, const rf_wire_layout *in) {
    return (reach){_mm256_set1_ps((float)(1.01 * quantiser->step)),
                   _mm256_set1_ps((float)(1.01 * (longest_delta(in) + 1) * quantiser->step))};
}

FORCE __mmask8 is_near(const __m256 differences[3], const reach *within) {
    __m256 size[3], least, most;
    for (int i = 0; i < 3; i++) size[i] = _mm256_andnot_ps(_mm256_set1_ps(-0.0F), differences[i]);
    least = _mm256_min_ps(_mm256_min_ps(size[0], size[1]), size[2]);
    most = _mm256_max_ps(_mm256_max_ps(size[0], size[1]), size[2]);
    return _mm256_cmp_ps_mask(least, within->change, _CMP_LE_OQ) | _mm256_cmp_ps_mask(most, within->delta, _CMP_LE_OQ);
}

FORCE void put_nothing(rf_wire_codes *out, uint32_t i) {
    memset(&out->len[i], 0, 8);
}

FORCE __mmask8 steps_are_near(const __m256 now[3], const __m256 was[3], const reach *within) {
    __m256 differences[3];
    for (int i = 0; i < 3; i++) differences[i] = _mm256_sub_ps(now[i], was[i]);
    return is_near(differences, within);
}

TARGET static void steps(const rf_quantiser *quantiser, const rf_wire_values *values, rf_wire_codes *out) {
    const step_lanes with = {_mm512_set1_pd(quantiser->min), _mm512_set1_pd(quantiser->per_step),
                             _mm512_set1_epi64(quantiser->most)};
    const rf_wire_layout in = rf_wire_layout_of(quantiser, values->since > 0, 0);
    const reach within = reach_of(quantiser, &in);
    const whole_lanes whole = whole_of(&in);
    groups all;
    find_all(&all, values, 3);
    for (uint32_t i = 0, k = 0; i < values->places->count; i += 8, k++) {
        __mmask8 known = all.known[k];
        eight now;
        eight_codes it;
        if (all.changed[k] == 0) {
            put_nothing(out, i);
            continue;
        }
        now = to_steps(all.now[k], &with);
        it = whole_codes(&now, &whole);
        if (known != 0) known &= steps_are_near(all.now[k], all.was[k], &within);
        if (known != 0) {
            eight was = to_steps(all.was[k], &with);
            it = shorter_codes(it, &now, &was, known & was.ok, &in);
        }
        put(out, i, it, now.ok, all.changed[k]);
    }
}

// Squared lengths are 63/64 to 65/64, and the numbers that are sent at most sqrt(1/2) of the length: so those of the
// same rotation differ by less than 0.0112.
FORCE reach reach_of_quaternion(const rf_quantiser *quantiser, const rf_wire_layout *in) {
    return (reach){_mm256_set1_ps((float)(1.01 * quantiser->step + 0.012)),
                   _mm256_set1_ps((float)(1.01 * (longest_delta(in) + 1) * quantiser->step + 0.012))};
}

// Compares the numbers that are sent with those of the previous quaternion or of its negative (the same rotation),
// whichever is nearer. They may also differ because another number was the largest.
FORCE __mmask8 quaternions_are_near(const __m256 now[4], const quaternion *is, const __m256 was[4],
                                    const reach *within) {
    const __m256 sign = _mm256_set1_ps(-0.0F);
    __m256 most = _mm256_andnot_ps(sign, was[0]), same = was[0], opposite, differences[3];
    for (int i = 1; i < 4; i++) {
        most = _mm256_max_ps(most, _mm256_andnot_ps(sign, was[i]));
        same = _mm256_mask_mov_ps(same, _mm256_cmpeq_epi32_mask(is->index, all_lanes((uint32_t)i)), was[i]);
    }
    opposite = _mm256_and_ps(sign, _mm256_xor_ps(same, is->largest));
    for (int i = 0; i < 3; i++) {
        __mmask8 behind = _mm256_cmpgt_epi32_mask(is->index, all_lanes((uint32_t)i));
        __m256 before = _mm256_xor_ps(opposite, _mm256_mask_mov_ps(was[i + 1], behind, was[i]));
        differences[i] = _mm256_sub_ps(_mm256_mask_mov_ps(now[i + 1], behind, now[i]), before);
    }
    return _mm256_cmp_ps_mask(_mm256_andnot_ps(sign, same), most, _CMP_GE_OQ) & is_near(differences, within);
}

TARGET static void quaternions(const rf_quantiser *quantiser, const rf_wire_values *values, rf_wire_codes *out) {
    const quaternion_lanes with = {_mm512_set1_pd(quantiser->per_step), _mm512_set1_pd(quantiser->half_up)};
    const rf_wire_layout in = rf_wire_layout_of(quantiser, values->since > 0, 2);
    const reach within = reach_of_quaternion(quantiser, &in);
    const whole_lanes whole = whole_of(&in);
    groups all;
    find_all(&all, values, 4);
    for (uint32_t i = 0, k = 0; i < values->places->count; i += 8, k++) {
        __mmask8 known = all.known[k];
        quaternion is;
        eight now;
        eight_codes it;
        if (all.changed[k] == 0) {
            put_nothing(out, i);
            continue;
        }
        is = quaternion_of(all.now[k]);
        now = to_smallest_three(&is, &with);
        it = whole_codes(&now, &whole);
        if (known != 0) known &= quaternions_are_near(all.now[k], &is, all.was[k], &within);
        if (known != 0) {
            quaternion before = quaternion_of(all.was[k]);
            eight was = to_smallest_three(&before, &with);
            known &= was.ok & _mm256_cmpeq_epi32_mask(now.index, was.index);
            it = shorter_codes(it, &now, &was, known, &in);
        }
        put(out, i, it, now.ok, all.changed[k]);
    }
}

#include "wire_page.inl"

// ---- two encoded values per entity ------------------------------------------------------------------

// The prefix sums of the lanes.
FORCE __m512i running_sums(__m512i lanes) {
    const __m512i zero = _mm512_setzero_si512();
    lanes = _mm512_add_epi64(lanes, _mm512_alignr_epi64(lanes, zero, 7));
    lanes = _mm512_add_epi64(lanes, _mm512_alignr_epi64(lanes, zero, 6));
    return _mm512_add_epi64(lanes, _mm512_alignr_epi64(lanes, zero, 4));
}

FORCE __m512i bytes_of(const uint8_t *bytes) {
    return _mm512_cvtepu8_epi64(_mm_loadl_epi64((const __m128i *)(const void *)bytes));
}

// Up to 128 bits, as two numbers, the low one first.
typedef struct long_bits {
    __m512i low, high, len;
} long_bits;

// len + more.len <= 128
FORCE long_bits followed_by(long_bits bits, __m512i more, __m512i more_len) {
    const __m512i all = _mm512_set1_epi64(64);
    bits.low = _mm512_or_si512(bits.low, _mm512_sllv_epi64(more, bits.len)); // 0 for shifts of 64 and more
    bits.high = _mm512_or_si512(bits.high, _mm512_srlv_epi64(more, _mm512_sub_epi64(all, bits.len)));
    bits.high = _mm512_or_si512(bits.high, _mm512_sllv_epi64(more, _mm512_sub_epi64(bits.len, all)));
    bits.len = _mm512_add_epi64(bits.len, more_len);
    return bits;
}

FORCE void store_bits(uint8_t *to, long_bits bits, const uint64_t at[8], uint32_t count) {
    __m512i even = _mm512_unpacklo_epi64(bits.low, bits.high), odd = _mm512_unpackhi_epi64(bits.low, bits.high);
    uint64_t pairs[8][2];
    if (count < 8) {
        for (int i = 0; i < 8; i += 2) {
            _mm_storeu_si128((__m128i *)(void *)pairs[i], _mm512_castsi512_si128(even));
            _mm_storeu_si128((__m128i *)(void *)pairs[i + 1], _mm512_castsi512_si128(odd));
            even = _mm512_alignr_epi64(even, even, 2), odd = _mm512_alignr_epi64(odd, odd, 2);
        }
        for (uint32_t i = 0; i < count; i++) memcpy(to + at[i], pairs[i], sizeof pairs[i]);
        return;
    }
    _mm_storeu_si128((__m128i *)(void *)(to + at[0]), _mm512_castsi512_si128(even));
    _mm_storeu_si128((__m128i *)(void *)(to + at[1]), _mm512_castsi512_si128(odd));
    _mm_storeu_si128((__m128i *)(void *)(to + at[2]), _mm512_extracti64x2_epi64(even, 1));
    _mm_storeu_si128((__m128i *)(void *)(to + at[3]), _mm512_extracti64x2_epi64(odd, 1));
    _mm_storeu_si128((__m128i *)(void *)(to + at[4]), _mm512_extracti64x2_epi64(even, 2));
    _mm_storeu_si128((__m128i *)(void *)(to + at[5]), _mm512_extracti64x2_epi64(odd, 2));
    _mm_storeu_si128((__m128i *)(void *)(to + at[6]), _mm512_extracti64x2_epi64(even, 3));
    _mm_storeu_si128((__m128i *)(void *)(to + at[7]), _mm512_extracti64x2_epi64(odd, 3));
}

TARGET static void put_pairs(rf_wire_out *out, const rf_wire_codes *one, const rf_wire_codes *two,
                             const rf_wire_places *places, uint32_t i, uint32_t step) {
    const __m512i seven = _mm512_set1_epi64(7), zero = _mm512_setzero_si512();
    uint8_t *to = out->buf.data + out->buf.len;
    __m512i before = _mm512_set1_epi64((long long)out->held);
    uint64_t bit = out->count, mask, last = (uint8_t)(places->at[i] - step);
    for (; i < places->count; i += 8) {
        const uint32_t left = places->count - i < 8 ? places->count - i : 8;
        const uint64_t current = rf_load64(&places->at[i]);
        __m512i steps = _mm512_cvtepu8_epi64(
            _mm_sub_epi8(_mm_cvtsi64_si128((long long)current), _mm_cvtsi64_si128((long long)(current << 8 | last))));
        __m512i ends, from, tail, at;
        __mmask8 far = _mm512_cmpgt_epi64_mask(steps, seven);
        uint64_t offsets[8], lens[8];
        long_bits bits = {steps, zero, _mm512_set1_epi64(HEAD_BITS)};
        steps = _mm512_or_si512(_mm512_and_si512(steps, seven), _mm512_slli_epi64(_mm512_srli_epi64(steps, 3), 4));
        bits.low = _mm512_mask_or_epi64(bits.low, far, steps, _mm512_set1_epi64(8));
        bits.len = _mm512_mask_mov_epi64(bits.len, far, _mm512_set1_epi64(HEAD_BITS + 4));
        bits = followed_by(bits, _mm512_loadu_si512(&one->bits[i]), bytes_of(&one->len[i]));
        bits = followed_by(bits, _mm512_loadu_si512(&two->bits[i]), bytes_of(&two->len[i]));
        ends = running_sums(bits.len);
        at = _mm512_add_epi64(_mm512_sub_epi64(ends, bits.len), _mm512_set1_epi64((long long)bit));
        _mm512_storeu_si512(lens, ends);
        RF_WIRE_IN_MEMORY(lens);
        _mm512_storeu_si512(offsets, _mm512_srli_epi64(at, 3));
        RF_WIRE_IN_MEMORY(offsets);
        from = _mm512_and_si512(at, seven);
        bits.high = _mm512_or_si512(_mm512_sllv_epi64(bits.high, from),
                                    _mm512_srlv_epi64(bits.low, _mm512_sub_epi64(_mm512_set1_epi64(64), from)));
        bits.low = _mm512_sllv_epi64(bits.low, from);
        // The bits of an incomplete last byte go into the first byte of the next one.
        from = _mm512_andnot_si512(seven, _mm512_add_epi64(from, bits.len));
        tail = _mm512_or_si512(_mm512_srlv_epi64(bits.low, from),
                               _mm512_srlv_epi64(bits.high, _mm512_sub_epi64(from, _mm512_set1_epi64(64))));
        bits.low = _mm512_or_si512(bits.low, _mm512_alignr_epi64(tail, before, 7));
        before = tail;
        store_bits(to, bits, offsets, left);
        bit += lens[left - 1];
        to += bit / 8;
        bit %= 8;
        last = current >> 56;
    }
    mask = (UINT64_C(1) << bit) - 1;
    out->buf.len = (size_t)(to - out->buf.data);
    out->count = (unsigned)bit;
    out->held = bit > 0 ? *to & mask : 0;
}

static bool available(void) {
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") &&
           __builtin_cpu_supports("avx512cd") && __builtin_cpu_supports("avx512dq") &&
           __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("bmi") && __builtin_cpu_supports("bmi2") &&
           __builtin_cpu_supports("popcnt");
}

const rf_wire_ops rf_wire_ops_avx512 = {"avx512", available, put_even, put_pairs, steps, quaternions};
#endif
