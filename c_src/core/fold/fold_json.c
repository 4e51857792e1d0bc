// fold_json.c: reads events from JSON text straight into drafts: one pass, no tree. Wanted values go into the draft;
// others are checked and skipped. Events that look like an earlier one are read with its template (template.h).
#include <roomfold/fold.h>

#include "admit_state.h"
#include "draft.h"
#include "json/scan.h"

// Of an integer that nif/big_integer.h makes a term of.
#define DIGITS_MAX 16384

enum { MODE_UNKNOWN, MODE_LINES, MODE_ARRAY_FIRST, MODE_ARRAY };

// ---- any value ----------------------------------------------------------------------------------

static bool out_of_memory(rf_fold *fold, rf_scan *scan) {
    fold->no_memory = true;
    return rf_scan_fail(scan, RF_NO_MEMORY, scan->at);
}

// Registers a key that began at `start`; fails if it is a duplicate.
static bool add_key(rf_fold *fold, rf_scan *scan, rf_str key, const char *start) {
    rf_status status = rf_key_set_add(&fold->keys, key);
    if (status == RF_OK) return true;
    return status == RF_NO_MEMORY ? out_of_memory(fold, scan) : rf_scan_fail(scan, status, start);
}

static bool fail_here(rf_scan *scan) {
    return rf_scan_fail(scan, scan->at < scan->end ? RF_UNEXPECTED_BYTE : RF_UNEXPECTED_END, scan->at);
}

static bool expect(rf_scan *scan, char byte) {
    rf_scan_space(scan);
    if (scan->at >= scan->end || *scan->at != byte) return fail_here(scan);
    scan->at++;
    return true;
}

static inline bool read_string(rf_fold *fold, rf_scan *scan, rf_str *out) {
    if (rf_scan_string(scan, &fold->arena, out)) return true;
    if (scan->status == RF_NO_MEMORY) fold->no_memory = true;
    return false;
}

// Reads a key and its colon; *start is the start of the key.
static bool read_key(rf_fold *fold, rf_scan *scan, rf_str *key, const char **start) {
    rf_scan_space(scan);
    *start = scan->at;
    if (scan->at >= scan->end || *scan->at != '"') return fail_here(scan);
    return read_string(fold, scan, key);
}

// Whether a term can hold the number: it is finite, and no integer of more digits than the NIF makes.
static bool has_term(const rf_number *number) {
    size_t sign = *number->text.data == '-';
    return number->kind == RF_NUMBER_BIG ? number->text.len - sign <= DIGITS_MAX : number->kind != RF_NUMBER_INFINITE;
}

static bool skip_any_number(const rf_fold *fold, rf_scan *scan) {
    rf_number number;
    if (!rf_scan_number(scan, &number)) return false;
    if (!fold->admission || has_term(&number)) return true;
    return rf_scan_fail(scan, RF_NUMBER_OUT_OF_RANGE, number.text.data);
}

// Skips an unwanted number, checking only its form; for a room also that a term can hold it. Long ones are mostly
// times.
static bool skip_number(const rf_fold *fold, rf_scan *scan) {
    const char *at = scan->at;
    while (scan->end - at >= 8) {
        uint32_t digits = rf_scan_digits(rf_load64((const uint8_t *)at));
        at += digits;
        if (digits < 8) break;
    }
    if (at == scan->at || scan->end - at < 8 || *scan->at == '0' || *at == '.' || (*at | 0x20) == 'e' ||
        at - scan->at > DIGITS_MAX)
        return skip_any_number(fold, scan);
    scan->at = at;
    return true;
}

