#include "string_set.h"

#include "base/str.h"

// Heapsort, moving children up instead of swapping.
static void sort_strings(rf_str *strings, uint64_t count) {
    for (uint64_t root = count / 2, left = count; left > 1;) {
        uint64_t at;
        rf_str moved;
        if (root > 0) {
            moved = strings[at = --root];
        } else {
            left--;
            moved = strings[left];
            strings[left] = strings[0];
            at = 0;
        }
        for (uint64_t child = 2 * at + 1; child < left; child = 2 * at + 1) {
            if (child + 1 < left && rf_str_cmp(strings[child], strings[child + 1]) < 0) child++;
            if (rf_str_cmp(moved, strings[child]) >= 0) break;
            strings[at] = strings[child];
            at = child;
        }
        strings[at] = moved;
    }
}

// Reads a set's strings, with room for one more. RF_NOT_A_SET, RF_NO_MEMORY.
static rf_status read_set(rf_arena *arena, rf_str set, rf_str **out, uint64_t *count) {
    rf_term_reader reader;
    rf_term head = {.kind = RF_TERM_LIST};
    rf_term_read(&reader, set);
    if (set.len > 0) head = rf_term_next(&reader);
    if (head.kind != RF_TERM_LIST) return RF_NOT_A_SET;
    *count = head.as.count;
    *out = rf_arena_alloc(arena, (size_t)(*count + 1) * sizeof **out);
    if (!*out) return RF_NO_MEMORY;
    for (uint64_t i = 0; i < *count; i++) {
        rf_term item = rf_term_next(&reader);
        if (item.kind != RF_TERM_STRING) return RF_NOT_A_SET;
        (*out)[i] = item.as.string;
    }
    return RF_OK;
}

// Writes the strings, which are sorted, once each.
static bool write_set(rf_builder *result, const rf_str *strings, uint64_t count, const rf_str *without) {
    result->out.len = 0;
    rf_builder_start(result);
    rf_builder_open(result, false);
    for (uint64_t i = 0; i < count; i++) {
        if (i > 0 && rf_str_eq(strings[i - 1], strings[i])) continue;
        if (without && rf_str_eq(strings[i], *without)) continue;
        rf_builder_string(result, strings[i]);
    }
    return rf_builder_close(result);
}

rf_status rf_string_set_change(rf_arena *arena, rf_str set, rf_str value, bool put, rf_builder *result) {
    rf_str *strings;
    uint64_t count;
    rf_status status = read_set(arena, set, &strings, &count);
    if (status != RF_OK) return status;
    if (put) strings[count++] = value;
    sort_strings(strings, count);
    return write_set(result, strings, count, put ? NULL : &value) ? RF_OK : RF_NO_MEMORY;
}
