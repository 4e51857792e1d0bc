#include "shape_writer.h"
#include "shape_keys.h"

#include <stdlib.h>
#include <string.h>

// By kind, components stand a level deeper than in an event, and that has at most RF_DEPTH_MAX.
#define KIND_DEPTH (RF_DEPTH_MAX - 3)

static bool same(rf_str a, rf_str b) {
    return json_slices_compare(a, b) == 0;
}

static int by_id(const void *left, const void *right) {
    const change *a = left, *b = right;
    int order = json_slices_compare(a->id, b->id);
    if (order == 0) order = (a->item > b->item) - (a->item < b->item);
    return order != 0 ? order : (a->place > b->place) - (a->place < b->place);
}

static int by_name(const void *left, const void *right) {
    const change *a = left, *b = right;
    int order = json_slices_compare(a->name, b->name);
    return order != 0 ? order : by_id(left, right);
}

static void sort(change_list *list, int (*compare)(const void *, const void *)) {
    if (list->count > 1) qsort(list->items, list->count, sizeof *list->items, compare);
}

// The end of the changes of the same entity, and of the same item of it, which start at `first`.
static size_t entity_end(const change_list *list, size_t first) {
    const change *items = list->items;
    size_t end = first + 1;
    while (end < list->count && items[end].item == items[first].item && same(items[end].id, items[first].id)) end++;
    return end;
}

static bool listed(const change_list *ids, rf_str id) {
    change key = {.id = id};
    size_t low = 0, high = ids->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = json_slices_compare(ids->items[middle].id, key.id);
        if (order == 0) return true;
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return false;
}

// ---- pieces -------------------------------------------------------------------------------------

// Whether the byte at *i stands outside of strings, and is no quote. Moves *i past a backslash to what it escapes.
static bool outside(rf_str text, size_t *i, bool *string) {
    char byte = text.data[*i];
    if (*string && byte == '\\')
        ++*i;
    else if (byte == '"')
        *string = !*string;
    else
        return !*string;
    return false;
}

// Writes a value's text without white space between its tokens, so that it stays on one line.
static void value(output *out, rf_str text) {
    size_t from = 0;
    bool string = false;
    for (size_t i = 0; i < text.len; i++) {
        if (!outside(text, &i, &string) || text.data[i] > ' ') continue;
        output_bytes(out, (rf_str){text.data + from, i - from});
        from = i + 1;
    }
    output_bytes(out, (rf_str){text.data + from, text.len - from});
}

static void comma(output *out, bool *first) {
    if (!*first) output_text(out, ",");
    *first = false;
}

static void key(output *out, rf_str text) {
    output_string(out, text);
    output_text(out, ":");
}

static void member(output *out, const char *name, rf_str text, bool *first) {
    if (!text.data) return;
    comma(out, first);
    output_format(out, "\"%s\":", name);
    value(out, text);
}

// one: the line has only this event, so its seq is written.
static void stamps(output *out, const changes *of, bool one, bool *first) {
    if (one) member(out, "seq", of->seq, first);
    member(out, "at", of->at, first);
    member(out, "by", of->by, first);
}

static void ids(output *out, const char *name, const change_list *list, bool *first) {
    comma(out, first);
    output_format(out, "\"%s\":[", name);
    for (size_t i = 0; i < list->count; i++) {
        if (i > 0) output_text(out, ",");
        output_string(out, list->items[i].id);
    }
    output_text(out, "]");
}

static void components(output *out, const change_list *list, size_t first, size_t end, bool none) {
    for (size_t i = first; i < end; i++) {
        if (!list->items[i].value.data) continue;
        comma(out, &none);
        key(out, list->items[i].name);
        value(out, list->items[i].value);
    }
}

// ---- events -------------------------------------------------------------------------------------

// Whether an entity, in the order of ids, is only listed under "created"; the first time it is.
static bool only_created(const changes *of, size_t i) {
    rf_str id = of->created.items[i].id;
    return !listed(&of->set, id) && (i == 0 || !same(id, of->created.items[i - 1].id));
}

static size_t count_events(const changes *of) {
    size_t count = of->deleted.count;
    for (size_t i = 0; i < of->set.count; i = entity_end(&of->set, i)) count++;
    // By component, an entity created without components is only listed under "created".
    for (size_t i = 0; i < of->created.count; i++) count += only_created(of, i);
    return count;
}

static void event(output *out, const char *name, rf_str id) {
    output_format(out, "{\"event\":\"%s\",\"entity_id\":", name);
    output_string(out, id);
}

static void end_event(output *out, const changes *of, bool one) {
    bool first = false;
    stamps(out, of, one, &first);
    output_text(out, "}\n");
}