static bool put_scalar(rf_fold *fold, rf_scan *scan) {
    rf_number number;
    rf_str string;
    switch (*scan->at) {
    case '"':
        if (!read_string(fold, scan, &string)) return false;
        rf_draft_string(fold, string);
        return true;
    case 't':
        rf_draft_bool(fold, true);
        return rf_scan_literal(scan, "true", 4);
    case 'f':
        rf_draft_bool(fold, false);
        return rf_scan_literal(scan, "false", 5);
    case 'n':
        rf_draft_null(fold);
        return rf_scan_literal(scan, "null", 4);
    default:
        break;
    }
    if (!fold->current) return skip_number(fold, scan);
    if (!rf_scan_number(scan, &number)) return false;
    if (number.kind == RF_NUMBER_INT)
        rf_draft_int(fold, number.integer);
    else if (number.kind == RF_NUMBER_FLOAT)
        rf_draft_float(fold, number.real);
    else
        rf_draft_huge(fold);
    return true;
}

// Opens a list or map at the scan. depth: the open levels, including the event's own.
static bool open_level(rf_fold *fold, rf_scan *scan, unsigned depth, bool map) {
    if (depth == RF_DEPTH_MAX) return rf_scan_fail(scan, RF_TOO_DEEP, scan->at);
    rf_draft_open(fold, map);
    scan->at++;
    if (map) rf_key_set_push(&fold->keys);
    return true;
}

static void close_level(rf_fold *fold, rf_scan *scan, bool map) {
    scan->at++;
    if (map) rf_key_set_pop(&fold->keys);
    rf_draft_close(fold);
}

static bool map_key(rf_fold *fold, rf_scan *scan) {
    const char *start;
    rf_str key;
    if (!read_key(fold, scan, &key, &start) || !add_key(fold, scan, key, start) || !expect(scan, ':')) return false;
    rf_draft_key(fold, key);
    rf_scan_space(scan);
    return true;
}

// Reads any value, and puts it into the current draft if it is wanted. depth: the open levels around it.
static bool any_value(rf_fold *fold, rf_scan *scan, unsigned depth) {
    uint64_t maps = 0; // a bit per level: it is a map
    unsigned outer = depth;
    for (;;) {
        bool opened = false;
        rf_scan_space(scan);
        if (scan->at >= scan->end) return fail_here(scan);
        if (*scan->at == '{' || *scan->at == '[') {
            bool map = *scan->at == '{';
            if (!open_level(fold, scan, depth, map)) return false;
            maps = maps << 1 | map;
            depth++;
            opened = true;
        } else if (!put_scalar(fold, scan)) {
            return false;
        }
        // After a value: close the levels that end here, or continue with the next value.
        for (;;) {
            bool map = maps & 1;
            if (depth == outer) return true;
            rf_scan_space(scan);
            if (scan->at >= scan->end) return fail_here(scan);
            if (*scan->at == (map ? '}' : ']')) {
                close_level(fold, scan, map);
                maps >>= 1;
                depth--;
                opened = false;
                continue;
            }
            if (!opened) {
                if (*scan->at != ',') return fail_here(scan);
                scan->at++;
            }
            if (map && !map_key(fold, scan)) return false;
            break;
        }
    }
}

static bool skip_value(rf_fold *fold, rf_scan *scan, unsigned depth) {
    fold->current = NULL;
    return any_value(fold, scan, depth);
}

// ---- values of an event -------------------------------------------------------------------------

// Reads a list of numbers straight into the draft. Anything else is read again as any value.
static bool numbers(rf_fold *fold, rf_scan *scan, unsigned count, unsigned depth) {
    const char *start = scan->at;
    double values[RF_NUMBERS_MAX];
    if (fold->number_list(scan, count, values)) {
        rf_draft_numbers(fold, values);
        return true;
    }
    for (unsigned i = 0; i < count; i++) {
        rf_number number;
        rf_scan_space(scan);
        if (scan->at >= scan->end || *scan->at != (i == 0 ? '[' : ',')) goto other;
        scan->at++;
        rf_scan_space(scan);
        if (scan->at >= scan->end || !(*scan->at == '-' || (*scan->at >= '0' && *scan->at <= '9'))) goto other;
        if (!rf_scan_number(scan, &number)) return false;
        if (number.kind == RF_NUMBER_FLOAT)
            values[i] = number.real;
        else if (number.kind == RF_NUMBER_INT && number.integer <= RF_EXACT_INTEGER_MAX &&
                 number.integer >= -RF_EXACT_INTEGER_MAX)
            values[i] = (double)number.integer;
        else
            goto other;
    }
    rf_scan_space(scan);
    if (scan->at >= scan->end || *scan->at != ']') goto other;
    scan->at++;
    rf_draft_numbers(fold, values);
    return true;
other:
    scan->at = start;
    return any_value(fold, scan, depth);
}

