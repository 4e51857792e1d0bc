#include "scan.h"

#include "base/utf8.h"

bool rf_scan_fail(rf_scan *scan, rf_status status, const char *at) {
    if (scan->status == RF_OK) {
        scan->status = status;
        scan->error_at = at;
    }
    return false;
}

bool rf_scan_unexpected(rf_scan *scan, const char *at) {
    return rf_scan_fail(scan, at < scan->end ? RF_UNEXPECTED_BYTE : RF_UNEXPECTED_END, at);
}

bool rf_scan_literal(rf_scan *scan, const char *word, size_t len) {
    const char *at = scan->at;
    for (size_t i = 0; i < len; i++, at++)
        if (at == scan->end || *at != word[i]) return rf_scan_unexpected(scan, at);
    scan->at = at;
    return true;
}

// ---- Strings

static int hex_digit(char byte) {
    if (byte >= '0' && byte <= '9') return byte - '0';
    byte |= 0x20;
    return byte >= 'a' && byte <= 'f' ? byte - 'a' + 10 : -1;
}

// Reads an escape; *unit is the character or UTF-16 code unit. second: it must be a low surrogate (dc00 to dfff);
// otherwise it must not be one. Moves *at past it, or to the first invalid byte.
static bool read_escape(const char **at, const char *end, bool second, uint32_t *unit) {
    static const char letters[] = "\"\\/bfnrt", characters[] = "\"\\/\b\f\n\r\t";
    if (*at == end || **at != '\\') return false;
    if (++*at == end) return false;
    if (**at != 'u') {
        const char *letter = memchr(letters, **at, sizeof letters - 1);
        if (second || !letter) return false;
        *unit = (uint8_t)characters[letter - letters];
        ++*at;
        return true;
    }
    *unit = 0;
    for (int i = 0; i < 4; i++) {
        int digit;
        if (++*at == end) return false;
        digit = hex_digit(**at);
        if (digit < 0 || (i == 0 && second && digit != 0xd)) return false;
        if (i == 1 && second != (*unit == 0xd && digit >= 0xc)) return false;
        *unit = *unit << 4 | (uint32_t)digit;
    }
    ++*at;
    return true;
}

static bool read_escaped_character(const char **at, const char *end, uint32_t *character) {
    uint32_t low;
    if (!read_escape(at, end, false, character)) return false;
    if (*character < 0xd800 || *character > 0xdbff) return true;
    if (!read_escape(at, end, true, &low)) return false;
    *character = 0x10000 + ((*character - 0xd800) << 10) + (low - 0xdc00);
    return true;
}

// Moves *at to the closing quote.
static bool check_string(rf_scan *scan, const char **at, bool *escapes) {
    const char *end = scan->end;
    uint32_t character;
    while (*at < end) {
        uint8_t byte = (uint8_t) * *at;
        if (byte == '"') return true;
        if (byte == '\\') {
            *escapes = true;
            if (!read_escaped_character(at, end, &character)) return rf_scan_unexpected(scan, *at);
        } else if (byte >= 0x80) {
            size_t size = rf_utf8_sequence(*at, end);
            if (size == 0) return rf_scan_fail(scan, RF_INVALID_UTF8, *at);
            *at += size;
        } else if (byte < 0x20) {
            return rf_scan_fail(scan, RF_UNEXPECTED_BYTE, *at);
        } else {
            ++*at;
            while (end - *at >= 8 && rf_scan_run_end(rf_load64((const uint8_t *)*at)) == 0) *at += 8;
        }
    }
    return rf_scan_fail(scan, RF_UNEXPECTED_END, end);
}

static char *write_utf8(char *out, uint32_t character) {
    if (character < 0x80) {
        *out++ = (char)character;
        return out;
    }
    if (character < 0x800) {
        *out++ = (char)(0xc0 | character >> 6);
    } else {
        if (character < 0x10000) {
            *out++ = (char)(0xe0 | character >> 12);
        } else {
            *out++ = (char)(0xf0 | character >> 18);
            *out++ = (char)(0x80 | (character >> 12 & 0x3f));
        }
        *out++ = (char)(0x80 | (character >> 6 & 0x3f));
    }
    *out++ = (char)(0x80 | (character & 0x3f));
    return out;
}