// Creates entities that are only listed under "created", up to the id `before` (NULL: all that are left).
static size_t bare_creates(output *out, const changes *of, bool one, size_t at, const rf_str *before) {
    for (; at < of->created.count; at++) {
        rf_str id = of->created.items[at].id;
        if (before && json_slices_compare(id, *before) >= 0) break;
        if (!only_created(of, at)) continue;
        event(out, "create", id);
        output_text(out, ",\"components\":{}");
        end_event(out, of, one);
    }
    return at;
}

// Deletes first, then the entities in the order of their ids.
static void events(const shape_writer *writer, output *out, changes *of) {
    size_t next = 0; // of those created
    bool one;
    sort(&of->set, by_id);
    sort(&of->created, by_id);
    one = count_events(of) == 1;
    for (size_t i = 0; i < of->deleted.count; i++) {
        event(out, "delete", of->deleted.items[i].id);
        end_event(out, of, one);
    }
    for (size_t i = 0, end; i < of->set.count; i = end) {
        rf_str id = of->set.items[i].id;
        end = entity_end(&of->set, i);
        next = bare_creates(out, of, one, next, &id);
        event(out, writer->create || listed(&of->created, id) ? "create" : "update", id);
        output_text(out, ",\"components\":{");
        components(out, &of->set, i, end, true);
        output_text(out, "}");
        end_event(out, of, one);
    }
    bare_creates(out, of, one, next, NULL);
}

// ---- the other shapes ---------------------------------------------------------------------------

static void lossless(const shape_writer *writer, output *out, const changes *of, bool *first) {
    if (writer->lossless) stamps(out, of, true, first);
}

// By component, the line's other keys are in the same object as the components' names.
static bool is_key(rf_str name) {
    static const char *const keys[] = {"event", "event_name", "seq", "at", "by", "created", "deleted"};
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        if (same(name, (rf_str){keys[i], strlen(keys[i])})) return true;
    return shape_key_taken(name);
}

// A line by component can't have such names, nor, without loss, an update without components.
static bool fits_component(const shape_writer *writer, changes *of) {
    bool bare = false;
    if (of->twice) return false;
    for (size_t i = 0; i < of->set.count; i++) {
        if (of->set.items[i].value.data && is_key(of->set.items[i].name)) return false;
        bare = bare || !of->set.items[i].value.data;
    }
    if (!bare || !writer->lossless) return true;
    sort(&of->created, by_id);
    for (size_t i = 0; i < of->set.count; i++)
        if (!of->set.items[i].value.data && !listed(&of->created, of->set.items[i].id)) return false;
    return true;
}

static bool too_deep(rf_str text) {
    size_t depth = 0, most = 0;
    bool string = false;
    if (text.len <= 2 * KIND_DEPTH) return false;
    for (size_t i = 0; i < text.len; i++) {
        if (!outside(text, &i, &string)) continue;
        depth += text.data[i] == '{' || text.data[i] == '[';
        depth -= text.data[i] == '}' || text.data[i] == ']';
        if (depth > most) most = depth;
    }
    return most > KIND_DEPTH;
}

// By kind, the key is the kind with an s behind it. *fits: of one component.
static rf_status fits_kind_item(changes *of, const change *item, bool *fits) {
    json_slice kind;
    char key[16];
    rf_str text;
    *fits = !item->value.data || !too_deep(item->value);
    if (!same(item->name, (rf_str){"kind", 4}) || !item->value.data || item->value.data[0] != '"') return RF_OK;
    if (!json_slices_string(&of->slices, item->value, &kind)) return RF_NO_MEMORY;
    changes_settle(of);
    text = json_slices_key(&of->slices, &kind);
    if (text.len == 0 || text.len >= sizeof key) return RF_OK;
    memcpy(key, text.data, text.len);
    key[text.len] = 's';
    *fits = !shape_key_taken((rf_str){key, text.len + 1});
    return RF_OK;
}

static rf_status fits_kind(changes *of, bool *fits) {
    rf_status status = RF_OK;
    *fits = !of->twice;
    for (size_t i = 0; i < of->set.count && *fits && status == RF_OK; i++)
        status = fits_kind_item(of, &of->set.items[i], fits);
    return status;
}

