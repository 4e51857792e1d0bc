#include "changes.h"
#include "shape_keys.h"

#include <stdlib.h>
#include <string.h>

static bool is(rf_str a, const char *b) {
    return a.len == strlen(b) && memcmp(a.data, b, a.len) == 0;
}

static bool fail(changes *in, const char *error, const char *at, rf_str about) {
    size_t len = about.len < RF_NAME_MAX ? about.len : RF_NAME_MAX;
    in->error = error;
    in->error_at = at ? (size_t)(at - in->line.data) : 0;
    if (len > 0) memcpy(in->about, about.data, len);
    in->about_len = len;
    return false;
}

static bool out_of_memory(changes *in) {
    return fail(in, rf_status_message(RF_NO_MEMORY), NULL, (rf_str){0});
}

// Reports an error of json_slices_read in this part of the line.
static bool fail_in(changes *in, const json_slices *slices, rf_str part) {
    return fail(in, rf_status_message(slices->status), part.data + slices->error_at, (rf_str){0});
}

static bool add(changes *in, change_list *list, change item) {
    if (list->count == list->capacity) {
        size_t capacity = list->capacity ? list->capacity * 2 : 32;
        change *items = realloc(list->items, capacity * sizeof *items);
        if (!items) return out_of_memory(in);
        list->items = items;
        list->capacity = capacity;
    }
    item.place = list->count;
    list->items[list->count++] = item;
    return true;
}

static void set_id(change *out, const json_slice *id) {
    out->id.len = id->key_len;
    out->id_at = id->key;
}

static void set_name(change *out, const json_slice *name) {
    out->name.len = name->key_len;
    out->name_at = name->key;
}

static bool valid_id(changes *in, size_t len, const char *at) {
    return (len >= 1 && len <= RF_NAME_MAX) || fail(in, rf_status_message(RF_INVALID_ID), at, (rf_str){0});
}

static bool valid_name(changes *in, const json_slice *item, const char *at) {
    rf_str name = json_slices_key(&in->slices, item);
    return (name.len >= 1 && name.len <= RF_NAME_MAX && !is(name, "id")) ||
           fail(in, rf_status_message(RF_INVALID_COMPONENT_NAME), at, name);
}

// Reads an id, which must be a string.
static bool read_id(changes *in, const json_slice *item, change *out) {
    json_slice id;
    if (item->kind != RF_JSON_STRING) return valid_id(in, 0, item->value.data);
    if (!json_slices_string(&in->slices, item->value, &id)) return fail_in(in, &in->slices, item->value);
    set_id(out, &id);
    return valid_id(in, id.key_len, item->value.data);
}

static bool read_ids(changes *in, const json_slice *list, change_list *out) {
    json_slices ids = {0};
    size_t end;
    bool fine = json_slices_read(&ids, list->value, &end) || fail_in(in, &ids, list->value);
    for (size_t i = 0; fine && i < ids.count; i++) {
        change item = {0};
        fine = read_id(in, &ids.items[i], &item) && add(in, out, item);
    }
    json_slices_free(&ids);
    return fine;
}

// Reads the components of an entity. with_id: the key "id" is its id and not a component.
static bool read_components(changes *in, change of, rf_str map, bool with_id) {
    size_t first = in->slices.count, end, count = 0;
    if (!json_slices_read(&in->slices, map, &end)) return fail_in(in, &in->slices, map);
    for (size_t i = first; i < in->slices.count; i++) {
        const json_slice *item = &in->slices.items[i];
        if (with_id && is(json_slices_key(&in->slices, item), "id")) continue;
        if (!valid_name(in, item, map.data + item->key_at)) return false;
        set_name(&of, item);
        of.value = item->value;
        if (!add(in, &in->set, of)) return false;
        count++;
    }
    return count > 0 || add(in, &in->set, of);
}

// ---- events -------------------------------------------------------------------------------------

static const json_slice *find(const changes *in, const char *key) {
    for (size_t i = 0; i < in->top.count; i++)
        if (is(json_slices_key(&in->top, &in->top.items[i]), key)) return &in->top.items[i];
    return NULL;
}

static bool entity_event(changes *in, rf_str name) {
    const json_slice *id = find(in, "entity_id"), *components = find(in, "components");
    bool create = is(name, "create"), delete = is(name, "delete");
    change item = {0};
    if (!id) return valid_id(in, 0, NULL);
    if (!read_id(in, id, &item)) return false;
    in->form = LINE_ENTITY;
    if (delete) return add(in, &in->deleted, item);
    if (!components || components->kind != RF_JSON_OPEN_MAP)
        return fail(in, rf_status_message(RF_INVALID_COMPONENTS), components ? components->value.data : NULL,
                    (rf_str){0});
    if (create && !add(in, &in->created, item)) return false;
    return read_components(in, item, components->value, false);
}