// Returns the end of what it wrote, which is never longer than the escaped text.
static char *unescape(char *out, const char *at, const char *end) {
    uint32_t character;
    while (at < end) {
        const char *run_end = memchr(at, '\\', (size_t)(end - at));
        size_t run = (size_t)((run_end ? run_end : end) - at);
        memcpy(out, at, run);
        out += run;
        at += run;
        if (at < end && read_escaped_character(&at, end, &character)) out = write_utf8(out, character);
    }
    return out;
}

bool rf_scan_string_rest(rf_scan *scan, rf_arena *arena, const char *at, rf_str *out) {
    const char *start = scan->at + 1;
    bool escapes = false;
    char *copy;
    if (!check_string(scan, &at, &escapes)) return false;
    *out = (rf_str){.data = start, .len = (size_t)(at - start)};
    if (escapes) {
        copy = rf_arena_alloc(arena, out->len);
        if (!copy) return rf_scan_fail(scan, RF_NO_MEMORY, scan->at);
        out->data = copy;
        out->len = (size_t)(unescape(copy, start, at) - copy);
    }
    scan->at = at + 1;
    return true;
}

// ---- Numbers

// Moves *at past one or more digits and appends them to *value, which wraps on overflow.
static bool read_digits(rf_scan *scan, const char **at, uint64_t *value) {
    static const uint32_t pow10[] = {1, 10, 100, 1000, 10000, 100000, 1000000, 10000000, 100000000};
    const char *start = *at;
    uint32_t count = 8;
    while (count == 8 && scan->end - *at >= 8) {
        uint64_t bytes = rf_load64((const uint8_t *)*at);
        count = rf_scan_digits(bytes);
        if (count == 0) break;
        *value = *value * pow10[count] + rf_scan_digits_value(bytes, count);
        *at += count;
    }
    for (; *at < scan->end && **at >= '0' && **at <= '9'; ++*at) *value = *value * 10 + (uint64_t)(**at - '0');
    return *at > start || rf_scan_unexpected(scan, *at);
}

static void set_integer(rf_number *out, uint64_t value, size_t count, bool negative) {
    if (count > RF_NUMBER_DIGITS || value > (uint64_t)INT64_MAX + negative) {
        out->kind = RF_NUMBER_BIG;
        return;
    }
    out->kind = RF_NUMBER_INT;
    // The lowest integer has no positive counterpart.
    out->integer = negative && value > 0 ? -(int64_t)(value - 1) - 1 : (int64_t)value;
}

static void set_float(rf_number *out, double value) {
    out->kind = value - value == 0 ? RF_NUMBER_FLOAT : RF_NUMBER_INFINITE;
    out->real = value;
}

// *at is after the e. Moves it past the exponent.
static bool read_exponent(rf_scan *scan, const char **at, int64_t *exponent, bool *simple) {
    const char *start;
    uint64_t value = 0;
    bool negative = *at < scan->end && **at == '-';
    *at += *at < scan->end && (**at == '-' || **at == '+');
    start = *at;
    if (!read_digits(scan, at, &value)) return false;
    *simple = *at - start <= 8;
    if (*simple) *exponent += negative ? -(int64_t)value : (int64_t)value;
    return true;
}

bool rf_scan_number_rest(rf_scan *scan, rf_number *out) {
    const char *at = scan->at, *end = scan->end, *start;
    uint64_t value = 0;
    int64_t exponent = 0;
    size_t count;
    bool negative = at < end && *at == '-', integer = true, simple = true;
    at += negative;
    start = at;
    if (at < end && *at == '0')
        at++;
    else if (!read_digits(scan, &at, &value))
        return false;
    count = (size_t)(at - start);
    if (at < end && *at == '.') {
        start = ++at;
        if (!read_digits(scan, &at, &value)) return false;
        exponent = start - at;
        count += (size_t)(at - start);
        integer = false;
    }
    if (at < end && (*at | 0x20) == 'e') {
        at++;
        if (!read_exponent(scan, &at, &exponent, &simple)) return false;
        integer = false;
    }
    out->text = (rf_str){.data = scan->at, .len = (size_t)(at - scan->at)};
    if (integer)
        set_integer(out, value, count, negative);
    else if (simple && count <= RF_NUMBER_DIGITS)
        set_float(out, rf_number_f64(value, exponent, negative));
    else
        set_float(out, rf_number_parse(out->text));
    scan->at = at;
    return true;
}
