// fold_changes.c: folds an object that changes several entities, component first or by kind (docs/event-model.md,
// "Several entities at once"). Its text has been read before, so it is known to be JSON without duplicate keys. It is
// split into operations, which are done like the equivalent entity events.
#include "json/scan.h"
#include "value_json.h"
#include <stdlib.h>

// A component of an operation. Its value starts at `offset` in the text.
typedef struct change_value {
    rf_str id;       // component first only
    uint64_t prefix; // of the id
    rf_str name;
    size_t offset;
} change_value;

// An operation on an entity. An id whose data is NULL was not a string.
typedef struct change_op {
    rf_str id, kind;
    uint64_t prefix; // of the id
    size_t position, first_value, value_count;
} change_op;

typedef struct changes {
    rf_fold *fold;
    rf_scan scan;     // of the object
    rf_arena strings; // strings that had escapes
    rf_buf values;    // change_value
    rf_buf ops;       // change_op
    rf_buf created;   // rf_str
    rf_buf deleted;   // rf_str
    bool by_component, by_kind, listed;
    bool whole; // by kind: all there is
    bool no_memory;
} changes;

static change_value *values_of(const changes *all) {
    return (change_value *)(void *)all->values.data;
}

static change_op *ops_of(const changes *all) {
    return (change_op *)(void *)all->ops.data;
}

static size_t value_count(const changes *all) {
    return all->values.len / sizeof(change_value);
}

static size_t op_count(const changes *all) {
    return all->ops.len / sizeof(change_op);
}

static bool fail(changes *all) {
    all->no_memory = true;
    return false;
}

static bool add(changes *all, rf_buf *buf, const void *item, size_t size) {
    rf_buf_bytes(buf, item, size);
    return !buf->failed || fail(all);
}

// An id's first eight bytes as a number. If those of two ids differ, they compare like the ids.
static uint64_t prefix_of(rf_str id) {
    uint64_t out = 0;
    for (size_t i = 0; i < 8; i++) out = out << 8 | (i < id.len ? (uint8_t)id.data[i] : 0);
    return out;
}

// ---- taking apart: false where the object is no change, or there is no memory -----------------------

// Skips a value; a comma or a bracket follows it.
static void skip(changes *all) {
    all->scan.at = rf_value_json_end(all->scan.at, all->scan.end);
}

// Reads a string, which stays valid; its data is never NULL.
static bool read_string(changes *all, rf_str *out) {
    if (!rf_scan_string(&all->scan, &all->strings, out)) return fail(all);
    if (out->len == 0) out->data = "";
    return true;
}

// Reads an id; anything but a string gives an id without data.
static bool read_id(changes *all, rf_str *out) {
    *out = (rf_str){0};
    if (*all->scan.at == '"') return read_string(all, out);
    skip(all);
    return true;
}

// Opens a list or map, or continues after one of its values. False: it has ended.
static bool more(changes *all, bool *first) {
    char byte;
    if (!*first) rf_scan_space(&all->scan);
    byte = *all->scan.at;
    if (*first || byte == ',') {
        all->scan.at++;
        rf_scan_space(&all->scan);
        byte = *all->scan.at;
    }
    *first = false;
    if (byte != ']' && byte != '}') return true;
    all->scan.at++;
    return false;
}

// Reads a key; the scan is then at its value.
static bool read_key(changes *all, rf_str *out) {
    if (!read_string(all, out)) return false;
    rf_scan_space(&all->scan);
    all->scan.at++;
    rf_scan_space(&all->scan);
    return true;
}

static size_t here(const changes *all) {
    return (size_t)(all->scan.at - all->scan.begin);
}

// Reads a list of ids; anything but a string gives an id without data.
static bool read_ids(changes *all, rf_buf *out) {
    rf_str id;
    if (*all->scan.at != '[') return false;
    all->listed = true;
    for (bool first = true; more(all, &first);)
        if (!read_id(all, &id) || !add(all, out, &id, sizeof id)) return false;
    return true;
}

// Reads {id: value, ...} of a component.
static bool read_column(changes *all, rf_str name) {
    for (bool first = true; more(all, &first);) {
        change_value value = {.name = name};
        if (!read_key(all, &value.id)) return false;
        value.prefix = prefix_of(value.id);
        value.offset = here(all);
        skip(all);
        if (!add(all, &all->values, &value, sizeof value)) return false;
    }
    return true;
}

static bool read_item_entry(changes *all, change_op *op) {
    change_value value = {0};
    if (!read_key(all, &value.name)) return false;
    if (rf_str_eq(value.name, RF_LIT("id"))) return read_id(all, &op->id);
    value.offset = here(all);
    skip(all);
    return add(all, &all->values, &value, sizeof value);
}

// Reads an item of a kind's list. Anything but an object is an item without an id.
static bool read_item(changes *all, rf_str kind) {
    change_op op = {.kind = kind, .position = op_count(all), .first_value = value_count(all)};
    if (*all->scan.at != '{') {
        skip(all);
        return add(all, &all->ops, &op, sizeof op);
    }
    for (bool first = true; more(all, &first);)
        if (!read_item_entry(all, &op)) return false;
    op.value_count = value_count(all) - op.first_value;
    op.prefix = prefix_of(op.id);
    return add(all, &all->ops, &op, sizeof op);
}