static bool event(changes *in, const json_slice *entity, const json_slice *domain) {
    const json_slice *at = domain ? domain : entity;
    json_slice text;
    rf_str name;
    bool known;
    if ((entity && domain) || at->kind != RF_JSON_STRING)
        return fail(in, rf_status_message(RF_INVALID_NAME), at->value.data, (rf_str){0});
    if (!json_slices_string(&in->slices, at->value, &text)) return fail_in(in, &in->slices, at->value);
    name = json_slices_key(&in->slices, &text);
    if (name.len < 1 || name.len > RF_NAME_MAX)
        return fail(in, rf_status_message(RF_INVALID_NAME), at->value.data, (rf_str){0});
    known = is(name, "create") || is(name, "update") || is(name, "delete");
    if (known != (entity != NULL)) return fail(in, rf_status_message(RF_UNKNOWN_EVENT), at->value.data, name);
    if (entity) return entity_event(in, name);
    in->form = LINE_DOMAIN;
    return true;
}

// ---- the other shapes ---------------------------------------------------------------------------

// Reads {id: value} of one component.
static bool read_column(changes *in, const json_slice *column) {
    size_t first = in->slices.count, end;
    rf_str map = column->value;
    json_slice name;
    change of = {0};
    rf_str key = json_slices_key(&in->top, column);
    if (!json_slices_string(&in->slices, (rf_str){in->line.data + column->key_at, in->line.len - column->key_at},
                            &name))
        return out_of_memory(in);
    set_name(&of, &name);
    if (!json_slices_read(&in->slices, map, &end)) return fail_in(in, &in->slices, map);
    if (in->slices.count > first && (key.len < 1 || key.len > RF_NAME_MAX || is(key, "id")))
        return fail(in, rf_status_message(RF_INVALID_COMPONENT_NAME), in->line.data + column->key_at, key);
    for (size_t i = first; i < in->slices.count; i++) {
        const json_slice *item = &in->slices.items[i];
        if (!valid_id(in, item->key_len, map.data + item->key_at)) return false;
        set_id(&of, item);
        of.value = item->value;
        if (!add(in, &in->set, of)) return false;
    }
    return true;
}

static bool read_item(changes *in, const json_slice *item) {
    json_slices members = {0};
    const json_slice *id = NULL;
    change of = {0};
    size_t end;
    bool fine;
    if (item->kind != RF_JSON_OPEN_MAP)
        return fail(in, "an item of a kind must be an object with its components and \"id\"", item->value.data,
                    (rf_str){0});
    fine = json_slices_read(&members, item->value, &end) || fail_in(in, &members, item->value);
    for (size_t i = 0; fine && i < members.count; i++)
        if (is(json_slices_key(&members, &members.items[i]), "id")) id = &members.items[i];
    if (fine && !id) fine = fail(in, "an item of a kind has no id", item->value.data, (rf_str){0});
    fine = fine && read_id(in, id, &of);
    of.item = in->items.count;
    fine = fine && add(in, &in->items, (change){.id = of.id, .id_at = of.id_at, .value = id->value}) &&
           read_components(in, of, item->value, true);
    json_slices_free(&members);
    return fine;
}

static bool read_kind(changes *in, const json_slice *kind) {
    json_slices items = {0};
    size_t end;
    bool fine = json_slices_read(&items, kind->value, &end) || fail_in(in, &items, kind->value);
    for (size_t i = 0; fine && i < items.count; i++) fine = read_item(in, &items.items[i]);
    json_slices_free(&items);
    return fine;
}

static bool shape_member(changes *in, const json_slice *member, bool *maps, bool *lists) {
    rf_str key = json_slices_key(&in->top, member);
    const char *at = in->line.data + member->key_at;
    bool deleted = is(key, "deleted"), list = member->kind == RF_JSON_OPEN_LIST;
    if (is(key, "seq") || is(key, "at") || is(key, "by")) return true;
    if (shape_key_taken(key)) return fail(in, rf_status_message(RF_INVALID_NAME), at, key);
    if (deleted || is(key, "created")) {
        in->all = false;
        return list ? read_ids(in, member, deleted ? &in->deleted : &in->created)
                    : fail(in, rf_status_message(RF_INVALID_NAME), at, key);
    }
    if (member->kind == RF_JSON_OPEN_MAP) {
        *maps = true;
        return *lists ? fail(in, "maps and lists under the keys of one line", at, key) : read_column(in, member);
    }
    if (list) {
        *lists = true;
        return !*maps || fail(in, "maps and lists under the keys of one line", at, key);
    }
    return fail(in, "this is no event, no map of components and no map of kinds", at, key);
}