static inline bool wanted_value(rf_fold *fold, rf_scan *scan, rf_want want, unsigned depth) {
    rf_str string;
    rf_scan_space(scan);
    if (want.kind == RF_WANT_NUMBERS) return numbers(fold, scan, want.count, depth);
    if (scan->at >= scan->end || *scan->at == '{' || *scan->at == '[') return any_value(fold, scan, depth);
    if (*scan->at == '"') {
        if (!read_string(fold, scan, &string)) return false;
        if (fold->current) rf_draft_string(fold, string);
        return true;
    }
    if (!fold->current && (unsigned)(*scan->at - '1') < 9) return skip_number(fold, scan);
    return put_scalar(fold, scan);
}

// Reads a value, and records its position for a template. The name is in the text unless it has escapes.
static bool marked_value(rf_fold *fold, rf_scan *scan, rf_want want, rf_template_mark mark, unsigned depth) {
    bool simple;
    rf_scan_space(scan);
    mark.start = scan->at;
    mark.numbers = want.kind == RF_WANT_NUMBERS ? want.count : 0;
    simple = scan->at < scan->end && *scan->at != '{' && (*scan->at != '[' || want.kind == RF_WANT_NUMBERS);
    if (!wanted_value(fold, scan, want, depth)) return false;
    mark.end = scan->at;
    rf_template_mark_value(&fold->templates, &mark, simple);
    return true;
}

bool rf_fold_json_value(rf_fold *fold, rf_scan *scan, rf_want want) {
    return wanted_value(fold, scan, want, 2);
}

// ---- components ---------------------------------------------------------------------------------

// Detects duplicates of declared components by column, of others by key.
static bool component_key(rf_fold *fold, rf_scan *scan, int *column, rf_str *name) {
    const char *start;
    if (!read_key(fold, scan, name, &start)) return false;
    *column = rf_schema_lookup(fold->world->schema, *name);
    if (*column >= 0) {
        uint64_t bit = UINT64_C(1) << *column;
        if (fold->declared_seen & bit) return rf_scan_fail(scan, RF_DUPLICATE_KEY, start);
        fold->declared_seen |= bit;
    } else if (!add_key(fold, scan, *name, start)) {
        return false;
    }
    if (name->data != start + 1) fold->templates.marking = false;
    return expect(scan, ':');
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
        return any_value(fold, scan, 1);
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
    return expect(scan, '}');
}

// ---- the event's name ---------------------------------------------------------------------------

static bool is_event(rf_str key) {
    return rf_str_eq(key, RF_LIT("event"));
}

static bool is_event_name(rf_str key) {
    return rf_str_eq(key, RF_LIT("event_name"));
}

// The end of the string that opens at `at`; NULL if it does not end. It is checked later.
static const char *behind_string(const char *at, const char *end) {
    for (at++; at < end; at++) {
        if (*at == '"') return at + 1;
        if (*at == '\\') at++;
    }
    return NULL;
}

