#include "facts.h"
#include "json_slices.h"
#include "shape_keys.h"

#include <string.h>

static bool is(rf_str a, const char *b) {
    return a.len == strlen(b) && memcmp(a.data, b, a.len) == 0;
}

static int step(rf_json_kind kind) {
    if (kind == RF_JSON_OPEN_MAP || kind == RF_JSON_OPEN_LIST) return 1;
    return kind == RF_JSON_CLOSE_MAP || kind == RF_JSON_CLOSE_LIST ? -1 : 0;
}

static void set_text(fact *out, rf_json_token value) {
    rf_str text = value.as.string;
    if (value.kind != RF_JSON_STRING) return;
    out->state = text.len >= 1 && text.len <= RF_NAME_MAX ? FACT_THERE : FACT_WRONG;
    out->len = text.len < RF_NAME_MAX ? text.len : RF_NAME_MAX;
    memcpy(out->text, text.data, out->len);
}

static void set_seq(fact *out, rf_json_token value) {
    if (value.kind != RF_JSON_INT || value.as.integer < 1 || (uint64_t)value.as.integer > RF_SEQ_MAX) return;
    out->state = FACT_THERE;
    out->number = (double)value.as.integer;
}

static void set_at(fact *out, rf_json_token value) {
    if (value.kind == RF_JSON_INT)
        out->number = (double)value.as.integer;
    else if (value.kind == RF_JSON_FLOAT)
        out->number = value.as.number;
    else
        return;
    out->state = out->number >= 0 ? FACT_THERE : FACT_WRONG;
}

static fact *fact_of(facts *out, rf_str key, void (**set)(fact *, rf_json_token)) {
    if (is(key, "event") || is(key, "event_name")) {
        *set = set_text;
        return &out->name;
    }
    if (is(key, "by")) {
        *set = set_text;
        return &out->by;
    }
    *set = is(key, "seq") ? set_seq : set_at;
    return is(key, "seq") ? &out->seq : is(key, "at") ? &out->at : NULL;
}

// What the keys of an object are, and what stands under them.
typedef struct keys {
    bool wrong; // no object of several entities has such a key, or such a value under it
    bool maps, lists, changes;
} keys;

typedef enum key_kind { KEY_STAMP, KEY_TAKEN, KEY_CHANGES, KEY_OTHER } key_kind;

static key_kind kind_of(const facts *in, const fact *known, rf_str key) {
    if (known) return known == &in->name ? KEY_TAKEN : KEY_STAMP;
    if (is(key, "created") || is(key, "deleted")) return KEY_CHANGES;
    return shape_key_taken(key) ? KEY_TAKEN : KEY_OTHER;
}

static void add_key(keys *to, key_kind key, rf_json_kind value) {
    bool map = value == RF_JSON_OPEN_MAP, list = value == RF_JSON_OPEN_LIST;
    if (key == KEY_STAMP) return;
    to->wrong |= key == KEY_TAKEN || !(list || (map && key == KEY_OTHER));
    to->changes |= key == KEY_CHANGES;
    to->maps |= map;
    to->lists |= list && key == KEY_OTHER;
}

static facts_form form_of(const keys *of) {
    if (of->wrong || (of->maps && of->lists)) return FACTS_OTHER;
    if (of->lists && !of->changes) return FACTS_ALL;
    return of->maps || of->lists || of->changes ? FACTS_SEVERAL : FACTS_OTHER;
}

static void reset(fact *out) {
    out->state = FACT_ABSENT;
    out->offset = out->len = 0;
    out->number = 0;
}

// A number that binary64 can't hold ends a reader, but not an event that has it where nobody looks: its members are
// read one by one.
static rf_status read_members(rf_str text, facts *out, keys *all) {
    json_slices members = {0};
    size_t end;
    rf_status status = RF_OK;
    out->readable = json_slices_read(&members, text, &end);
    for (size_t i = 0; i < members.count && status == RF_OK; i++) {
        const json_slice *item = &members.items[i];
        rf_str key = json_slices_key(&members, item);
        void (*set)(fact *, rf_json_token);
        fact *of = fact_of(out, key, &set);
        rf_json_reader *reader;
        add_key(all, kind_of(out, of, key), item->kind);
        if (!of) continue;
        of->offset = (size_t)(item->value.data - text.data);
        of->state = item->kind == RF_JSON_NULL ? FACT_ABSENT : FACT_WRONG;
        status = rf_json_reader_new(rf_allocator_default(), item->value, RF_DEPTH_MAX, &reader);
        if (status == RF_OK) set(of, rf_json_next(reader));
        if (status == RF_OK) rf_json_reader_free(reader);
    }
    json_slices_free(&members);
    return status;
}

