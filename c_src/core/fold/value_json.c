#include "value_json.h"

// Of an integer that nif/big_integer.h makes a term of.
#define DIGITS_MAX 16384

static bool out_of_memory(rf_fold *fold, rf_scan *scan) {
    fold->no_memory = true;
    return rf_scan_fail(scan, RF_NO_MEMORY, scan->at);
}

bool rf_value_json_add_key(rf_fold *fold, rf_scan *scan, rf_str key, const char *start) {
    rf_status status = rf_key_set_add(&fold->keys, key);
    if (status == RF_OK) return true;
    return status == RF_NO_MEMORY ? out_of_memory(fold, scan) : rf_scan_fail(scan, status, start);
}

bool rf_value_json_key(rf_fold *fold, rf_scan *scan, rf_str *key, const char **start) {
    rf_scan_space(scan);
    *start = scan->at;
    if (scan->at >= scan->end || *scan->at != '"') return rf_scan_unexpected(scan, scan->at);
    return rf_value_json_string(fold, scan, key);
}

// ---- any value ----------------------------------------------------------------------------------

// Whether a term can hold the number: it is finite, and no integer of more digits than the NIF makes.
static bool has_term(const rf_number *number) {
    size_t sign = *number->text.data == '-';
    return number->kind == RF_NUMBER_BIG ? number->text.len - sign <= DIGITS_MAX : number->kind != RF_NUMBER_INFINITE;
}

static bool skip_any_number(const rf_fold *fold, rf_scan *scan) {
    rf_number number;
    if (!rf_scan_number(scan, &number)) return false;
    if (!fold->admission || has_term(&number)) return true;
    return rf_scan_fail(scan, RF_NUMBER_OUT_OF_RANGE, number.text.data);
}

// Long ones are mostly times.
bool rf_value_json_skip_number(const rf_fold *fold, rf_scan *scan) {
    const char *at = scan->at;
    while (scan->end - at >= 8) {
        uint32_t digits = rf_scan_digits(rf_load64((const uint8_t *)at));
        at += digits;
        if (digits < 8) break;
    }
    if (at == scan->at || scan->end - at < 8 || *scan->at == '0' || *at == '.' || (*at | 0x20) == 'e' ||
        at - scan->at > DIGITS_MAX)
        return skip_any_number(fold, scan);
    scan->at = at;
    return true;
}

bool rf_value_json_scalar(rf_fold *fold, rf_scan *scan) {
    rf_number number;
    rf_str string;
    switch (*scan->at) {
    case '"':
        if (!rf_value_json_string(fold, scan, &string)) return false;
        rf_draft_string(fold, string);
        return true;
    case 't':
        rf_draft_bool(fold, true);
        return rf_scan_literal(scan, "true", 4);
    case 'f':
        rf_draft_bool(fold, false);
        return rf_scan_literal(scan, "false", 5);
    case 'n':
        rf_draft_null(fold);
        return rf_scan_literal(scan, "null", 4);
    default:
        break;
    }
    if (!fold->current) return rf_value_json_skip_number(fold, scan);
    if (!rf_scan_number(scan, &number)) return false;
    if (number.kind == RF_NUMBER_INT)
        rf_draft_int(fold, number.integer);
    else if (number.kind == RF_NUMBER_FLOAT)
        rf_draft_float(fold, number.real);
    else
        rf_draft_huge(fold);
    return true;
}

// Opens a list or map at the scan. depth: the open levels, including the event's own.
static bool open_level(rf_fold *fold, rf_scan *scan, unsigned depth, bool map) {
    if (depth == RF_DEPTH_MAX) return rf_scan_fail(scan, RF_TOO_DEEP, scan->at);
    rf_draft_open(fold, map);
    scan->at++;
    if (map) rf_key_set_push(&fold->keys);
    return true;
}

static void close_level(rf_fold *fold, rf_scan *scan, bool map) {
    scan->at++;
    if (map) rf_key_set_pop(&fold->keys);
    rf_draft_close(fold);
}

