#include "event_json.h"

#include "admit_state.h"
#include "value_json.h"

// Reads a value, and records its position for a template. The name is in the text unless it has escapes.
static bool marked_value(rf_fold *fold, rf_scan *scan, rf_want want, rf_template_mark mark, unsigned depth) {
    bool simple;
    rf_scan_space(scan);
    mark.start = scan->at;
    mark.numbers = want.kind == RF_WANT_NUMBERS ? want.count : 0;
    simple = scan->at < scan->end && *scan->at != '{' && (*scan->at != '[' || want.kind == RF_WANT_NUMBERS);
    if (!rf_value_json_read(fold, scan, want, depth)) return false;
    mark.end = scan->at;
    rf_template_mark_value(&fold->templates, &mark, simple);
    return true;
}

// ---- components ---------------------------------------------------------------------------------

// Detects duplicates of declared components by column, of others by key.
static bool component_key(rf_fold *fold, rf_scan *scan, int *column, rf_str *name) {
    const char *start;
    if (!rf_value_json_key(fold, scan, name, &start)) return false;
    *column = rf_schema_lookup(fold->world->schema, *name);
    if (*column >= 0) {
        uint64_t bit = UINT64_C(1) << *column;
        if (fold->declared_seen & bit) return rf_scan_fail(scan, RF_DUPLICATE_KEY, start);
        fold->declared_seen |= bit;
    } else if (!rf_value_json_add_key(fold, scan, *name, start)) {
        return false;
    }
    if (name->data != start + 1) fold->templates.marking = false;
    return rf_scan_expect(scan, ':');
}

static bool more_entries(rf_scan *scan) {
    rf_scan_space(scan);
    if (scan->at >= scan->end || *scan->at != ',') return false;
    scan->at++;
    return true;
}

// Reads "components": the entries of a map become components; anything else is put as a value, which will be rejected.
static bool components(rf_fold *fold, rf_scan *scan) {
    rf_scan_space(scan);
    if (scan->at >= scan->end || *scan->at != '{') {
        fold->templates.marking = false;
        return rf_value_json_any(fold, scan, 1);
    }
    fold->has_components = true;
    scan->at++;
    rf_scan_space(scan);
    if (scan->at < scan->end && *scan->at == '}') {
        scan->at++;
        return true;
    }
    rf_key_set_push(&fold->keys);
    do {
        rf_template_mark mark = {.component = true};
        if (!component_key(fold, scan, &mark.target, &mark.name)) return false;
        if (!marked_value(fold, scan, rf_draft_component_at(fold, mark.name, mark.target), mark, 2)) return false;
    } while (more_entries(scan));
    rf_key_set_pop(&fold->keys);
    return rf_scan_expect(scan, '}');
}

// ---- the event's name ---------------------------------------------------------------------------

static bool is_event(rf_str key) {
    return rf_str_eq(key, RF_LIT("event"));
}

static bool is_event_name(rf_str key) {
    return rf_str_eq(key, RF_LIT("event_name"));
}

static const char *skip_space(const char *at, const char *end) {
    while (at < end && (*at == ' ' || *at == '\n' || *at == '\r' || *at == '\t')) at++;
    return at;
}

static bool is_name_key(const char *key, const char *end) {
    return end - key > 12 && (memcmp(key, "\"event\"", 7) == 0 || memcmp(key, "\"event_name\"", 12) == 0);
}

// Broken objects, of which no end is found, would be searched to the end of the text, each again. Once so many bytes
// have been searched in vain, only so many are searched of an object; if its name comes later, it is read twice.
#define VAIN_MAX ((size_t)1 << 20)
#define AHEAD_MAX 1024

// Searches from a key that is not the name's.
static const char *search_name(rf_fold *fold, const char *key, const char *end) {
    const char *start = key;
    if (fold->searched_in_vain > VAIN_MAX && end - key > AHEAD_MAX) end = key + AHEAD_MAX;
    while (key < end && *key == '"') {
        const char *at = rf_value_json_end(key, end); // of the key, its colon and its value
        if (!at) {
            fold->searched_in_vain += (size_t)(end - start);
            return NULL;
        }
        if (*at != ',') return NULL;
        key = skip_space(at + 1, end);
        if (is_name_key(key, end)) return key;
    }
    return NULL;
}

// Looks ahead from an event's first key for the key of its name; NULL if there is none. In text that is not JSON the
// result can be anything, but then reading the event will fail anyway.
static const char *find_name(rf_fold *fold, const char *at, const char *end) {
    const char *key = skip_space(at, end);
    return is_name_key(key, end) ? key : search_name(fold, key, end);
}

