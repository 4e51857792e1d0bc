#include "number.h"

#include <string.h>

#include "pow10_table.h"
#include <math.h>

#define F64_HIDDEN_BIT (UINT64_C(1) << 52)
#define F64_INFINITY (UINT64_C(0x7ff) << 52)
#define F32_HIDDEN_BIT (UINT32_C(1) << 23)

static uint64_t f64_bits(double value) {
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

static double f64_from_bits(uint64_t bits) {
    double value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

// Returns the low half of the product.
static uint64_t multiply(uint64_t a, uint64_t b, uint64_t *high) {
#ifdef __SIZEOF_INT128__
    __extension__ unsigned __int128 product = (unsigned __int128)a * b;
    *high = (uint64_t)(product >> 64);
    return (uint64_t)product;
#else
    uint64_t ah = a >> 32, al = (uint32_t)a, bh = b >> 32, bl = (uint32_t)b;
    uint64_t middle = ah * bl + (al * bl >> 32), middle2 = al * bh + (uint32_t)middle;
    *high = ah * bh + (middle >> 32) + (middle2 >> 32);
    return a * b;
#endif
}

// The largest n with 2^n <= 10^power.
static int32_t floor_log2_pow10(int32_t power) {
    return (power * 1741647) >> 19;
}

// ---- Text to binary64
//
// Few digits: William D. Clinger, "How to Read Floating Point Numbers Accurately", 1990. Up to 19 digits: Daniel
// Lemire, "Number Parsing at a Gigabyte per Second", 2021, which never needs a fallback: Noble Mushtak and Daniel
// Lemire, "Fast Number Parsing Without Fallback", 2022. More digits: both neighbours, and if they differ, big integers.

static double clinger(uint64_t digits, int64_t exponent) {
    static const double pow10[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
                                   1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
    return exponent < 0 ? (double)digits / pow10[-exponent] : (double)digits * pow10[exponent];
}

// digits × 10^exponent, where the first bit of digits is set: the upper 64 bits, and in *low the next ones, as far as
// rounding needs them.
static uint64_t eisel_lemire_product(uint64_t digits, int32_t exponent, uint64_t *low) {
    uint64_t high, high2, power = rf_pow10_table[exponent - RF_POW10_FIRST].high;
    *low = multiply(digits, power, &high);
    if ((high & 0x1ff) == 0x1ff) {
        // The paper needs these powers rounded down.
        bool floor = exponent < -27 || exponent > 55;
        multiply(digits, rf_pow10_table[exponent - RF_POW10_FIRST].low - floor, &high2);
        *low += high2;
        if (high2 > *low) high++;
    }
    return high;
}

static uint64_t eisel_lemire(uint64_t digits, int64_t wide_exponent) {
    int32_t exponent = (int32_t)wide_exponent, zeros, exponent2, drop;
    uint64_t high, low, mantissa;
    if (wide_exponent < RF_POW10_FIRST) return 0;
    if (wide_exponent > 308) return F64_INFINITY;
    zeros = __builtin_clzll(digits);
    high = eisel_lemire_product(digits << zeros, exponent, &low);
    drop = (int32_t)(high >> 63) + 9; // leaves 54 bits, the last one for rounding
    mantissa = high >> drop;
    exponent2 = floor_log2_pow10(exponent) + drop - 9 - zeros + 1086;
    if (exponent2 <= 0) {
        if (exponent2 <= -63) return 0;
        mantissa >>= 1 - exponent2;
        return (mantissa + (mantissa & 1)) >> 1; // carries into the exponent by itself
    }
    // Exactly halfway, which is possible with these exponents only: ties to even.
    if (low <= 1 && exponent >= -4 && exponent <= 23 && (mantissa & 3) == 1 && mantissa << drop == high) mantissa--;
    mantissa = (mantissa + (mantissa & 1)) >> 1;
    if (mantissa == F64_HIDDEN_BIT << 1) {
        mantissa = F64_HIDDEN_BIT;
        exponent2++;
    }
    if (exponent2 >= 0x7ff) return F64_INFINITY;
    return (uint64_t)exponent2 << 52 | (mantissa & (F64_HIDDEN_BIT - 1));
}

double rf_number_f64(uint64_t digits, int64_t exponent, bool negative) {
    double value;
    if (RF_NUMBER_IEEE && digits <= UINT64_C(1) << 53 && exponent >= -22 && exponent <= 22)
        value = clinger(digits, exponent);
    else
        value = digits == 0 ? 0 : f64_from_bits(eisel_lemire(digits, exponent));
    return negative ? -value : value;
}

// ---- More than 19 digits

// A number halfway between two binary64 never has more significant digits.
#define DECIDING_DIGITS 770
// Enough for DECIDING_DIGITS + 1 digits, and for 5^(324 + DECIDING_DIGITS + 1) × 2^54.
#define BIG_LIMBS 88

typedef struct big {
    uint32_t len;
    uint32_t limbs[BIG_LIMBS]; // lowest first
} big;

static void big_multiply_add(big *number, uint32_t factor, uint32_t carry) {
    for (uint32_t i = 0; i < number->len; i++) {
        uint64_t product = (uint64_t)number->limbs[i] * factor + carry;
        number->limbs[i] = (uint32_t)product;
        carry = (uint32_t)(product >> 32);
    }
    if (carry && number->len < BIG_LIMBS) number->limbs[number->len++] = carry;
}

static void big_multiply_pow5(big *number, int64_t power) {
    for (; power >= 13; power -= 13) big_multiply_add(number, 1220703125, 0);
    for (; power > 0; power--) big_multiply_add(number, 5, 0);
}

static void big_shift(big *number, int64_t bits) {
    uint32_t limbs = (uint32_t)(bits / 32);
    big_multiply_add(number, UINT32_C(1) << (bits % 32), 0);
    if (limbs > BIG_LIMBS - number->len) limbs = BIG_LIMBS - number->len;
    memmove(number->limbs + limbs, number->limbs, number->len * sizeof *number->limbs);
    memset(number->limbs, 0, limbs * sizeof *number->limbs);
    number->len += limbs;
}

static int big_compare(const big *a, const big *b) {
    if (a->len != b->len) return a->len < b->len ? -1 : 1;
    for (uint32_t i = a->len; i-- > 0;)
        if (a->limbs[i] != b->limbs[i]) return a->limbs[i] < b->limbs[i] ? -1 : 1;
    return 0;
}

// Reads digits with an optional point, up to an exponent or the end. Returns how many digits *out has: all, or
// DECIDING_DIGITS and a 1 in place of the rest.
static int64_t big_read(big *out, const char *at, const char *end) {
    int64_t count = 0;
    out->len = 0;
    for (; at < end && *at != 'e' && *at != 'E'; at++) {
        if (*at == '.') continue;
        if (count == DECIDING_DIGITS) {
            if (*at == '0') continue;
            big_multiply_add(out, 10, 1);
            return count + 1;
        }
        big_multiply_add(out, 10, (uint32_t)(*at - '0'));
        count++;
    }
    return count;
}

// Which of two neighbours is nearer to the digits from `first` on; the first of them stands for 10^exponent.
static uint64_t nearer(uint64_t lower, uint64_t upper, const char *first, const char *end, int64_t exponent) {
    uint64_t odd_half = (lower & (F64_HIDDEN_BIT - 1)) * 2 + 1; // halfway is odd_half × 2^exponent2
    int64_t exponent2 = (int64_t)(lower >> 52), shift;
    big digits, halfway = {.len = 2};
    int order;
    exponent -= big_read(&digits, first, end) - 1;
    if (exponent2 > 0)
        odd_half += F64_HIDDEN_BIT * 2;
    else
        exponent2 = 1;
    exponent2 -= 1076;
    halfway.limbs[0] = (uint32_t)odd_half;
    halfway.limbs[1] = (uint32_t)(odd_half >> 32);
    if (halfway.limbs[1] == 0) halfway.len = 1;
    big_multiply_pow5(exponent < 0 ? &halfway : &digits, exponent < 0 ? -exponent : exponent);
    shift = exponent - exponent2;
    big_shift(shift < 0 ? &halfway : &digits, shift < 0 ? -shift : shift);
    order = big_compare(&digits, &halfway);
    return order < 0 || (order == 0 && (lower & 1) == 0) ? lower : upper;
}

static int64_t parse_exponent(const char *at, const char *end) {
    int64_t value = 0;
    bool negative = *at == '-';
    for (at += *at == '-' || *at == '+'; at < end; at++)
        if (value < INT64_MAX / 1000) value = value * 10 + (*at - '0');
    return negative ? -value : value;
}

double rf_number_parse(rf_str text) {
    const char *at = text.data, *end = at + text.len, *first = NULL;
    uint64_t digits = 0, lower, upper;
    int64_t exponent = 0, count = 0;
    bool negative = *at == '-', point = false;
    for (at += negative; at < end && *at != 'e' && *at != 'E'; at++) {
        if (*at == '.') {
            point = true;
            continue;
        }
        if (count == 0 && *at != '0') first = at;
        if (count < RF_NUMBER_DIGITS)
            digits = digits * 10 + (uint64_t)(*at - '0');
        else
            exponent++;
        exponent -= point;
        count += first != NULL;
    }
    if (at < end) exponent += parse_exponent(at + 1, end);
    if (count <= RF_NUMBER_DIGITS) return rf_number_f64(digits, exponent, negative);
    lower = eisel_lemire(digits, exponent);
    upper = eisel_lemire(digits + 1, exponent);
    if (lower != upper) lower = nearer(lower, upper, first, end, exponent + RF_NUMBER_DIGITS - 1);
    return f64_from_bits(lower | (uint64_t)negative << 63);
}

// ---- Binary to the shortest text
//
// Raffaello Giulietti, "The Schubfach way to render doubles", 2020. Names as there: the value is v = c × 2^q,
// the numbers that read back as v lie between vl and vr, and 10^k is the largest power of ten not wider than that. All
// are scaled by 4 × 10^-k and rounded to odd, which keeps every comparison with a multiple of 2 exact.

// floor(log10(2^q)), or of 3/4 × 2^q
static int32_t schubfach_k(int32_t q, bool narrow) {
    return (q * 1262611 - (narrow ? 524031 : 0)) >> 22;
}

static uint64_t scale_f64(uint64_t value, int32_t k) {
    uint64_t low_high, high_high, high_low;
    multiply(rf_pow10_table[-k - RF_POW10_FIRST].low, value, &low_high);
    high_low = multiply(rf_pow10_table[-k - RF_POW10_FIRST].high, value, &high_high);
    high_low += low_high;
    high_high += high_low < low_high;
    return high_high | (high_low > 1);
}

// Handles most numbers in events. Decimals of up to 15 digits are all different binary64, so this is the shortest.
static bool few_decimals(double value, rf_decimal *out) {
    double scaled = value * 1e4;
    if (!RF_NUMBER_IEEE || !(value < 1e11)) return false;
    *out = (rf_decimal){.digits = (uint64_t)(scaled + 0.5), .exponent = -4};
    // Most numbers with more digits are far off, which is detected without a division.
    return fabs(scaled - (double)out->digits) <= scaled * 0x1p-50 && (double)out->digits / 1e4 == value;
}

// The difference of two nearly equal numbers, with FEW_BITS fractional bits, the last of which may be wrong. The
// integer part has at most 6 bits.
#define FEW_BITS 57

static int64_t few_bits(uint64_t whole, uint64_t part) {
    return (int64_t)(whole << FEW_BITS | part >> (64 - FEW_BITS));
}

// Whether it is so close to 0 that its sign is unreliable.
static bool is_doubtful(int64_t few) {
    return few >= -4 && few <= 4;
}

// The result of the full search if the interval is symmetric around the value, so that only the decimals next to the
// value matter: one multiplication instead of three. False: this cannot decide.
static bool quick_f64(uint64_t c, int32_t k, int32_t h, rf_decimal *out) {
    const uint64_t high = rf_pow10_table[-k - RF_POW10_FIRST].high, low = rf_pow10_table[-k - RF_POW10_FIRST].low;
    const int64_t half = few_bits(high >> (63 - h), high << (h + 1) | low >> (63 - h));
    uint64_t carried, whole, part, tens, one, is_tens;
    int64_t off, up;
    multiply(low, (4 * c) << h, &carried);
    part = multiply(high, (4 * c) << h, &whole) + carried;
    whole += part < carried;
    tens = (whole + 20) / 40;
    off = few_bits(whole - 40 * tens, part); // -20 to 20
    off = (off < 0 ? -off : off) - half;
    up = few_bits(whole % 4 - 2, part);
    is_tens = off < 0;
    if (whole < 40 || is_doubtful(off) || (!is_tens & is_doubtful(up))) return false;
    // Which of the two is unpredictable, so there is no branch.
    one = whole / 4 + (up > 0);
    *out = (rf_decimal){.digits = one ^ ((one ^ tens) & (0 - is_tens)), .exponent = k + (int32_t)is_tens};
    return true;
}

// The full search. Rarely needed, and not inlined, to keep the frequent path fast.
__attribute__((noinline)) static rf_decimal search_f64(uint64_t c, bool narrow, bool odd, int32_t k, int32_t h) {
    const uint64_t vl = scale_f64((4 * c - 2 + narrow) << h, k) + odd;
    const uint64_t v = scale_f64((4 * c) << h, k), s = v / 4, tens = s / 10;
    const uint64_t vr = scale_f64((4 * c + 2) << h, k) - odd;
    bool below, above;
    if (tens > 0) {
        below = vl <= 40 * tens;
        above = 40 * tens + 40 <= vr;
        if (below != above) return (rf_decimal){.digits = tens + above, .exponent = k + 1};
    }
    below = vl <= 4 * s;
    above = 4 * s + 4 <= vr;
    if (below == above) above = v > 4 * s + 2 || (v == 4 * s + 2 && (s & 1));
    return (rf_decimal){.digits = s + above, .exponent = k};
}

rf_decimal rf_number_shortest_f64(double value) {
    const uint64_t bits = f64_bits(value), fraction = bits & (F64_HIDDEN_BIT - 1);
    const int32_t biased = (int32_t)(bits >> 52), q = biased > 0 ? biased - 1075 : -1074;
    const uint64_t c = biased > 0 ? fraction | F64_HIDDEN_BIT : fraction;
    const bool narrow = fraction == 0 && biased > 1;
    int32_t k, h;
    rf_decimal few;
    if (value < 0x1p53 && value == (double)(int64_t)value) return (rf_decimal){.digits = (uint64_t)value};
    if (few_decimals(value, &few)) return few;
    k = schubfach_k(q, narrow);
    h = q + floor_log2_pow10(-k) + 1;
    if (!narrow && quick_f64(c, k, h, &few)) return few;
    return search_f64(c, narrow, fraction & 1, k, h);
}

// Scales, with 32 fractional bits, the last of which may be wrong.
static uint64_t scale_f32(uint32_t value, int32_t k) {
    // The upper half of the power, rounded up like the whole.
    uint64_t power = rf_pow10_table[-k - RF_POW10_FIRST].high + (rf_pow10_table[-k - RF_POW10_FIRST].low != 0);
    uint64_t high, low = multiply(power, value, &high);
    return high << 32 | low >> 32;
}

// Whether digits × 10^k, scaled like vl and vr, reads back as the value. Reading via binary64 shifts the ends of the
// interval slightly, so close to them it is decided by really reading it.
static bool reads_back(uint32_t digits, int32_t k, uint64_t scaled, uint64_t vl, uint64_t vr, float value) {
    const uint64_t doubt = 1 << 12;
    if (scaled - vl + doubt <= 2 * doubt || scaled - vr + doubt <= 2 * doubt)
        return (float)rf_number_f64(digits, k, false) == value;
    return (scaled > vl) & (scaled < vr);
}

// As quick_f64.
static bool quick_f32(uint32_t c, int32_t k, int32_t h, rf_decimal *out) {
    const uint64_t power = rf_pow10_table[-k - RF_POW10_FIRST].high + (rf_pow10_table[-k - RF_POW10_FIRST].low != 0);
    const uint64_t doubt = 1 << 12, two = UINT64_C(2) << 32, half = power >> (31 - h);
    uint64_t v = scale_f32((4 * c) << h, k), tens = ((v >> 32) + 20) / 40, at = tens * 40 << 32, one = v >> 34, rest;
    uint64_t distance = v > at ? v - at : at - v;
    if (distance - half + doubt <= 2 * doubt) return false;
    if (distance < half && one >= 10) {
        *out = (rf_decimal){.digits = tens, .exponent = k + 1};
        return true;
    }
    rest = v - (one << 34);
    distance = rest < two ? rest : 2 * two - rest;
    *out = (rf_decimal){.digits = one + (rest > two), .exponent = k};
    return rest - two + doubt > 2 * doubt && distance + doubt < half;
}

rf_decimal rf_number_shortest_f32(float value) {
    uint32_t bits, fraction, c, v, s, tens;
    uint64_t vl, exact, vr;
    int32_t biased, q = -149, k, h;
    bool narrow, below, above;
    rf_decimal quick;
    if (value < 0x1p24f && value == (float)(int32_t)value) return (rf_decimal){.digits = (uint64_t)value};
    memcpy(&bits, &value, sizeof bits);
    biased = (int32_t)(bits >> 23);
    c = fraction = bits & (F32_HIDDEN_BIT - 1);
    narrow = fraction == 0 && biased > 1;
    if (biased > 0) {
        c |= F32_HIDDEN_BIT;
        q = biased - 150;
    }
    k = schubfach_k(q, narrow);
    h = q + floor_log2_pow10(-k) + 1;
    if (!narrow && quick_f32(c, k, h, &quick)) return quick;
    vl = scale_f32((4 * c - 2 + narrow) << h, k);
    exact = scale_f32((4 * c) << h, k);
    vr = scale_f32((4 * c + 2) << h, k);
    v = (uint32_t)(exact >> 32) | ((uint32_t)exact > 1);
    s = v / 4;
    tens = s / 10;
    if (tens > 0) {
        below = reads_back(tens, k + 1, (uint64_t)tens * 40 << 32, vl, vr, value);
        above = reads_back(tens + 1, k + 1, ((uint64_t)tens * 40 + 40) << 32, vl, vr, value);
        if (below != above) return (rf_decimal){.digits = tens + above, .exponent = k + 1};
    }
    below = reads_back(s, k, (uint64_t)s * 4 << 32, vl, vr, value);
    above = reads_back(s + 1, k, ((uint64_t)s * 4 + 4) << 32, vl, vr, value);
    if (below == above) above = v > 4 * s + 2 || (v == 4 * s + 2 && (s & 1));
    return (rf_decimal){.digits = s + above, .exponent = k};
}