static bool out_of_range(const rf_json_reader *reader) {
    return rf_json_error(reader).status == RF_NUMBER_OUT_OF_RANGE;
}

rf_status facts_read(rf_str text, facts *out) {
    rf_json_reader *reader;
    rf_json_token token;
    rf_status status = rf_json_reader_new(rf_allocator_default(), text, RF_DEPTH_MAX, &reader);
    keys all = {0};
    int depth = 0;
    out->readable = false;
    out->form = FACTS_OTHER;
    reset(&out->name);
    reset(&out->seq);
    reset(&out->at);
    reset(&out->by);
    if (status != RF_OK) return status;
    token = rf_json_next(reader);
    depth = token.kind == RF_JSON_OPEN_MAP;
    while (depth > 0 && token.kind != RF_JSON_ERROR) {
        void (*set)(fact *, rf_json_token);
        key_kind kind;
        fact *of;
        token = rf_json_next(reader);
        depth += step(token.kind);
        if (depth != 1 || token.kind != RF_JSON_KEY) continue;
        of = fact_of(out, token.as.string, &set);
        kind = kind_of(out, of, token.as.string);
        token = rf_json_next(reader);
        depth += step(token.kind);
        add_key(&all, kind, token.kind);
        if (!of) continue;
        of->offset = token.offset;
        of->state = token.kind == RF_JSON_NULL ? FACT_ABSENT : FACT_WRONG;
        set(of, token);
    }
    out->readable = depth == 0 && token.kind == RF_JSON_CLOSE_MAP;
    if (depth > 0 && out_of_range(reader)) {
        all = (keys){0};
        status = read_members(text, out, &all);
    }
    if (out->readable) out->form = form_of(&all);
    rf_json_reader_free(reader);
    return status;
}

static const json_slice *member(const json_slices *of, rf_str key) {
    for (size_t i = 0; i < of->count; i++)
        if (json_slices_compare(json_slices_key(of, &of->items[i]), key) == 0) return &of->items[i];
    return NULL;
}

// The same as facts_find, for events with a number that binary64 can't hold.
static size_t find_member(rf_str text, rf_str key) {
    json_slices top = {0}, inner = {0};
    const json_slice *found = NULL, *components;
    size_t end, at;
    if (json_slices_read(&top, text, &end)) {
        components = member(&top, (rf_str){"components", 10});
        if (components && components->kind == RF_JSON_OPEN_MAP && json_slices_read(&inner, components->value, &end))
            found = member(&inner, key);
        if (!found) found = member(&top, key);
    }
    at = found ? (size_t)(found->value.data - text.data) : 0;
    json_slices_free(&top);
    json_slices_free(&inner);
    return at;
}

size_t facts_find(rf_str text, rf_str key) {
    rf_json_reader *reader;
    rf_json_token token;
    size_t found = 0;
    bool in_components = false;
    int depth = 0;
    if (rf_json_reader_new(rf_allocator_default(), text, RF_DEPTH_MAX, &reader) != RF_OK) return 0;
    do {
        bool wanted, inner;
        token = rf_json_next(reader);
        depth += step(token.kind);
        if (token.kind != RF_JSON_KEY || depth > 2) continue;
        inner = depth == 2 && in_components;
        wanted = (depth == 1 || inner) && token.as.string.len == key.len &&
                 memcmp(token.as.string.data, key.data, key.len) == 0;
        if (depth == 1) in_components = is(token.as.string, "components");
        if (!wanted) continue;
        token = rf_json_next(reader);
        depth += step(token.kind);
        found = token.offset;
        if (inner) break;
    } while (depth > 0 && token.kind != RF_JSON_ERROR);
    if (token.kind == RF_JSON_ERROR && out_of_range(reader)) found = find_member(text, key);
    rf_json_reader_free(reader);
    return found;
}