static bool read_kind(changes *all, rf_str kind) {
    for (bool first = true; more(all, &first);)
        if (!read_item(all, kind)) return false;
    return true;
}

// Reserved keys: an object with one of them is no change (docs/event-model.md).
static bool is_reserved(rf_str key) {
    static const char *const keys[] = {"event", "event_name", "entities", "components", "kinds",
                                       "from",  "creates",    "updates",  "deletes"};
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        if (rf_str_eq(key, (rf_str){keys[i], strlen(keys[i])})) return true;
    return false;
}

static bool is_metadata(rf_str key) {
    return rf_str_eq(key, RF_LIT("seq")) || rf_str_eq(key, RF_LIT("at")) || rf_str_eq(key, RF_LIT("by"));
}

static bool read_entry(changes *all, rf_str key) {
    if (is_reserved(key)) return false;
    if (rf_str_eq(key, RF_LIT("created"))) return read_ids(all, &all->created);
    if (rf_str_eq(key, RF_LIT("deleted"))) return read_ids(all, &all->deleted);
    if (is_metadata(key)) {
        skip(all);
        return true;
    }
    if (*all->scan.at == '{' && !all->by_kind) {
        all->by_component = true;
        return read_column(all, key);
    }
    if (*all->scan.at == '[' && !all->by_component) {
        all->by_kind = true;
        return read_kind(all, key);
    }
    return false;
}

static bool read_object(changes *all) {
    for (bool first = true; more(all, &first);) {
        rf_str key;
        if (!read_key(all, &key) || !read_entry(all, key)) return false;
    }
    all->whole = all->by_kind && !all->listed;
    return all->by_component || all->by_kind || all->listed;
}

// ---- in order ---------------------------------------------------------------------------------------

// An id without data comes before the empty string.
static int compare_id(rf_str a, rf_str b) {
    return a.len == 0 && b.len == 0 ? (a.data != NULL) - (b.data != NULL) : rf_str_cmp(a, b);
}

static int compare_offsets(size_t a, size_t b) {
    return (a > b) - (a < b);
}

static int compare_values(const void *a, const void *b) {
    const change_value *left = a, *right = b;
    int order;
    if (left->prefix != right->prefix) return left->prefix < right->prefix ? -1 : 1;
    order = compare_id(left->id, right->id);
    return order != 0 ? order : compare_offsets(left->offset, right->offset);
}

static int compare_ops(const void *a, const void *b) {
    const change_op *left = a, *right = b;
    int order;
    if (left->prefix != right->prefix) return left->prefix < right->prefix ? -1 : 1;
    order = compare_id(left->id, right->id);
    if (order == 0) order = rf_str_cmp(left->kind, right->kind);
    return order != 0 ? order : compare_offsets(left->position, right->position);
}

static int compare_ids(const void *a, const void *b) {
    return compare_id(*(const rf_str *)a, *(const rf_str *)b);
}

// Usually the items are sorted already.
static void sort(rf_buf *buf, size_t size, int (*compare)(const void *, const void *)) {
    for (size_t at = size; at < buf->len; at += size) {
        if (compare(buf->data + at - size, buf->data + at) <= 0) continue;
        qsort(buf->data, buf->len / size, size, compare);
        return;
    }
}

// Component first: merges everything about an id into one operation.
static bool gather(changes *all) {
    const change_value *values = values_of(all);
    sort(&all->values, sizeof(change_value), compare_values);
    for (size_t i = 0, end; i < value_count(all); i = end) {
        change_op op = {.id = values[i].id, .prefix = values[i].prefix, .first_value = i};
        for (end = i + 1; end < value_count(all) && rf_str_eq(values[i].id, values[end].id);) end++;
        op.value_count = end - i;
        if (!add(all, &all->ops, &op, sizeof op)) return false;
    }
    return true;
}

static bool is_id(rf_str id) {
    return id.data && id.len > 0 && id.len <= RF_NAME_MAX;
}

// In a snapshot, each item must have a unique id; otherwise it is unknown which entities are gone.
static bool is_snapshot(const changes *all) {
    const change_op *ops = ops_of(all);
    for (size_t i = 0; i < op_count(all); i++)
        if (!is_id(ops[i].id) || (i > 0 && rf_str_eq(ops[i - 1].id, ops[i].id))) return false;
    return true;
}

static int compare_op_id(const void *key, const void *op) {
    return compare_id(*(const rf_str *)key, ((const change_op *)op)->id);
}

