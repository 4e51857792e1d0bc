#include "arithmetic.h"

#include <math.h>

static double as_float(const rf_term *number) {
    return number->kind == RF_TERM_INT ? (double)number->as.integer : number->as.number;
}

// Compares exactly: an integer of 64 bits may lie between two floats.
static int compare_mixed(int64_t integer, double number) {
    int64_t whole;
    if (number >= 0x1p63) return -1;
    if (number < -0x1p63) return 1;
    whole = (int64_t)floor(number);
    if (integer != whole) return integer < whole ? -1 : 1;
    return (double)whole < number ? -1 : 0;
}

static int compare(const rf_term *a, const rf_term *b) {
    if (a->kind == RF_TERM_INT && b->kind == RF_TERM_INT)
        return (a->as.integer > b->as.integer) - (a->as.integer < b->as.integer);
    if (a->kind == RF_TERM_INT) return compare_mixed(a->as.integer, b->as.number);
    if (b->kind == RF_TERM_INT) return -compare_mixed(b->as.integer, a->as.number);
    return (a->as.number > b->as.number) - (a->as.number < b->as.number);
}

static void become(rf_term *sum, const rf_term *bound) {
    if (sum->kind == RF_TERM_FLOAT)
        sum->as.number = as_float(bound);
    else
        *sum = *bound;
}

bool rf_add_clamped(rf_term *sum, const rf_term *addend, const rf_term *min, const rf_term *max) {
    if (sum->kind == RF_TERM_INT && addend->kind == RF_TERM_INT) {
        int64_t a = sum->as.integer, b = addend->as.integer;
        if (b > 0 && a > INT64_MAX - b)
            sum->as.integer = INT64_MAX;
        else if (b < 0 && a < INT64_MIN - b)
            sum->as.integer = INT64_MIN;
        else
            sum->as.integer = a + b;
    } else {
        double number = as_float(sum) + as_float(addend);
        if (isinf(number)) return false;
        *sum = (rf_term){.kind = RF_TERM_FLOAT, .as.number = number};
    }
    if (max->kind != RF_TERM_NULL && compare(sum, max) > 0) become(sum, max);
    if (min->kind != RF_TERM_NULL && compare(sum, min) < 0) become(sum, min);
    return true;
}
