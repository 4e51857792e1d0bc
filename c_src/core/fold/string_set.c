#include "string_set.h"

#include "base/str.h"

#define SORT_NAME sort_strings
#define SORT_ITEM rf_str
#define SORT_CONTEXT const void *
#define SORT_BEFORE(context, a, b) (rf_str_cmp(*(a), *(b)) < 0)
#include "base/heapsort.inl"

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
    sort_strings(NULL, strings, (size_t)count);
    return write_set(result, strings, count, put ? NULL : &value) ? RF_OK : RF_NO_MEMORY;
}
