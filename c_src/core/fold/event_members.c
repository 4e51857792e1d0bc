#include "event_members.h"

#include "base/error.h"
#include "base/str.h"
#include "json/json_term.h"
#include <roomfold/json.h>
#include <roomfold/world.h>
#include <stdlib.h>

void rf_members_init(rf_members *members, rf_allocator allocator) {
    members->allocator = allocator;
    rf_builder_init(&members->values, allocator);
    rf_buf_init(&members->keys, allocator);
    rf_buf_init(&members->list, allocator);
}

void rf_members_free(rf_members *members) {
    rf_builder_free(&members->values);
    rf_buf_free(&members->keys);
    rf_buf_free(&members->list);
}

static int by_key(const void *left, const void *right) {
    return rf_str_cmp(((const rf_member *)left)->key, ((const rf_member *)right)->key);
}

// Reads the value that starts with this token, as a term after the others.
static rf_status read_value(rf_members *members, rf_json_reader *reader, rf_json_token *token, bool components) {
    rf_builder *values = &members->values;
    rf_builder_start(values);
    values->max_depth = RF_TERM_DEPTH + components;
    while (rf_json_put_token(values, token) && values->depth > 0) {
        if (values->depth > RF_TERM_DEPTH && members->too_deep_at == 0) members->too_deep_at = token->offset;
        *token = rf_json_next(reader);
    }
    return values->status;
}

static rf_status read_members(rf_members *members, rf_json_reader *reader, rf_json_token *token) {
    *token = rf_json_next(reader);
    if (token->kind == RF_JSON_ERROR) return RF_OK;
    if (token->kind != RF_JSON_OPEN_MAP) return RF_NOT_AN_EVENT;
    for (;;) {
        rf_member item = {.key_at = members->keys.len, .value_at = members->values.out.len};
        bool components;
        rf_status status;
        *token = rf_json_next(reader);
        if (token->kind != RF_JSON_KEY) break;
        item.key_len = token->as.string.len;
        components = rf_str_eq(token->as.string, RF_LIT("components"));
        rf_buf_bytes(&members->keys, token->as.string.data, item.key_len);
        *token = rf_json_next(reader);
        status = read_value(members, reader, token, components);
        if (status != RF_OK || token->kind == RF_JSON_ERROR) return status;
        item.value_len = members->values.out.len - item.value_at;
        rf_buf_bytes(&members->list, &item, sizeof item);
    }
    if (token->kind != RF_JSON_ERROR) *token = rf_json_next(reader);
    return members->keys.failed || members->list.failed ? RF_NO_MEMORY : RF_OK;
}

rf_status rf_members_read(rf_members *members, rf_str text, rf_error *error) {
    rf_json_reader *reader;
    rf_json_token token = {0};
    rf_member *items;
    size_t count;
    rf_status status = rf_json_reader_new(members->allocator, text, RF_DEPTH_MAX, &reader);
    if (status != RF_OK) return rf_error_set(error, status, RF_NOWHERE, (rf_str){0});
    members->values.out.len = members->keys.len = members->list.len = 0;
    members->keys.failed = members->list.failed = false;
    members->too_deep_at = 0;
    status = read_members(members, reader, &token);
    if (token.kind == RF_JSON_ERROR) {
        rf_error read = rf_json_error(reader);
        status = rf_error_set(error, read.status, read.offset, (rf_str){0});
    } else if (status != RF_OK) {
        rf_error_set(error, status, token.offset, (rf_str){0});
    }
    rf_json_reader_free(reader);
    if (status != RF_OK) return status;
    items = rf_members_of(&members->list, &count);
    for (size_t i = 0; i < count; i++) {
        items[i].key = (rf_str){(const char *)members->keys.data + items[i].key_at, items[i].key_len};
        items[i].value = (rf_str){(const char *)members->values.out.data + items[i].value_at, items[i].value_len};
    }
    if (count > 1) qsort(items, count, sizeof *items, by_key);
    for (size_t i = 1; i < count; i++)
        if (rf_str_eq(items[i].key, items[i - 1].key)) return rf_error_set(error, RF_DUPLICATE_KEY, 0, items[i].key);
    return RF_OK;
}

const rf_member *rf_members_find(const rf_members *members, rf_str key) {
    size_t count;
    const rf_member *items = rf_members_of(&members->list, &count);
    for (size_t i = 0; i < count; i++)
        if (rf_str_eq(items[i].key, key)) return &items[i];
    return NULL;
}