// Roughly the end of the value that starts at `at`: the next comma or bracket of the same level, or NULL.
static const char *behind_value(const char *at, const char *end) {
    for (unsigned depth = 0; at < end; at++) {
        if (*at == '"') {
            at = behind_string(at, end);
            if (!at) return NULL;
            at--;
        } else if (*at == '{' || *at == '[') {
            depth++;
        } else if (*at == '}' || *at == ']') {
            if (depth-- == 0) return at;
        } else if (*at == ',' && depth == 0) {
            return at;
        }
    }
    return NULL;
}

const char *rf_fold_json_behind(const char *at, const char *end) {
    return behind_value(at, end);
}

static const char *skip_space(const char *at, const char *end) {
    while (at < end && (*at == ' ' || *at == '\n' || *at == '\r' || *at == '\t')) at++;
    return at;
}

// Looks ahead from an event's first key for the key of its name; NULL if there is none. In text that is not JSON the
// result can be anything, but then reading the event will fail anyway.
static const char *find_name(const char *at, const char *end) {
    while (at) {
        const char *key = skip_space(at, end);
        if (key >= end || *key != '"') return NULL;
        if (end - key > 12 && (memcmp(key, "\"event\"", 7) == 0 || memcmp(key, "\"event_name\"", 12) == 0)) return key;
        at = behind_string(key, end);
        at = at ? behind_value(at, end) : NULL;
        if (at && *at++ != ',') return NULL;
    }
    return NULL;
}

// Begins the draft with the name whose key is at name_at (or NULL). If its value cannot be a name, the draft is
// unusable.
static void begin_event(rf_fold *fold, const rf_scan *scan, const char *name_at) {
    rf_scan ahead = *scan;
    rf_str key, name = {0};
    ahead.at = name_at;
    if (!name_at || !rf_scan_string(&ahead, &fold->arena, &key) || !expect(&ahead, ':')) goto unusable;
    rf_scan_space(&ahead);
    if (ahead.at >= ahead.end || *ahead.at != '"' || !rf_scan_string(&ahead, &fold->arena, &name)) goto unusable;
    rf_draft_begin(fold, name, is_event(key) ? RF_NAME_UNDER_EVENT : RF_NAME_UNDER_EVENT_NAME);
    return;
unusable:
    rf_draft_begin(fold, (rf_str){0}, RF_NAME_IN_LIST);
}

// ---- the event's keys ---------------------------------------------------------------------------

static int target_of(const rf_fold *fold, const rf_draft *draft) {
    if (!draft) return RF_TARGET_OTHER;
    if (draft == &fold->seq) return RF_TARGET_SEQ;
    if (draft == &fold->id) return RF_TARGET_ID;
    return RF_TARGET_FIELD + (int)(draft - fold->fields);
}

static rf_draft *draft_of(rf_fold *fold, int target) {
    if (target >= RF_TARGET_FIELD) return &fold->fields[target - RF_TARGET_FIELD];
    if (target == RF_TARGET_OTHER) return NULL;
    return target == RF_TARGET_SEQ ? &fold->seq : &fold->id;
}

// Whether a key is not a duplicate. For a key with a draft, the draft tells.
static bool unique(rf_fold *fold, rf_scan *scan, const rf_draft *draft, rf_str key, const char *start) {
    bool there =
        draft && (draft->state != RF_DRAFT_ABSENT || (draft == &fold->components_value && fold->has_components));
    if (there) return rf_scan_fail(scan, RF_DUPLICATE_KEY, start);
    return draft || add_key(fold, scan, key, start);
}

// name_at: where the look-ahead found the name's key, or NULL. again_at: a name key that it missed (written with
// escapes); the event is then read again with it.
typedef struct event_name {
    const char *name_at, *again_at;
} event_name;

// Reads the entry of the name, which is already known.
static bool name_entry(rf_fold *fold, rf_scan *scan, event_name *name, rf_str key, const char *start) {
    if (!name->name_at) name->again_at = start;
    if (start != name->name_at) fold->unusable = RF_INVALID_NAME;
    return add_key(fold, scan, key, start) && expect(scan, ':') && skip_value(fold, scan, 1);
}

