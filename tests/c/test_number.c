// Reading and printing floating point, against the C library and against what "nearest" and "shortest" mean.
#include "core/json/number.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support.h"

static uint64_t random_state = 88172645463325252;

static uint64_t random_bits(void) {
    return next_random(&random_state);
}

static uint32_t random_below(uint32_t limit) {
    return (uint32_t)((random_bits() >> 32) * limit >> 32);
}

static uint64_t bits_of(double value) {
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

static double f64_of(uint64_t bits) {
    double value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static float f32_of(uint32_t bits) {
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

// Finite and above zero.
static double random_f64(void) {
    for (;;) {
        double value = f64_of(random_bits() >> 1);
        if (isfinite(value) && value > 0) return value;
    }
}

static double parse(const char *text) {
    return rf_number_parse((rf_str){.data = text, .len = strlen(text)});
}

// The C libraries of Linux and macOS round correctly; in the "C" locale the point is a point.
static void assert_parses_as_strtod(const char *text) {
    double expected = strtod(text, NULL), actual = parse(text);
    if (bits_of(actual) != bits_of(expected)) ck_abort_msg("%s: %a, not %a", text, actual, expected);
}

// ---- Reading

static const struct {
    const char *text;
    double value;
} known[] = {
    {"0.0", 0.0},
    {"-0.0", -0.0},
    {"0e999999999999999999999", 0.0},
    {"0.000e-5", 0.0},
    {"1.0", 0x1.0000000000000p+0},
    {"-1.0", -0x1.0000000000000p+0},
    {"1e0", 0x1.0000000000000p+0},
    {"1E+2", 0x1.9000000000000p+6},
    {"100e-2", 0x1.0000000000000p+0},
    {"0.1", 0x1.999999999999ap-4},
    {"0.3", 0x1.3333333333333p-2},
    {"-11.4986", -0x1.6ff487fcb923ap+3},
    {"1e23", 0x1.52d02c7e14af6p+76},
    {"1e22", 0x1.0f0cf064dd592p+73},
    {"8.5e22", 0x1.1ffdbf6b2b2ebp+76},
    {"9007199254740993", 0x1.0000000000000p+53},
    {"9007199254740993.0", 0x1.0000000000000p+53},
    {"9007199254740992.5", 0x1.0000000000000p+53},
    {"9007199254740995.0", 0x1.0000000000002p+53},
    {"9007199254740993.00000000000000000000000000000000000000000000000000001", 0x1.0000000000001p+53},
    {"9007199254740992999999999999999999999999999999999999.9e-36", 0x1.0000000000000p+53},
    {"5e-324", 0x0.0000000000001p-1022},
    {"4.9e-324", 0x0.0000000000001p-1022},
    {"2.4703282292062328e-324", 0x0.0000000000001p-1022},
    {"2.4703282292062327e-324", 0.0},
    {"2.47032822920623272088284396434110686182529901307162382212792841250337753635104375932649918180817996"
     "1898982823477228588654633283551779698981993873980053909390631503565951557022639229085839244910518443"
     "5931802849936536152500319370457678249219365623669863658480757001585769269903706311928279558551332927"
     "8343384093519780155312465972635795746227664652728272200563740064854999770965994704540208281662262378"
     "5739345073633900796773057750675017632467360096895134053553745851666113422376667860416215968046191446"
     "7291840300530057530849048765391711386591646239524912623653881879636239373280423891018672348497668235"
     "0898633885879256283027559956575244555072551893136908362547791869486679949683240497058210285131854513"
     "962138377228261454376934125320985913276672363281250e-324",
     0.0},
    {"2.2250738585072011e-308", 0x0.fffffffffffffp-1022},
    {"2.2250738585072012e-308", 0x1.0000000000000p-1022},
    {"2.2250738585072014e-308", 0x1.0000000000000p-1022},
    {"2.225073858507201e-308", 0x0.fffffffffffffp-1022},
    {"1.7976931348623157e308", 0x1.fffffffffffffp+1023},
    {"1.7976931348623158e308", 0x1.fffffffffffffp+1023},
    {"1.7976931348623159e308", INFINITY},
    {"1797693134862315807937289714053034150799341327100378269361737789804449682927647509466490179775872070"
     "9633028641669288791094655554785194040263065748867150582068190890200070838367627385484581771153176447"
     "5730270069855571366959622842914819860834936475292719074168444365510704342711559699508093042880.0",
     0x1.203af9ee75615p+974},
    {"1797693134862315807937289714053034150799341327100378269361737789804449682927647509466490179775872070"
     "9633028641669288791094655554785194040263065748867150582068190890200070838367627385484581771153176447"
     "5730270069855571366959622842914819860834936475292719074168444365510704342711559699508093042879.999",
     0x1.203af9ee75615p+974},
    {"1e308", 0x1.1ccf385ebc8a0p+1023},
    {"1e309", INFINITY},
    {"-1e309", -INFINITY},
    {"1e-323", 0x0.0000000000002p-1022},
    {"1e-324", 0.0},
    {"1e-400", 0.0},
    {"1e99999999999999999999", INFINITY},
    {"1e-99999999999999999999", 0.0},
    {"123456789012345678901234567890", 0x1.8ee90ff6c373ep+96},
    {"0.000000000000000000000000000000000000000000000000000000000000000000000000001e75", 0x1.0000000000000p+0},
    {"100000000000000000000000000000000000000000000000000000000000000000000e-68", 0x1.0000000000000p+0},
    {"7.2057594037927933e16", 0x1.0000000000000p+56},
    {"7.2057594037927945e16", 0x1.0000000000001p+56},
    {"3.518437208883201171875e13", 0x1.0000000000002p+45},
    {"6929495644600919.5", 0x1.89e56ee5e7a58p+52},
    {"3.7455744005952583e15", 0x1.a9d28ff412a75p+51},
    {"2.22507385850720113605740979670913197593481954635164564802342610972482222202107694551652952390813508"
     "7914149158913039621106870086438694594645527657207407820621743379988141063267329253552286881372149012"
     "9811224514518898490572223072852551331557550159143974763979834118019993239622825e-308",
     0x0.fffffffffffffp-1022},
    {"0.500000000000000166533453693773481063544750213623046875", 0x1.0000000000002p-1},
    {"1.00000000000000011102230246251565404236316680908203125", 0x1.0000000000000p+0},
    {"1.00000000000000011102230246251565404236316680908203124", 0x1.0000000000000p+0},
    {"1.00000000000000011102230246251565404236316680908203126", 0x1.0000000000001p+0},
    {"1090544144181609348671888949248", 0x1.b8779f2474dfap+99},
    {"1090544144181609348835077142190", 0x1.b8779f2474dfbp+99},
    {"0.1000000000000000055511151231257827021181583404541015625", 0x1.999999999999ap-4},
};

START_TEST(known_hard_cases) {
    double actual = parse(known[_i].text);
    REQUIRE_MSG(bits_of(actual) == bits_of(known[_i].value), "%s: %a", known[_i].text, actual);
    assert_parses_as_strtod(known[_i].text);
}
END_TEST

START_TEST(every_f64_reads_back_from_17_digits) {
    char text[40];
    for (int i = 0; i < 1000000; i++) {
        double value = random_f64();
        snprintf(text, sizeof text, "%.16e", value);
        REQUIRE_MSG(bits_of(parse(text)) == bits_of(value), "%s", text);
    }
}
END_TEST

START_TEST(subnormals_read_back) {
    char text[40];
    for (int i = 0; i < 100000; i++) {
        double value = f64_of(random_bits() >> (12 + random_below(52)));
        snprintf(text, sizeof text, "%.16e", value);
        REQUIRE_MSG(bits_of(parse(text)) == bits_of(value), "%s", text);
    }
}
END_TEST

START_TEST(random_text) {
    char text[1200];
    for (int i = 0; i < 300000; i++) {
        uint32_t count = 1 + random_below(i % 100 == 0 ? 900 : 40), point = random_below(count + 1), len = 0;
        if (random_below(2)) text[len++] = '-';
        for (uint32_t digit = 0; digit < count; digit++) {
            // Zeros in a row are what long numbers are made of.
            text[len++] = (char)('0' + (random_below(3) ? random_below(10) : 0));
            if (digit == point && digit + 1 < count) text[len++] = '.';
        }
        if (random_below(2))
            snprintf(text + len, sizeof text - len, "e%d", (int)random_below(700) - 350);
        else
            text[len] = '\0';
        assert_parses_as_strtod(text);
    }
}
END_TEST

#define EXACT_PLACES 1080
#define EXACT_ROOM (320 + EXACT_PLACES)

// All digits of (low + high) / 2, with leading zeros.
static void write_halfway(char *out, double low, double high) {
    char a[EXACT_ROOM], b[EXACT_ROOM];
    int len = snprintf(a, sizeof a, "%0*.*f", EXACT_ROOM - 1, EXACT_PLACES, low), carry = 0;
    snprintf(b, sizeof b, "%0*.*f", EXACT_ROOM - 1, EXACT_PLACES, high);
    REQUIRE(len == EXACT_ROOM - 1);
    for (int i = len; i-- > 0;) {
        int sum = a[i] - '0' + b[i] - '0' + carry;
        if (a[i] == '.') continue;
        a[i] = (char)('0' + sum % 10);
        carry = sum / 10;
    }
    // Halved from the left; the sum has no digit more, as both begin with zeros.
    for (int i = 0; i < len; i++) {
        int digit = carry * 10 + a[i] - '0';
        if (a[i] == '.') continue;
        a[i] = (char)('0' + digit / 2);
        carry = digit % 2;
    }
    memcpy(out, a, (size_t)len + 1);
}

static const char *without_leading_zeros(const char *text) {
    while (text[0] == '0' && text[1] != '.') text++;
    return text;
}

START_TEST(halfway_goes_to_even_and_a_digit_decides) {
    char text[EXACT_ROOM + 1];
    for (int i = 0; i < 2000; i++) {
        uint64_t bits = i < 20       ? (uint64_t)i
                        : i % 4 == 0 ? random_bits() >> (12 + random_below(50))
                                     : random_bits() >> 1;
        double low = f64_of(bits), high = f64_of(bits + 1), even = bits % 2 == 0 ? low : high;
        size_t last;
        if (!isfinite(high)) continue;
        write_halfway(text, low, high);
        REQUIRE_MSG(bits_of(parse(without_leading_zeros(text))) == bits_of(even), "%s", text);
        memcpy(text + EXACT_ROOM - 1, "1", 2);
        REQUIRE_MSG(bits_of(parse(without_leading_zeros(text))) == bits_of(high), "%s", text);
        last = EXACT_ROOM - 2;
        for (; text[last] == '0' || text[last] == '.'; last--)
            if (text[last] == '0') text[last] = '9';
        text[last]--;
        REQUIRE_MSG(bits_of(parse(without_leading_zeros(text))) == bits_of(low), "%s", text);
        assert_parses_as_strtod(without_leading_zeros(text));
    }
}
END_TEST

START_TEST(digits_and_exponents_read_as_their_text) {
    char text[40];
    for (int i = 0; i < 1000000; i++) {
        uint64_t digits = random_bits() >> random_below(64);
        int exponent = (int)random_below(720) - 370;
        snprintf(text, sizeof text, "%llue%d", (unsigned long long)digits, exponent);
        REQUIRE_MSG(bits_of(rf_number_f64(digits, exponent, false)) == bits_of(strtod(text, NULL)), "%s", text);
    }
}
END_TEST

// A million digits before or behind the point, with an exponent that brings them back.
START_TEST(long_texts) {
    size_t zeros = 1000000;
    char *text = malloc(zeros + 40);
    REQUIRE(text != NULL);
    text[0] = '7';
    memset(text + 1, '0', zeros);
    strcpy(text + 1 + zeros, "e-1000000");
    REQUIRE(parse(text) == 7);
    memcpy(text, "0.", 2);
    strcpy(text + 1 + zeros, "25e1000000");
    REQUIRE(parse(text) == 2.5);
    memset(text, '9', zeros);
    strcpy(text + zeros, "e-1000000");
    REQUIRE(parse(text) == 1);
    memcpy(text, "9007199254740993.", 17);
    memset(text + 17, '0', zeros);
    strcpy(text + 17 + zeros, "1");
    REQUIRE(parse(text) == 9007199254740994.0);
    free(text);
}
END_TEST

// ---- Printing

static const struct {
    double value;
    uint64_t digits;
    int32_t exponent;
} shortest_known[] = {
    {1, 1, 0},
    {10, 1, 1},
    {0.1, 1, -1},
    {0.3, 3, -1},
    {11.4986, 114986, -4},
    {123456, 123456, 0},
    {5e-324, 5, -324},
    {1e-323, 1, -323},
    {1.5e-323, 15, -324},
    {2.2250738585072014e-308, 22250738585072014, -324},
    {2.225073858507201e-308, 2225073858507201, -323},
    {1.7976931348623157e308, 17976931348623157, 292},
    {1e23, 1, 23},
    {9.999999999999997e22, 9999999999999997, 7},
    {9007199254740991, 9007199254740991, 0},
    {9007199254740992, 9007199254740992, 0},
    {9007199254740994, 9007199254740994, 0},
    {9007199254740996, 9007199254740996, 0},
    {1e21, 1, 21},
    {0x1p-44, 5684341886080802, -29}, // with one digit more it would be ...8015 behind the exact ...80148
    {0x1p-1022, 22250738585072014, -324},
    {2e-323, 2, -323},
    {4.35, 435, -2},
    {0x1p62, 4611686018427388, 3},
    {0x1p63, 9223372036854775807u / 1000 + 1, 3},
    {0x1p64, 18446744073709552, 3},
};

static rf_decimal without_zeros(rf_decimal decimal) {
    for (; decimal.digits % 10 == 0; decimal.digits /= 10) decimal.exponent++;
    return decimal;
}

static rf_decimal shortest_f64(double value) {
    return without_zeros(rf_number_shortest_f64(value));
}

static rf_decimal shortest_f32(float value) {
    return without_zeros(rf_number_shortest_f32(value));
}

START_TEST(shortest_f64_of_known_values) {
    rf_decimal actual = shortest_f64(shortest_known[_i].value);
    REQUIRE(actual.digits == shortest_known[_i].digits);
    REQUIRE(actual.exponent == shortest_known[_i].exponent);
}
END_TEST

static int digits_of(uint64_t value) {
    int count = 1;
    while (value >= 10) {
        value /= 10;
        count++;
    }
    return count;
}

static double strtod_decimal(uint64_t digits, int32_t exponent) {
    char text[40];
    snprintf(text, sizeof text, "%llue%d", (unsigned long long)digits, (int)exponent);
    return strtod(text, NULL);
}

// The decimal of that many digits that is nearest to the value.
static rf_decimal nearest_decimal(double value, int count) {
    char text[60], *exponent;
    rf_decimal out = {0};
    snprintf(text, sizeof text, "%.*e", count - 1, value);
    exponent = strchr(text, 'e');
    out.exponent = atoi(exponent + 1) - (count - 1);
    for (const char *at = text; at < exponent; at++)
        if (*at != '.') out.digits = out.digits * 10 + (uint64_t)(*at - '0');
    return out;
}

// Of all decimals with as many digits that read back, none is closer; it reads back, and nothing shorter does: that
// could only be one of the two neighbours with one digit less.
static void assert_shortest_f64(double value) {
    rf_decimal actual = shortest_f64(value), nearest;
    int count = digits_of(actual.digits);
    REQUIRE_MSG(strtod_decimal(actual.digits, actual.exponent) == value, "%a", value);
    if (count > 1) {
        REQUIRE_MSG(strtod_decimal(actual.digits / 10, actual.exponent + 1) != value, "%a", value);
        REQUIRE_MSG(strtod_decimal(actual.digits / 10 + 1, actual.exponent + 1) != value, "%a", value);
    }
    nearest = nearest_decimal(value, count);
    if (nearest.digits != actual.digits || nearest.exponent != actual.exponent)
        REQUIRE_MSG(strtod_decimal(nearest.digits, nearest.exponent) != value, "%a", value);
}

START_TEST(shortest_f64_of_random_values) {
    for (int i = 0; i < 300000; i++) assert_shortest_f64(random_f64());
}
END_TEST

START_TEST(shortest_f64_of_few_decimals) {
    for (int i = 0; i < 200000; i++) {
        static const double scale[] = {1, 10, 100, 1000, 10000, 1e5, 1e6};
        uint32_t decimals = random_below(7), digits = 1 + random_below(2000000);
        double value = digits / scale[decimals];
        rf_decimal actual = shortest_f64(value);
        uint32_t expected = digits;
        int32_t exponent = -(int32_t)decimals;
        for (; expected % 10 == 0; expected /= 10) exponent++;
        REQUIRE_MSG(actual.digits == expected && actual.exponent == exponent, "%a", value);
    }
}
END_TEST

// Powers of two have a narrower interval below; subnormals few digits.
START_TEST(shortest_f64_at_powers_of_two) {
    for (int exponent = -1074; exponent < 1024; exponent++) {
        double value = ldexp(1, exponent);
        assert_shortest_f64(value);
        assert_shortest_f64(nextafter(value, INFINITY));
        if (exponent > -1074) assert_shortest_f64(nextafter(value, 0));
    }
}
END_TEST

static bool reads_back_f32(uint64_t digits, int32_t exponent, float value) {
    return (float)rf_number_f64(digits, exponent, false) == value;
}

static void assert_shortest_f32(uint32_t bits) {
    float value = f32_of(bits);
    rf_decimal actual = shortest_f32(value);
    if (!reads_back_f32(actual.digits, actual.exponent, value)) ck_abort_msg("%08x does not read back", bits);
    if (actual.digits >= 10 && (reads_back_f32(actual.digits / 10, actual.exponent + 1, value) ||
                                reads_back_f32(actual.digits / 10 + 1, actual.exponent + 1, value)))
        ck_abort_msg("%08x has a shorter text", bits);
}

static void assert_closest_f32(uint32_t bits) {
    float value = f32_of(bits);
    rf_decimal actual = shortest_f32(value);
    rf_decimal nearest = nearest_decimal((double)value, digits_of(actual.digits));
    if (nearest.digits == actual.digits && nearest.exponent == actual.exponent) return;
    if (reads_back_f32(nearest.digits, nearest.exponent, value)) ck_abort_msg("%08x has a closer text", bits);
}

static const uint32_t f32_infinity = 0x7f800000;

START_TEST(shortest_f32_of_every_251st) {
    for (uint32_t bits = 1; bits < f32_infinity; bits += 251) assert_shortest_f32(bits);
    for (uint32_t bits = 1; bits < f32_infinity; bits += 2503) assert_closest_f32(bits);
}
END_TEST

START_TEST(shortest_f32_at_powers_of_two) {
    for (uint32_t exponent = 0; exponent < 255; exponent++)
        for (uint32_t below = 0; below < 5; below++) {
            uint32_t bits = (exponent << 23) + 2 - below;
            if (bits == 0 || bits >= f32_infinity) continue;
            assert_shortest_f32(bits);
            assert_closest_f32(bits);
        }
}
END_TEST

// The sign makes no difference, so these are all of them. About half an hour.
START_TEST(shortest_f32_of_all) {
    uint64_t bits, end;
    if (!all_floats(f32_infinity, &bits, &end)) {
        printf("test_number: all 2^31 binary32 are left out; set ROOMFOLD_ALL_FLOATS=1 to test them\n");
        return;
    }
    for (bits = bits ? bits : 1; bits < end; bits++) {
        assert_shortest_f32((uint32_t)bits);
        assert_closest_f32((uint32_t)bits);
    }
}
END_TEST

static const struct {
    float value;
    uint64_t digits;
    int32_t exponent;
} shortest_f32_known[] = {
    {1, 1, 0},
    {0.1f, 1, -1},
    {11.4986f, 114986, -4},
    {16777216, 16777216, 0},
    {1e-45f, 1, -45},
    {1e10f, 1, 10},
    {3.4028235e38f, 34028235, 31},
    {1.1754944e-38f, 11754944, -45},
    {0.3f, 3, -1},
    {33554432, 33554432, 0},
    {0x1p-3f, 125, -3},
    {2.1474836e9f, 21474836, 2},
};

START_TEST(shortest_f32_of_known_values) {
    rf_decimal actual = shortest_f32(shortest_f32_known[_i].value);
    REQUIRE(actual.digits == shortest_f32_known[_i].digits);
    REQUIRE(actual.exponent == shortest_f32_known[_i].exponent);
}
END_TEST

#define COUNT(table) ((int)(sizeof(table) / sizeof *(table)))

static void add(TCase *tests) {
    tcase_add_test(tests, shortest_f32_of_all);
    if (floats_alone(tests)) return;
    tcase_add_loop_test(tests, known_hard_cases, 0, COUNT(known));
    tcase_add_test(tests, every_f64_reads_back_from_17_digits);
    tcase_add_test(tests, subnormals_read_back);
    tcase_add_test(tests, random_text);
    tcase_add_test(tests, halfway_goes_to_even_and_a_digit_decides);
    tcase_add_test(tests, digits_and_exponents_read_as_their_text);
    tcase_add_test(tests, long_texts);
    tcase_add_loop_test(tests, shortest_f64_of_known_values, 0, COUNT(shortest_known));
    tcase_add_loop_test(tests, shortest_f32_of_known_values, 0, COUNT(shortest_f32_known));
    tcase_add_test(tests, shortest_f64_of_random_values);
    tcase_add_test(tests, shortest_f64_of_few_decimals);
    tcase_add_test(tests, shortest_f64_at_powers_of_two);
    tcase_add_test(tests, shortest_f32_of_every_251st);
    tcase_add_test(tests, shortest_f32_at_powers_of_two);
}

int main(void) {
    return run_tests("number", add);
}
