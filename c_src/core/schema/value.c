#include "value.h"

#include <math.h>
#include <string.h>

#define EXACT_MAX (INT64_C(1) << 53) // the largest integer taken for a float (RF_EXACT_INTEGER_MAX)

static rf_status number_from_term(const rf_term *term, double *out) {
    if (term->kind == RF_TERM_FLOAT) {
        *out = term->as.number;
        return isinf(term->as.number) ? RF_NUMBER_OUT_OF_RANGE : RF_OK;
    }
    if (term->kind != RF_TERM_INT) return RF_WRONG_TYPE;
    if (term->as.integer > EXACT_MAX || term->as.integer < -EXACT_MAX) return RF_NUMBER_OUT_OF_RANGE;
    *out = (double)term->as.integer;
    return RF_OK;
}

rf_status rf_value_from_numbers(const rf_component_def *def, const double *numbers, uint8_t *fixed, rf_str *image) {
    image->data = (const char *)fixed;
    if (def->type == RF_TYPE_F64) {
        image->len = def->count * sizeof(double);
        memcpy(fixed, numbers, image->len);
        return RF_OK;
    }
    image->len = def->count * sizeof(float);
    for (unsigned i = 0; i < def->count; i++) {
        float narrow = (float)numbers[i];
        if (isinf(narrow)) return RF_NUMBER_OUT_OF_RANGE;
        memcpy(fixed + i * sizeof narrow, &narrow, sizeof narrow);
    }
    return RF_OK;
}

// Checks first that all are numbers, and then their range. A number out of range was put as infinity.
static rf_status numbers_from_term(const rf_component_def *def, rf_str term, uint8_t *fixed, rf_str *image) {
    double numbers[RF_NUMBERS_MAX];
    rf_status range = RF_OK;
    rf_term_reader reader;
    rf_term head;
    rf_term_read(&reader, term);
    head = rf_term_next(&reader);
    if (def->count > 1) {
        if (head.kind != RF_TERM_LIST || head.as.count != def->count) return RF_WRONG_TYPE;
        head = rf_term_next(&reader);
    }
    for (unsigned i = 0; i < def->count; i++) {
        rf_status status = number_from_term(&head, &numbers[i]);
        if (status == RF_WRONG_TYPE) return status;
        if (status != RF_OK) range = status;
        if (i + 1u < def->count) head = rf_term_next(&reader);
    }
    return range == RF_OK ? rf_value_from_numbers(def, numbers, fixed, image) : range;
}

static rf_status integer_from_term(const rf_term *term, uint8_t *fixed, rf_str *image) {
    int64_t integer;
    if (term->kind == RF_TERM_INT) {
        integer = term->as.integer;
    } else if (term->kind == RF_TERM_FLOAT) {
        if (term->as.number != floor(term->as.number)) return RF_WRONG_TYPE;
        if (!(term->as.number >= -0x1p63 && term->as.number < 0x1p63)) return RF_NUMBER_OUT_OF_RANGE;
        integer = (int64_t)term->as.number;
    } else {
        return RF_WRONG_TYPE;
    }
    memcpy(fixed, &integer, sizeof integer);
    *image = (rf_str){(const char *)fixed, sizeof integer};
    return RF_OK;
}

rf_status rf_value_from_term(const rf_component_def *def, rf_str term, uint32_t max_bytes, uint8_t *fixed,
                             rf_str *image) {
    rf_term_reader reader;
    rf_term head;
    if (!def || def->type == RF_TYPE_TERM) {
        *image = term;
        return term.len > max_bytes ? RF_TOO_LARGE : RF_OK;
    }
    if (def->type == RF_TYPE_F32 || def->type == RF_TYPE_F64) return numbers_from_term(def, term, fixed, image);
    rf_term_read(&reader, term);
    head = rf_term_next(&reader);
    switch (def->type) {
    case RF_TYPE_I64:
        return integer_from_term(&head, fixed, image);
    case RF_TYPE_BOOL:
        if (head.kind != RF_TERM_TRUE && head.kind != RF_TERM_FALSE) return RF_WRONG_TYPE;
        fixed[0] = head.kind == RF_TERM_TRUE;
        *image = (rf_str){(const char *)fixed, 1};
        return RF_OK;
    case RF_TYPE_STRING:
        if (head.kind != RF_TERM_STRING) return RF_WRONG_TYPE;
        *image = head.as.string;
        return head.as.string.len > max_bytes ? RF_TOO_LARGE : RF_OK;
    case RF_TYPE_F32:
    case RF_TYPE_F64:
    case RF_TYPE_TERM:
        break;
    }
    return RF_WRONG_TYPE;
}

bool rf_value_number(const rf_component_def *def, rf_str image, rf_term *out) {
    rf_term_reader reader;
    float narrow;
    switch (def ? def->type : RF_TYPE_TERM) {
    case RF_TYPE_I64:
        out->kind = RF_TERM_INT;
        memcpy(&out->as.integer, image.data, sizeof out->as.integer);
        return true;
    case RF_TYPE_F32:
        if (def->count != 1) return false;
        memcpy(&narrow, image.data, sizeof narrow);
        *out = (rf_term){.kind = RF_TERM_FLOAT, .as.number = (double)narrow};
        return true;
    case RF_TYPE_F64:
        if (def->count != 1) return false;
        out->kind = RF_TERM_FLOAT;
        memcpy(&out->as.number, image.data, sizeof out->as.number);
        return true;
    case RF_TYPE_TERM:
        rf_term_read(&reader, image);
        *out = rf_term_next(&reader);
        return out->kind == RF_TERM_INT || out->kind == RF_TERM_FLOAT;
    case RF_TYPE_BOOL:
    case RF_TYPE_STRING:
        break;
    }
    return false;
}