static void by_component(const shape_writer *writer, output *out, changes *of) {
    bool first = true, nothing = true;
    sort(&of->set, by_name);
    for (size_t i = 0; i < of->set.count; i++) nothing = nothing && !of->set.items[i].value.data;
    if (nothing && of->deleted.count == 0 && of->created.count == 0) return;
    output_text(out, "{");
    for (size_t i = 0; i < of->set.count; i++) {
        const change *item = &of->set.items[i];
        bool opens = i == 0 || !item[-1].value.data || !same(item->name, item[-1].name);
        if (!item->value.data) continue;
        if (opens) {
            if (!first) output_text(out, "},");
            key(out, item->name);
        }
        first = false;
        output_text(out, opens ? "{" : ",");
        key(out, item->id);
        value(out, item->value);
    }
    if (!first) output_text(out, "}");
    if (of->deleted.count > 0) ids(out, "deleted", &of->deleted, &first);
    if (of->created.count > 0) ids(out, "created", &of->created, &first);
    lossless(writer, out, of, &first);
    output_text(out, "}\n");
}

typedef struct kind_item {
    rf_str kind;
    size_t first, end; // of the changes
} kind_item;

static int by_kind_and_id(const void *left, const void *right) {
    const kind_item *a = left, *b = right;
    int order = json_slices_compare(a->kind, b->kind);
    return order != 0 ? order : (a->first > b->first) - (a->first < b->first);
}

// The kind that this line sets; "other" if it sets none, or not a string. Its bytes are kept in the pool.
static bool kind_of(changes *of, size_t first, size_t end, json_slice *out) {
    for (size_t i = first; i < end; i++) {
        const change *item = &of->set.items[i];
        if (same(item->name, (rf_str){"kind", 4}) && item->value.data[0] == '"')
            return json_slices_string(&of->slices, item->value, out);
    }
    return json_slices_string(&of->slices, (rf_str){"\"other\"", 7}, out);
}

// Lists the entities with their kinds. Adding kinds moves the pool, so ids and names are settled again afterwards.
static rf_status find_kinds(changes *of, kind_item **out, size_t *count) {
    kind_item *items = malloc((of->set.count + 1) * sizeof *items);
    json_slice *kinds = malloc((of->set.count + 1) * sizeof *kinds);
    bool fine = items && kinds;
    *count = 0;
    for (size_t i = 0, end; fine && i < of->set.count; i = end, ++*count) {
        end = entity_end(&of->set, i);
        items[*count] = (kind_item){.first = i, .end = end};
        fine = kind_of(of, i, end, &kinds[*count]);
        changes_settle(of);
    }
    for (size_t i = 0; fine && i < *count; i++) items[i].kind = json_slices_key(&of->slices, &kinds[i]);
    free(kinds);
    *out = items;
    return fine ? RF_OK : RF_NO_MEMORY;
}

static rf_status by_kind(const shape_writer *writer, output *out, changes *of) {
    kind_item *items;
    size_t count;
    bool first = true;
    rf_status status;
    sort(&of->set, by_id);
    status = find_kinds(of, &items, &count);
    if (status == RF_OK) {
        if (count > 1) qsort(items, count, sizeof *items, by_kind_and_id);
        output_text(out, "{");
        for (size_t i = 0; i < count; i++) {
            bool opens = i == 0 || !same(items[i].kind, items[i - 1].kind);
            if (opens) {
                if (i > 0) output_text(out, "],");
                output_string(out, items[i].kind);
                if (out->len > 0) out->len--; // the quote
                output_text(out, "s\":");
            }
            output_text(out, opens ? "[{\"id\":" : ",{\"id\":");
            output_string(out, of->set.items[items[i].first].id);
            components(out, &of->set, items[i].first, items[i].end, false);
            output_text(out, "}");
        }
        if (count > 0) output_text(out, "]");
        first = count == 0;
        // Without these two, a line would be a snapshot and not changes.
        ids(out, "deleted", &of->deleted, &first);
        ids(out, "created", &of->created, &first);
        lossless(writer, out, of, &first);
        output_text(out, "}\n");
    }
    free(items);
    return status;
}

void shape_copy(output *out, const changes *of) {
    value(out, of->line);
    output_text(out, "\n");
}

rf_status shape_write(const shape_writer *writer, output *out, changes *of) {
    bool event = of->form == LINE_ENTITY || of->form == LINE_DOMAIN;
    shape to = writer->to;
    bool fits = true;
    rf_status status = RF_OK;
    if (to == SHAPE_COMPONENT) fits = fits_component(writer, of);
    if (to == SHAPE_KIND) status = fits_kind(of, &fits);
    if (status != RF_OK) return status;
    if (!fits) to = SHAPE_EVENTS;
    if (of->form == LINE_DOMAIN || (event && to == SHAPE_EVENTS)) {
        shape_copy(out, of);
        return RF_OK;
    }
    switch (to) {
    case SHAPE_EVENTS:
        events(writer, out, of);
        break;
    case SHAPE_COMPONENT:
        by_component(writer, out, of);
        break;
    case SHAPE_KIND:
        return by_kind(writer, out, of);
    }
    return RF_OK;
}