static bool event_entry(rf_fold *fold, rf_scan *scan, event_name *name) {
    const char *start;
    rf_draft *draft;
    rf_want want;
    rf_str key;
    if (!read_key(fold, scan, &key, &start)) return false;
    if (is_event(key) || is_event_name(key)) return name_entry(fold, scan, name, key, start);
    draft = rf_draft_find(fold, key);
    if (!unique(fold, scan, draft, key, start) || !expect(scan, ':')) return false;
    if (fold->admission) rf_admission_key(fold->admission, scan, key);
    want = rf_draft_take(fold, draft);
    if (want.kind == RF_WANT_COMPONENTS) return components(fold, scan);
    return marked_value(fold, scan, want, (rf_template_mark){.target = target_of(fold, draft)}, 1);
}

// Reads the event's entries; the scan is after its opening bracket.
static bool event_entries(rf_fold *fold, rf_scan *scan, event_name *name) {
    rf_template_start(&fold->templates);
    rf_key_set_push(&fold->keys);
    do {
        if (!event_entry(fold, scan, name)) return false;
    } while (more_entries(scan));
    rf_key_set_pop(&fold->keys);
    return expect(scan, '}');
}

static bool whole_event(rf_fold *fold, rf_scan *scan) {
    const char *object = scan->at++, *start;
    event_name name = {0};
    rf_scan_space(scan);
    if (scan->at < scan->end && *scan->at == '}') {
        scan->at++;
        rf_draft_begin(fold, (rf_str){0}, RF_NAME_IN_LIST);
        return true;
    }
    start = scan->at;
    name.name_at = find_name(start, scan->end);
    begin_event(fold, scan, name.name_at);
    if (!event_entries(fold, scan, &name)) return false;
    if (name.again_at) { // its key was written with escapes
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

bool rf_fold_json_event(rf_fold *fold, rf_scan *scan) {
    if (*scan->at == '{') return whole_event(fold, scan);
    rf_draft_reset(fold);
    return skip_value(fold, scan, 0);
}

// The kind of a value that was read as an event.
typedef enum event_form {
    EVENT_OTHER, // cannot be an event
    EVENT_DRAFTED,
    EVENT_NAMELESS, // an object that may change several entities
    EVENT_PLAIN,    // in fold->plain
} event_form;

// ---- templates ----------------------------------------------------------------------------------

// Compares eight bytes at a time, the last ones overlapping.
static inline bool same_text(const char *text, const char *literal, size_t len) {
    const uint8_t *a = (const uint8_t *)text, *b = (const uint8_t *)literal;
    uint64_t other = 0;
    if (len < 8) return memcmp(text, literal, len) == 0;
    for (size_t at = 0; at < len - 8; at += 8) other |= rf_load64(a + at) ^ rf_load64(b + at);
    return (other | (rf_load64(a + len - 8) ^ rf_load64(b + len - 8))) == 0;
}

static inline bool literal(rf_scan *scan, const rf_template *template, uint32_t at, uint32_t len) {
    if ((size_t)(scan->end - scan->at) < len || !same_text(scan->at, template->text + at, len)) return false;
    scan->at += len;
    return true;
}

// Reads a value of the kind that the template allows. False: anything else, even an error, which full reading will
// find.
static inline bool template_value(rf_fold *fold, rf_scan *scan, const rf_template_value *value) {
    double numbers[RF_NUMBERS_MAX];
    rf_want want;
    if (value->component) {
        // In the event's own text, since the template may be replaced before the event is applied.
        rf_str name = {scan->at - value->literal_len + (value->name_at - value->literal_at), value->name_len};
        if (value->target >= 0) name = fold->world->schema->defs[value->target].name;
        want = rf_draft_component_at(fold, name, value->target);
    } else {
        want = rf_draft_take(fold, draft_of(fold, value->target));
    }
    if (want.kind == RF_WANT_NUMBERS) {
        if (!fold->number_list(scan, want.count, numbers)) return false;
        rf_draft_numbers(fold, numbers);
        return true;
    }
    if (scan->at >= scan->end || *scan->at == '{' || *scan->at == '[') return false;
    return wanted_value(fold, scan, want, 1);
}

// Drafts an event of this template, whose first text has been read. False: it does not match.
static bool match(rf_fold *fold, rf_scan *scan, const rf_template *template) {
    rf_draft_reset(fold);
    fold->kind = template->kind;
    fold->rule = template->rule;
    fold->has_components = template->has_components;
    for (uint32_t i = 0; fold->rule && i < fold->rule->field_count; i++) fold->fields[i].state = RF_DRAFT_ABSENT;
    for (uint32_t i = 0; i < template->count; i++) {
        const rf_template_value *value = &template->values[i];
        if (i > 0 && !literal(scan, template, value->literal_at, value->literal_len)) return false;
        if (!template_value(fold, scan, value)) return false;
    }
    return literal(scan, template, template->tail_at, template->tail_len);
}

// Skips an unwanted value if it is a string or an integer.
static inline bool skip_plain(rf_fold *fold, rf_scan *scan) {
    rf_str string;
    if (scan->end - scan->at < 8) return false;
    return *scan->at == '"' ? rf_scan_string(scan, &fold->arena, &string)
                            : (unsigned)(*scan->at - '1') < 9 && skip_number(fold, scan);
}

// What follows is compared with the template's text.
static inline bool plain_seq(rf_scan *scan, uint64_t *out) {
    static const uint32_t pow10[8] = {1, 10, 100, 1000, 10000, 100000, 1000000, 10000000};
    uint32_t digits;
    uint64_t bytes;
    if (scan->end - scan->at < 16 || *scan->at == '0') return false;
    bytes = rf_load64((const uint8_t *)scan->at);
    digits = rf_scan_digits(bytes);
    if (digits == 0) return false;
    *out = rf_scan_digits_value(bytes, digits);
    scan->at += digits;
    if (digits < 8) return true;
    bytes = rf_load64((const uint8_t *)scan->at);
    digits = rf_scan_digits(bytes);
    if (digits == 8) return false;
    if (digits > 0) *out = *out * pow10[digits] + rf_scan_digits_value(bytes, digits);
    scan->at += digits;
    return true;
}

// Reads a valid id without escapes.
static inline bool plain_id(rf_fold *fold, rf_scan *scan, rf_str *out) {
    const char *start = scan->at + 1;
    return scan->at < scan->end && *scan->at == '"' && rf_scan_string(scan, &fold->arena, out) && out->data == start &&
           out->len - 1 < RF_NAME_MAX;
}

typedef enum plain_outcome {
    PLAIN_READ,
    PLAIN_OTHER_VALUE, // a value needs a draft
    PLAIN_OTHER_TEXT,  // the event does not match this template
} plain_outcome;

static inline bool plain_value(rf_fold *fold, rf_scan *scan, const rf_template_value *value) {
    rf_entity_event *event = &fold->plain.event;
    double *numbers;
    switch ((rf_plain_role)value->role) {
    case RF_PLAIN_NUMBERS:
        numbers = fold->plain.values[event->count];
        fold->plain.numbers[event->count++] = (rf_numbers){.component = value->column, .values = numbers};
        return fold->number_list(scan, value->numbers, numbers);
    case RF_PLAIN_ID:
        return plain_id(fold, scan, &event->id);
    case RF_PLAIN_SEQ:
        return plain_seq(scan, &event->seq);
    case RF_PLAIN_NOTHING:
        break;
    }
    return skip_plain(fold, scan);
}

// Reads an event of this template, which needs no draft, from after its first text.
static plain_outcome read_plain(rf_fold *fold, rf_scan *scan, const rf_template *template) {
    rf_entity_event *event = &fold->plain.event;
    event->op = template->op;
    event->seq = 0;
    event->numbers = fold->plain.numbers;
    event->count = 0;
    for (uint32_t i = 0; i < template->count; i++) {
        const rf_template_value *value = &template->values[i];
        if (i > 0 && !literal(scan, template, value->literal_at, value->literal_len)) return PLAIN_OTHER_TEXT;
        if (!plain_value(fold, scan, value)) return PLAIN_OTHER_VALUE;
    }
    return literal(scan, template, template->tail_at, template->tail_len) ? PLAIN_READ : PLAIN_OTHER_TEXT;
}

// Moves a template that has matched towards the front.
static inline void matched(rf_templates *templates, uint32_t place) {
    uint8_t *here = &templates->order[place], own = *here;
    rf_template *template = &templates->templates[own];
    template->used = ++templates->clock;
    if (place > 0 && template->used - templates->templates[here[-1]].used > 8) {
        *here = here[-1];
        here[-1] = own;
    }
}

// Reads the event, whose first text has been read, with this template. EVENT_OTHER: it does not match.
static inline event_form event_of(rf_fold *fold, rf_scan *scan, const rf_template *template) {
    const char *start = scan->at;
    if (template->plain) {
        plain_outcome outcome = read_plain(fold, scan, template);
        if (outcome == PLAIN_READ) return EVENT_PLAIN;
        if (outcome == PLAIN_OTHER_TEXT) return EVENT_OTHER;
        scan->at = start;
        scan->status = RF_OK;
    }
    return match(fold, scan, template) ? EVENT_DRAFTED : EVENT_OTHER;
}

// Reads the event with any of the templates. EVENT_OTHER: none matches, and nothing has been read.
static event_form event_by_template(rf_fold *fold, rf_scan *scan) {
    rf_templates *templates = &fold->templates;
    const char *start = scan->at;
    for (uint32_t i = 0; i < templates->count; i++) {
        const rf_template *template = &templates->templates[templates->order[i]];
        event_form form = EVENT_OTHER;
        if (literal(scan, template, 0, template->count > 0 ? template->values[0].literal_len : 0))
            form = event_of(fold, scan, template);
        if (form != EVENT_OTHER) {
            matched(templates, i);
            return form;
        }
        scan->at = start;
        scan->status = RF_OK;
    }
    return EVENT_OTHER;
}

// Reads a value of the text, which should be an event. False: it cannot be read; the scan has the error.
static bool read_event(rf_fold *fold, rf_scan *scan, event_form *form) {
    rf_key_set_reset(&fold->keys);
    rf_arena_reset(&fold->arena);
    *form = EVENT_OTHER;
    if (*scan->at == '{') {
        const char *start = scan->at;
        *form = event_by_template(fold, scan);
        if (*form != EVENT_OTHER) return true;
        if (!whole_event(fold, scan)) return false;
        *form = fold->unusable == RF_INVALID_NAME ? EVENT_NAMELESS : EVENT_DRAFTED;
        fold->object = (rf_str){start, (size_t)(scan->at - start)};
        return true;
    }
    rf_draft_reset(fold);
    return skip_value(fold, scan, 0);
}

// Whether the current event, which began at `start`, is too large for this call (rf_json_batch.large).
static bool must_wait(const rf_fold *fold, rf_json_batch *batch, rf_scan *scan, const char *start, event_form form) {
    if (form != EVENT_NAMELESS || batch->large == 0 || fold->object.len <= batch->large) return false;
    scan->at = start;
    batch->stopped = true;
    return true;
}

static rf_status finish_event(rf_fold *fold, event_form form) {
    switch (form) {
    case EVENT_PLAIN:
        return rf_fold_entity(fold, &fold->plain.event);
    case EVENT_DRAFTED:
        return rf_event_end(fold);
    case EVENT_NAMELESS:
        return rf_fold_changes(fold, fold->object);
    case EVENT_OTHER:
        break;
    }
    return rf_event_unreadable(fold, RF_NOT_AN_EVENT);
}

static rf_status unreadable(rf_fold *fold, const rf_scan *scan) {
    if (fold->no_memory || scan->status == RF_NO_MEMORY) {
        fold->no_memory = false;
        return RF_NO_MEMORY;
    }
    rf_fold_unreadable(fold, scan->status, (uint64_t)(scan->error_at - scan->begin));
    fold->index++;
    return RF_OK;
}

// ---- JSON Lines ---------------------------------------------------------------------------------

// After a value there may only be white space up to the end of its line.
static bool end_of_line(rf_scan *scan) {
    while (scan->at < scan->end && (*scan->at == ' ' || *scan->at == '\t' || *scan->at == '\r')) scan->at++;
    return scan->at == scan->end || *scan->at == '\n' || fail_here(scan);
}

static rf_status next_line(rf_fold *fold, rf_json_batch *batch, rf_scan *scan) {
    const char *start;
    event_form form;
    rf_status status;
    rf_scan_space(scan);
    if (scan->at == scan->end) {
        batch->done = true;
        return RF_OK;
    }
    start = scan->at;
    if (read_event(fold, scan, &form) && end_of_line(scan)) {
        if (must_wait(fold, batch, scan, start, form)) return RF_OK;
        status = finish_event(fold, form);
    } else {
        const char *feed = memchr(start, '\n', (size_t)(scan->end - start));
        status = unreadable(fold, scan);
        scan->at = feed ? feed + 1 : scan->end;
    }
    return status;
}

// ---- an array -----------------------------------------------------------------------------------

static rf_status end_array(rf_fold *fold, rf_json_batch *batch, rf_scan *scan) {
    scan->at++;
    batch->done = true;
    rf_scan_space(scan);
    if (scan->at == scan->end) return RF_OK;
    fail_here(scan);
    return unreadable(fold, scan);
}

static rf_status next_element(rf_fold *fold, rf_json_batch *batch, rf_scan *scan) {
    bool first = batch->mode == MODE_ARRAY_FIRST;
    const char *start = scan->at;
    event_form form;
    rf_scan_space(scan);
    if (scan->at < scan->end && *scan->at == ']') return end_array(fold, batch, scan);
    if (!first && !expect(scan, ',')) goto broken;
    batch->mode = MODE_ARRAY;
    rf_scan_space(scan);
    if (scan->at >= scan->end) {
        fail_here(scan);
        goto broken;
    }
    if (!read_event(fold, scan, &form)) goto broken;
    if (must_wait(fold, batch, scan, start, form)) {
        if (first) batch->mode = MODE_ARRAY_FIRST;
        return RF_OK;
    }
    return finish_event(fold, form);
broken:
    batch->done = true;
    return unreadable(fold, scan);
}

// ---- the batch ----------------------------------------------------------------------------------

rf_status rf_fold_json(rf_fold *fold, rf_json_batch *batch, size_t max_events) {
    const char *begin = batch->text.data ? batch->text.data : "";
    rf_scan scan = {.begin = begin, .at = begin + batch->at, .end = begin + batch->text.len};
    rf_status status = RF_OK;
    batch->stopped = false;
    if (batch->mode == MODE_UNKNOWN) {
        rf_scan_space(&scan);
        batch->mode = scan.at < scan.end && *scan.at == '[' ? MODE_ARRAY_FIRST : MODE_LINES;
        scan.at += batch->mode == MODE_ARRAY_FIRST;
    }
    for (size_t i = 0; i < max_events && !batch->done && !batch->stopped && status == RF_OK; i++) {
        scan.status = RF_OK;
        status = batch->mode == MODE_LINES ? next_line(fold, batch, &scan) : next_element(fold, batch, &scan);
    }
    batch->at = (size_t)(scan.at - begin);
    return status;
}