// Adds operations for entities that are created without components.
static bool add_created(changes *all) {
    const rf_str *ids = (const rf_str *)(const void *)all->created.data;
    size_t count = op_count(all);
    sort(&all->ops, sizeof(change_op), compare_ops);
    sort(&all->created, sizeof *ids, compare_ids);
    for (size_t i = 0; i < all->created.len / sizeof *ids; i++) {
        change_op op = {.id = ids[i], .prefix = prefix_of(ids[i])};
        if (ids[i].data) {
            if (i > 0 && ids[i - 1].data && rf_str_eq(ids[i - 1], ids[i])) continue;
            if (count > 0 && bsearch(&ids[i], all->ops.data, count, sizeof op, compare_op_id)) continue;
        }
        if (!add(all, &all->ops, &op, sizeof op)) return false;
    }
    sort(&all->ops, sizeof(change_op), compare_ops);
    return true;
}

// ---- doing it -----------------------------------------------------------------------------------------

static bool is_created(const changes *all, rf_str id) {
    return id.data && all->created.len > 0 &&
           bsearch(&id, all->created.data, all->created.len / sizeof id, sizeof id, compare_ids);
}

static bool has_op(const changes *all, rf_str id) {
    return op_count(all) > 0 && bsearch(&id, all->ops.data, op_count(all), sizeof(change_op), compare_op_id);
}

static void begin_op(rf_fold *fold, rf_str name, rf_str id) {
    rf_event_begin(fold, name);
    rf_event_field(fold, RF_LIT("entity_id"));
    if (id.data) rf_put_string(fold, id);
}

static rf_status do_op(changes *all, const change_op *op) {
    rf_fold *fold = all->fold;
    const change_value *values = op->value_count > 0 ? values_of(all) + op->first_value : NULL;
    begin_op(fold, all->whole || is_created(all, op->id) ? RF_LIT("create") : RF_LIT("update"), op->id);
    rf_event_field(fold, RF_LIT("components"));
    rf_event_components(fold);
    for (size_t i = 0; i < op->value_count; i++) {
        rf_scan scan = all->scan;
        scan.at = scan.begin + values[i].offset;
        if (rf_value_json_read(fold, &scan, rf_event_component(fold, values[i].name), 2)) continue;
        fold->no_memory = false; // the only possible error in a text that has been read before
        return RF_NO_MEMORY;
    }
    return rf_fold_apply(fold);
}

// Deletes the entities that the snapshot does not have, in the order of handles.
static rf_status delete_unlisted(changes *all) {
    const rf_world *world = all->fold->world;
    rf_entity entity = {0};
    rf_status status = RF_OK;
    while (status == RF_OK && rf_world_next(world, &entity)) {
        rf_str id = rf_world_id(world, entity);
        if (has_op(all, id)) continue;
        begin_op(all->fold, RF_LIT("delete"), id);
        status = rf_fold_apply(all->fold);
    }
    return status;
}

static rf_status delete_listed(changes *all) {
    const rf_str *deleted = (const rf_str *)(const void *)all->deleted.data;
    rf_status status = RF_OK;
    for (size_t i = 0; i < all->deleted.len / sizeof *deleted && status == RF_OK; i++) {
        begin_op(all->fold, RF_LIT("delete"), deleted[i]);
        status = rf_fold_apply(all->fold);
    }
    return status;
}

static rf_status do_all(changes *all) {
    rf_status status = all->whole ? delete_unlisted(all) : delete_listed(all);
    for (size_t i = 0; i < op_count(all) && status == RF_OK; i++) status = do_op(all, &ops_of(all)[i]);
    return status;
}

// Applies all operations under the object's seq. The object counts as folded if an operation does, or if it has none.
static rf_status apply(changes *all) {
    rf_report *report = all->fold->report;
    uint64_t before = report->folded, rejected = report->rejected_count;
    bool patching = all->fold->patching;
    rf_status status;
    all->fold->unusable = all->whole && !is_snapshot(all) ? RF_INVALID_SNAPSHOT : RF_OK;
    if (!rf_fold_accept(all->fold)) return RF_OK;
    all->fold->patching = true;
    status = do_all(all);
    all->fold->patching = patching;
    report->folded = before + (report->folded > before || report->rejected_count == rejected);
    return status;
}

rf_status rf_fold_changes(rf_fold *fold, rf_str object) {
    changes all = {.fold = fold, .scan = rf_scan_start(object)};
    rf_status status;
    bool is_change;
    rf_arena_init(&all.strings, fold->allocator);
    rf_buf_init(&all.values, fold->allocator);
    rf_buf_init(&all.ops, fold->allocator);
    rf_buf_init(&all.created, fold->allocator);
    rf_buf_init(&all.deleted, fold->allocator);
    is_change = read_object(&all) && (all.by_kind || gather(&all)) && add_created(&all);
    if (all.no_memory) {
        fold->no_memory = false;
        status = RF_NO_MEMORY;
    } else if (is_change) {
        status = apply(&all);
        if (status == RF_OK) fold->index++;
    } else {
        status = rf_event_end(fold); // which reports that it has no name
    }
    rf_arena_free(&all.strings);
    rf_buf_free(&all.values);
    rf_buf_free(&all.ops);
    rf_buf_free(&all.created);
    rf_buf_free(&all.deleted);
    return status;
}
