#include "facts.h"
#include "shape_keys.h"

#include <string.h>

#define AT_END 9007199254740992.0 // 2^53: below it binary64 has every millisecond

static bool same(rf_str a, rf_str b) {
    return a.len == b.len && memcmp(a.data, b.data, a.len) == 0;
}

static bool is(rf_str a, const char *b) {
    return same(a, (rf_str){b, strlen(b)});
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
    out->state = out->number >= 0 && out->number < AT_END ? FACT_THERE : FACT_WRONG;
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

// A number that binary64 can't hold does not end an event that has it where nobody looks: so values are skipped.
rf_status facts_read(rf_str text, facts *out) {
    rf_json_reader *reader;
    rf_json_token token;
    rf_status status = rf_json_reader_new(rf_allocator_default(), text, RF_DEPTH_MAX, &reader);
    keys all = {0};
    out->form = FACTS_OTHER;
    reset(&out->name);
    reset(&out->seq);
    reset(&out->at);
    reset(&out->by);
    if (status != RF_OK) return status;
    token = rf_json_next(reader);
    if (token.kind == RF_JSON_OPEN_MAP) token = rf_json_next(reader);
    while (token.kind == RF_JSON_KEY) {
        void (*set)(fact *, rf_json_token);
        fact *of = fact_of(out, token.as.string, &set);
        key_kind kind = kind_of(out, of, token.as.string);
        rf_str value;
        token = rf_json_skip(reader, &value);
        add_key(&all, kind, token.kind);
        if (of) {
            of->offset = token.offset;
            of->state = token.kind == RF_JSON_NULL ? FACT_ABSENT : FACT_WRONG;
            set(of, token);
        }
        token = rf_json_next(reader);
    }
    out->readable = token.kind == RF_JSON_CLOSE_MAP;
    if (out->readable) out->form = form_of(&all);
    rf_json_reader_free(reader);
    return RF_OK;
}

// The value under a key of the object at the start of the text.
static bool find(rf_str text, rf_str key, rf_str *value) {
    rf_json_reader *reader;
    bool found = false;
    if (rf_json_reader_new(rf_allocator_default(), text, RF_DEPTH_MAX, &reader) != RF_OK) return false;
    rf_json_next(reader);
    for (rf_json_token token = rf_json_next(reader); token.kind == RF_JSON_KEY && !found;
         token = rf_json_next(reader)) {
        found = same(token.as.string, key);
        if (rf_json_skip(reader, value).kind == RF_JSON_ERROR) found = false;
    }
    rf_json_reader_free(reader);
    return found;
}

size_t facts_find(rf_str text, rf_str key) {
    rf_str components, value;
    bool found =
        find(text, (rf_str){"components", 10}, &components) && *components.data == '{' && find(components, key, &value);
    return found || find(text, key, &value) ? (size_t)(value.data - text.data) : 0;
}