// Begins the draft with the name whose key is at name_at (or NULL). If its value cannot be a name, the draft is
// unusable.
static void begin_event(rf_fold *fold, const rf_scan *scan, const char *name_at) {
    rf_scan ahead = *scan;
    rf_str key, name = {0};
    ahead.at = name_at;
    if (!name_at || !rf_scan_string(&ahead, &fold->arena, &key) || !rf_scan_expect(&ahead, ':')) goto unusable;
    rf_scan_space(&ahead);
    if (ahead.at >= ahead.end || *ahead.at != '"' || !rf_scan_string(&ahead, &fold->arena, &name)) goto unusable;
    rf_draft_begin(fold, name, is_event(key) ? RF_NAME_UNDER_EVENT : RF_NAME_UNDER_EVENT_NAME);
    return;
unusable:
    rf_draft_begin(fold, (rf_str){0}, RF_NAME_IN_LIST);
}

// ---- the event's keys ---------------------------------------------------------------------------

// Whether a key is not a duplicate. For a key with a draft, the draft tells.
static bool unique(rf_fold *fold, rf_scan *scan, const rf_draft *draft, rf_str key, const char *start) {
    bool there =
        draft && (draft->state != RF_DRAFT_ABSENT || (draft == &fold->components_value && fold->has_components));
    if (there) return rf_scan_fail(scan, RF_DUPLICATE_KEY, start);
    return draft || rf_value_json_add_key(fold, scan, key, start);
}

// name_at: where the look-ahead found the name's key, or NULL. again_at: a name key that it missed (written with
// escapes, or too far ahead); the event is then read again with it.
typedef struct event_name {
    const char *name_at, *again_at;
} event_name;

// Reads the entry of the name, which is already known.
static bool name_entry(rf_fold *fold, rf_scan *scan, event_name *name, rf_str key, const char *start) {
    if (!name->name_at) name->again_at = start;
    if (start != name->name_at) fold->unusable = RF_INVALID_NAME;
    return rf_value_json_add_key(fold, scan, key, start) && rf_scan_expect(scan, ':') &&
           rf_value_json_skip(fold, scan, 1);
}

static bool event_entry(rf_fold *fold, rf_scan *scan, event_name *name) {
    const char *start;
    rf_draft *draft;
    rf_want want;
    rf_str key;
    if (!rf_value_json_key(fold, scan, &key, &start)) return false;
    if (is_event(key) || is_event_name(key)) return name_entry(fold, scan, name, key, start);
    draft = rf_draft_find(fold, key);
    if (!unique(fold, scan, draft, key, start) || !rf_scan_expect(scan, ':')) return false;
    if (fold->admission) rf_admission_key(fold->admission, scan, key);
    want = rf_draft_take(fold, draft);
    if (want.kind == RF_WANT_COMPONENTS) return components(fold, scan);
    return marked_value(fold, scan, want, (rf_template_mark){.target = rf_draft_target(fold, draft)}, 1);
}

// Reads the event's entries; the scan is after its opening bracket.
static bool event_entries(rf_fold *fold, rf_scan *scan, event_name *name) {
    rf_template_start(&fold->templates);
    rf_key_set_push(&fold->keys);
    do {
        if (!event_entry(fold, scan, name)) return false;
    } while (more_entries(scan));
    rf_key_set_pop(&fold->keys);
    return rf_scan_expect(scan, '}');
}

// Reads an object.
static bool read_object(rf_fold *fold, rf_scan *scan) {
    const char *object = scan->at++, *start;
    event_name name = {0};
    rf_scan_space(scan);
    if (scan->at < scan->end && *scan->at == '}') {
        scan->at++;
        rf_draft_begin(fold, (rf_str){0}, RF_NAME_IN_LIST);
        return true;
    }
    start = scan->at;
    name.name_at = find_name(fold, start, scan->end);
    begin_event(fold, scan, name.name_at);
    if (!event_entries(fold, scan, &name)) return false;
    if (name.again_at) {
        scan->at = start;
        name = (event_name){.name_at = name.again_at};
        begin_event(fold, scan, name.name_at);
        return event_entries(fold, scan, &name);
    }
    // An unknown event makes no template: its name is reported, and only full reading finds it.
    if (fold->unusable == RF_OK && (fold->kind != RF_EVENT_DOMAIN || fold->rule))
        rf_template_learn(&fold->templates, (rf_str){object, (size_t)(scan->at - object)}, fold->kind, fold->rule,
                          fold->has_components);
    return true;
}

bool rf_event_json_read(rf_fold *fold, rf_scan *scan) {
    if (*scan->at == '{') return read_object(fold, scan);
    rf_draft_reset(fold);
    return rf_value_json_skip(fold, scan, 0);
}