static bool map_key(rf_fold *fold, rf_scan *scan) {
    const char *start;
    rf_str key;
    if (!rf_value_json_key(fold, scan, &key, &start) || !rf_value_json_add_key(fold, scan, key, start) ||
        !rf_scan_expect(scan, ':'))
        return false;
    rf_draft_key(fold, key);
    rf_scan_space(scan);
    return true;
}

bool rf_value_json_any(rf_fold *fold, rf_scan *scan, unsigned depth) {
    uint64_t maps = 0; // a bit per level: it is a map
    unsigned outer = depth;
    for (;;) {
        bool opened = false;
        rf_scan_space(scan);
        if (scan->at >= scan->end) return rf_scan_unexpected(scan, scan->at);
        if (*scan->at == '{' || *scan->at == '[') {
            bool map = *scan->at == '{';
            if (!open_level(fold, scan, depth, map)) return false;
            maps = maps << 1 | map;
            depth++;
            opened = true;
        } else if (!rf_value_json_scalar(fold, scan)) {
            return false;
        }
        // After a value: close the levels that end here, or continue with the next value.
        for (;;) {
            bool map = maps & 1;
            if (depth == outer) return true;
            rf_scan_space(scan);
            if (scan->at >= scan->end) return rf_scan_unexpected(scan, scan->at);
            if (*scan->at == (map ? '}' : ']')) {
                close_level(fold, scan, map);
                maps >>= 1;
                depth--;
                opened = false;
                continue;
            }
            if (!opened) {
                if (*scan->at != ',') return rf_scan_unexpected(scan, scan->at);
                scan->at++;
            }
            if (map && !map_key(fold, scan)) return false;
            break;
        }
    }
}

bool rf_value_json_skip(rf_fold *fold, rf_scan *scan, unsigned depth) {
    fold->current = NULL;
    return rf_value_json_any(fold, scan, depth);
}

// Anything but a list of numbers is read again as any value.
bool rf_value_json_numbers(rf_fold *fold, rf_scan *scan, unsigned count, unsigned depth) {
    const char *start = scan->at;
    double values[RF_NUMBERS_MAX];
    if (fold->number_list(scan, count, values)) {
        rf_draft_numbers(fold, values);
        return true;
    }
    for (unsigned i = 0; i < count; i++) {
        rf_number number;
        rf_scan_space(scan);
        if (scan->at >= scan->end || *scan->at != (i == 0 ? '[' : ',')) goto other;
        scan->at++;
        rf_scan_space(scan);
        if (scan->at >= scan->end || !(*scan->at == '-' || (*scan->at >= '0' && *scan->at <= '9'))) goto other;
        if (!rf_scan_number(scan, &number)) return false;
        if (number.kind == RF_NUMBER_FLOAT)
            values[i] = number.real;
        else if (number.kind == RF_NUMBER_INT && number.integer <= RF_EXACT_INTEGER_MAX &&
                 number.integer >= -RF_EXACT_INTEGER_MAX)
            values[i] = (double)number.integer;
        else
            goto other;
    }
    rf_scan_space(scan);
    if (scan->at >= scan->end || *scan->at != ']') goto other;
    scan->at++;
    rf_draft_numbers(fold, values);
    return true;
other:
    scan->at = start;
    return rf_value_json_any(fold, scan, depth);
}

// The end of the string that opens at `at`; NULL if it does not end. It is checked later.
static const char *behind_string(const char *at, const char *end) {
    for (at++; at < end; at++) {
        if (*at == '"') return at + 1;
        if (*at == '\\') at++;
    }
    return NULL;
}

const char *rf_value_json_end(const char *at, const char *end) {
    for (unsigned depth = 0; at < end; at++) {
        if (*at == '"') {
            at = behind_string(at, end);
            if (!at) return NULL;
            at--;
        } else if (*at == '{' || *at == '[') {
            depth++;
        } else if (*at == '}' || *at == ']') {
            if (depth-- == 0) return at;
        } else if (*at == ',' && depth == 0) {
            return at;
        }
    }
    return NULL;
}