static int compare_keys(const void *left, const void *right) {
    const change *a = left, *b = right;
    return json_slices_compare(a->name, b->name);
}

// Reads the lists by kind, in the order of their keys, as a fold does.
static bool read_kinds(changes *in) {
    change_list kinds = {0};
    bool fine = true;
    for (size_t i = 0; i < in->top.count && fine; i++) {
        const json_slice *member = &in->top.items[i];
        rf_str key = json_slices_key(&in->top, member);
        if (member->kind != RF_JSON_OPEN_LIST || is(key, "seq") || is(key, "at") || is(key, "by")) continue;
        if (!is(key, "created") && !is(key, "deleted")) fine = add(in, &kinds, (change){.name = key, .item = i});
    }
    if (fine && kinds.count > 1) qsort(kinds.items, kinds.count, sizeof *kinds.items, compare_keys);
    for (size_t i = 0; i < kinds.count && fine; i++) fine = read_kind(in, &in->top.items[kinds.items[i].item]);
    free(kinds.items);
    return fine;
}

static int compare_ids(const void *left, const void *right) {
    const change *a = left, *b = right;
    int order = json_slices_compare(a->id, b->id);
    return order != 0 ? order : (a->place > b->place) - (a->place < b->place);
}

// Of all there is, an entity may be listed only once.
static bool check_items(changes *in) {
    change_list *list = &in->items;
    if (list->count > 1) qsort(list->items, list->count, sizeof *list->items, compare_ids);
    for (size_t i = 1; i < list->count; i++) {
        if (json_slices_compare(list->items[i - 1].id, list->items[i].id) != 0) continue;
        if (in->all) return fail(in, "an entity is there twice", list->items[i].value.data, list->items[i].id);
        in->twice = true;
    }
    return true;
}

static bool shape(changes *in) {
    bool maps = false, lists = false;
    in->all = true;
    for (size_t i = 0; i < in->top.count; i++)
        if (!shape_member(in, &in->top.items[i], &maps, &lists)) return false;
    in->form = maps ? LINE_COMPONENT : LINE_KIND;
    if (!maps && !lists && in->all) return fail(in, rf_status_message(RF_INVALID_NAME), NULL, (rf_str){0});
    in->all = in->all && lists;
    return read_kinds(in);
}

// ---- a line -------------------------------------------------------------------------------------

static void settle(const changes *in, change_list *list) {
    const char *pool = in->slices.pool;
    for (size_t i = 0; i < list->count; i++) {
        list->items[i].id.data = pool + list->items[i].id_at;
        list->items[i].name.data = pool + list->items[i].name_at;
    }
}

void changes_settle(changes *of) {
    settle(of, &of->set);
    settle(of, &of->created);
    settle(of, &of->items);
    settle(of, &of->deleted);
}

static rf_str stamp(const changes *in, const char *key) {
    const json_slice *item = find(in, key);
    return item ? item->value : (rf_str){0};
}

bool changes_read(changes *out, rf_str text) {
    const json_slice *entity, *domain;
    size_t len = 0;
    bool fine;
    json_slices_clear(&out->slices);
    json_slices_clear(&out->top);
    out->set.count = out->created.count = out->items.count = out->deleted.count = 0;
    out->all = out->twice = false;
    out->error = NULL;
    out->line = text;
    if (text.len > 0 && text.data[0] != '{')
        return fail(out, rf_status_message(RF_NOT_AN_EVENT), text.data, (rf_str){0});
    if (!json_slices_read(&out->top, text, &len)) return fail_in(out, &out->top, text);
    out->line.len = len;
    entity = find(out, "event");
    domain = find(out, "event_name");
    out->seq = stamp(out, "seq");
    out->at = stamp(out, "at");
    out->by = stamp(out, "by");
    fine = entity || domain ? event(out, entity, domain) : shape(out);
    changes_settle(out);
    return fine && check_items(out);
}

void changes_free(changes *of) {
    free(of->set.items);
    free(of->created.items);
    free(of->items.items);
    free(of->deleted.items);
    json_slices_free(&of->slices);
    json_slices_free(&of->top);
    *of = (changes){0};
}
