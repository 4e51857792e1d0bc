// fold_json.c: reads events from JSON text straight into drafts: one pass, no tree. Values go where the draft wants them;
// what nobody wants is checked and skipped.
#include <roomfold/fold.h>

#include "draft.h"
#include "scan.h"

#define EXACT_MAX (INT64_C(1) << 53)

enum { MODE_UNKNOWN, MODE_LINES, MODE_ARRAY_FIRST, MODE_ARRAY };

// ---- any value ----------------------------------------------------------------------------------

static bool out_of_memory(rf_fold *fold, rf_scan *scan) {
    fold->no_memory = true;
    return rf_scan_fail(scan, RF_NO_MEMORY, scan->at);
}

// A key has been read that began at `start`; is it there already?
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

// A key and its colon; *start is where the key began.
static bool read_key(rf_fold *fold, rf_scan *scan, rf_str *key, const char **start) {
    rf_scan_space(scan);
    *start = scan->at;
    if (scan->at >= scan->end || *scan->at != '"') return fail_here(scan);
    return read_string(fold, scan, key);
}

// A number that nobody wants: only its form matters. Long ones are mostly times.
static bool skip_number(rf_scan *scan) {
    const char *at = scan->at;
    rf_number number;
    while (scan->end - at >= 8) {
        uint32_t digits = rf_scan_digits(rf_load64((const uint8_t *)at));
        at += digits;
        if (digits < 8) break;
    }
    if (at == scan->at || scan->end - at < 8 || *scan->at == '0' || *at == '.' || (*at | 0x20) == 'e')
        return rf_scan_number(scan, &number);
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
    default: break;
    }
    if (!fold->current) return skip_number(scan);
    if (!rf_scan_number(scan, &number)) return false;
    if (number.kind == RF_NUMBER_INT)
        rf_draft_int(fold, number.integer);
    else if (number.kind == RF_NUMBER_FLOAT)
        rf_draft_float(fold, number.real);
    else
        rf_draft_huge(fold);
    return true;
}

// Opens a list or map at the scan; depth counts the levels that are open, from the event's own.
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

// Reads one value, whatever it is; what the draft at hand wants of it is put there. `depth` levels are open around it.
static bool any_value(rf_fold *fold, rf_scan *scan, unsigned depth) {
    uint64_t maps = 0; // a bit per level: map or list
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
        // Behind a value: close what ends here, or go on to the next.
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

// One number of a list, plain enough: digits, a point and digits, seven bytes in all, or up to seven digits on each side of the
// point, or only digits. 0: it is something else; else its length.
static inline size_t plain_number(const char *start, double *out) {
    static const double pow10[8] = {1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7};
    static const uint32_t int_pow10[8] = {1, 10, 100, 1000, 10000, 100000, 1000000, 10000000};
    const uint64_t ones = UINT64_C(0x0101010101010101);
    bool negative = *start == '-';
    const char *at = start + negative;
    uint64_t bytes = rf_load64((const uint8_t *)at), values = bytes ^ ones * '0';
    uint64_t others = (values | (values + ones * 0x76)) & ones * 0x80; // a bit for each byte that is no digit
    uint32_t whole, part;
    double number;
    if (others == 0) return 0;
    whole = rf_low_bit(others) / 8;
    others &= others - 1;
    if (whole == 0 || (*at == '0' && whole != 1)) return 0;
    if (at[whole] == '.' && others != 0) {
        uint32_t end = rf_low_bit(others) / 8;
        uint64_t low = bytes & ((UINT64_C(1) << 8 * whole) - 1); // the point is taken out
        part = end - whole - 1;
        if (part == 0) return 0;
        bytes = low | (bytes >> (8 * whole + 8) << 8 * whole);
        number = (double)rf_scan_digits_value(bytes, end - 1) / pow10[part];
        at += end;
    } else if (at[whole] == '.') {
        uint64_t value = rf_scan_digits_value(bytes, whole);
        at += whole + 1;
        bytes = rf_load64((const uint8_t *)at);
        part = rf_scan_digits(bytes);
        if (part - 1 >= 7) return 0;
        number = (double)(value * int_pow10[part] + rf_scan_digits_value(bytes, part)) / pow10[part];
        at += part;
    } else {
        number = (double)rf_scan_digits_value(bytes, whole);
        at += whole;
        if (negative && number == 0) return 0; // -0 is the integer 0
    }
    if ((*at | 0x20) == 'e') return 0;
    *out = negative ? -number : number;
    return (size_t)(at - start);
}

// [n,n,n] without white space and of plain numbers; false: it is something else, or stands too close to the end.
static bool plain_numbers(rf_scan *scan, unsigned count, double *values) {
    const char *at = scan->at;
    for (unsigned i = 0; i < count; i++) {
        size_t len;
        if (scan->end - at < 32 || *at != (i == 0 ? '[' : ',')) return false;
        len = plain_number(at + 1, &values[i]);
        if (len == 0) return false;
        at += 1 + len;
    }
    if (*at != ']') return false;
    scan->at = at + 1;
    return true;
}

// A list of numbers, straight into the draft; whatever else it turns out to be is read as any value.
static bool numbers(rf_fold *fold, rf_scan *scan, unsigned count, unsigned depth) {
    const char *start = scan->at;
    double values[RF_NUMBERS_MAX];
    if (plain_numbers(scan, count, values)) {
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
        else if (number.kind == RF_NUMBER_INT && number.integer <= EXACT_MAX && number.integer >= -EXACT_MAX)
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
    if (!fold->current && (unsigned)(*scan->at - '1') < 9) return skip_number(scan);
    return put_scalar(fold, scan);
}

// ---- keys ---------------------------------------------------------------------------------------

// Where a level's keys stand against the shape that is expected.
typedef struct level {
    rf_shape *shape;
    uint32_t next;     // of the shape's keys
    uint32_t matched;  // a bit per key of the shape
    bool surprised;    // a key came that was not expected: from there on everything is looked up
    uint32_t place;    // where in the shape that key belongs
    int target;
    rf_str text;       // that key, to be learnt; empty: it can't be
} level;

static level open_keys(rf_fold *fold, const void *owner) {
    rf_key_set_push(&fold->keys);
    return (level){.shape = rf_shape_of(&fold->shapes, owner)};
}

static void close_keys(rf_fold *fold, level *keys) {
    rf_key_set_pop(&fold->keys);
    if (keys->text.len > 0) rf_shape_learn(keys->shape, keys->place, keys->text, keys->target);
}

#define TARGET_OTHER (-1)

// A key that is where the shape says, or NULL. The scan moves behind its colon.
static inline const rf_shape_key *expected_key(level *keys, rf_scan *scan) {
    const rf_shape_key *key;
    if (keys->surprised) return NULL;
    key = rf_shape_match(keys->shape, keys->next, scan->at, scan->end);
    if (!key) return NULL;
    scan->at += key->len;
    keys->next = (uint32_t)(key - keys->shape->keys);
    keys->matched |= UINT32_C(1) << keys->next++;
    return key;
}

// The first unexpected key: those before it that only the shape told apart must be known to the key set.
static bool surprise(rf_fold *fold, rf_scan *scan, level *keys) {
    if (keys->surprised) return true;
    keys->surprised = true;
    keys->place = keys->next;
    for (uint32_t i = 0; i < keys->shape->count; i++) {
        const rf_shape_key *key = &keys->shape->keys[i];
        if ((keys->matched >> i & 1) && key->target == TARGET_OTHER &&
            !add_key(fold, scan, rf_shape_key_name(key), scan->at))
            return false;
    }
    return true;
}

// Behind a key that was looked up, at its colon.
static bool looked_up(rf_scan *scan, level *keys, bool first, const char *start, rf_str key, int target) {
    if (!expect(scan, ':')) return false;
    if (first && key.data == start + 1 && (size_t)(scan->at - start) == key.len + 3) {
        keys->text = (rf_str){start, key.len + 3};
        keys->target = target;
    }
    return true;
}

// ---- components ---------------------------------------------------------------------------------

// Duplicates among the declared components are found by column, among the others by key.
static bool component_key(rf_fold *fold, rf_scan *scan, level *keys, int *column, rf_str *name) {
    bool first = !keys->surprised;
    const rf_shape_key *expected;
    const char *start;
    rf_scan_space(scan);
    start = scan->at;
    expected = expected_key(keys, scan);
    if (expected) {
        *name = (rf_str){start + 1, expected->len - 3u};
        *column = expected->target;
        if (*column >= 0) fold->declared_seen |= UINT64_C(1) << *column;
        return true;
    }
    if (!surprise(fold, scan, keys) || !read_key(fold, scan, name, &start)) return false;
    *column = rf_schema_lookup(fold->world->schema, *name);
    if (*column >= 0) {
        uint64_t bit = UINT64_C(1) << *column;
        if (fold->declared_seen & bit) return rf_scan_fail(scan, RF_DUPLICATE_KEY, start);
        fold->declared_seen |= bit;
    } else if (!add_key(fold, scan, *name, start)) {
        return false;
    }
    return looked_up(scan, keys, first, start, *name, *column);
}

static bool component_entries(rf_fold *fold, rf_scan *scan) {
    static const char owners[4]; // a shape for each kind of event
    level keys = open_keys(fold, &owners[fold->kind]);
    do {
        rf_str name;
        int column;
        if (!component_key(fold, scan, &keys, &column, &name)) return false;
        if (!wanted_value(fold, scan, rf_draft_component_at(fold, name, column), 2)) return false;
        rf_scan_space(scan);
    } while (scan->at < scan->end && *scan->at == ',' && scan->at++);
    if (!expect(scan, '}')) return false;
    close_keys(fold, &keys);
    return true;
}

// "components": a map's entries become components; anything else is put as a value, which is wrong.
static bool components(rf_fold *fold, rf_scan *scan) {
    rf_scan_space(scan);
    if (scan->at >= scan->end || *scan->at != '{') return any_value(fold, scan, 1);
    fold->has_components = true;
    scan->at++;
    rf_scan_space(scan);
    if (scan->at < scan->end && *scan->at == '}') {
        scan->at++;
        return true;
    }
    return component_entries(fold, scan);
}

// ---- the event's name ---------------------------------------------------------------------------

static bool is_event(rf_str key) {
    return rf_str_eq(key, RF_LIT("event"));
}

static bool is_event_name(rf_str key) {
    return rf_str_eq(key, RF_LIT("event_name"));
}

// Behind the string that opens at `at`; NULL if it does not end. Nothing is checked: that comes later.
static const char *behind_string(const char *at, const char *end) {
    for (at++; at < end; at++) {
        if (*at == '"') return at + 1;
        if (*at == '\\') at++;
    }
    return NULL;
}

// Behind the value that starts at `at`, roughly: at a comma or bracket of the level it is in, or NULL.
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

static const char *skip_space(const char *at, const char *end) {
    while (at < end && (*at == ' ' || *at == '\n' || *at == '\r' || *at == '\t')) at++;
    return at;
}

// Looks ahead from an event's first key for the one that holds its name; NULL if there is none to be seen. A look at text that is not JSON
// may see anything, but then the event will not be read to its end either.
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

// Begins the draft by the name whose key stands at name_at (or NULL); a value that can't be a name begins one that is unusable.
// Where the name's value ends, or NULL if it is not a string.
static const char *begin_event(rf_fold *fold, const rf_scan *scan, const char *name_at) {
    rf_scan ahead = *scan;
    rf_str key, name = {0};
    ahead.at = name_at;
    if (!name_at || !rf_scan_string(&ahead, &fold->arena, &key) || !expect(&ahead, ':')) goto unusable;
    rf_scan_space(&ahead);
    if (ahead.at >= ahead.end || *ahead.at != '"' || !rf_scan_string(&ahead, &fold->arena, &name)) goto unusable;
    rf_draft_begin(fold, name, is_event(key) ? RF_NAME_UNDER_EVENT : RF_NAME_UNDER_EVENT_NAME);
    return ahead.at;
unusable:
    rf_draft_begin(fold, (rf_str){0}, RF_NAME_IN_LIST);
    return NULL;
}

// ---- the event's keys ---------------------------------------------------------------------------

enum { TARGET_SEQ, TARGET_ID, TARGET_COMPONENTS, TARGET_FIELD };

static int target_of(const rf_fold *fold, const rf_draft *draft) {
    if (!draft) return TARGET_OTHER;
    if (draft == &fold->seq) return TARGET_SEQ;
    if (draft == &fold->id) return TARGET_ID;
    if (draft == &fold->components_value) return TARGET_COMPONENTS;
    return TARGET_FIELD + (int)(draft - fold->fields);
}

static rf_draft *draft_of(rf_fold *fold, int target) {
    switch (target) {
    case TARGET_OTHER: return NULL;
    case TARGET_SEQ: return &fold->seq;
    case TARGET_ID: return &fold->id;
    case TARGET_COMPONENTS: return &fold->components_value;
    default: return &fold->fields[target - TARGET_FIELD];
    }
}

// What an event's entries are read with. name_at: the key of its name, or NULL.
typedef struct event_object {
    level keys;
    const char *name_at;
    const char *again_at; // a name that was not seen ahead: the event must be read again
} event_object;

// A key that the draft waits for shows by the draft if it comes again.
static bool unique(rf_fold *fold, rf_scan *scan, const rf_draft *draft, rf_str key, const char *start) {
    bool there = draft && (draft->state != RF_DRAFT_ABSENT || (draft == &fold->components_value && fold->has_components));
    if (there) return rf_scan_fail(scan, RF_DUPLICATE_KEY, start);
    return draft || add_key(fold, scan, key, start);
}

// A key that has to be looked up; the name's key gives nothing, its value is known.
static bool event_key(rf_fold *fold, rf_scan *scan, event_object *object, rf_draft **draft) {
    bool first = !object->keys.surprised;
    const char *start;
    rf_str key;
    *draft = NULL;
    if (!surprise(fold, scan, &object->keys) || !read_key(fold, scan, &key, &start)) return false;
    if (is_event(key) || is_event_name(key)) {
        if (!object->name_at) object->again_at = start;
        if (!add_key(fold, scan, key, start)) return false;
        if (start != object->name_at) fold->unusable = RF_INVALID_NAME;
        return looked_up(scan, &object->keys, first && start == object->name_at, start, key, TARGET_OTHER);
    }
    *draft = rf_draft_find(fold, key);
    return unique(fold, scan, *draft, key, start) &&
           looked_up(scan, &object->keys, first, start, key, target_of(fold, *draft));
}

static bool event_value(rf_fold *fold, rf_scan *scan, rf_draft *draft) {
    rf_want want = rf_draft_take(fold, draft);
    if (want.kind == RF_WANT_COMPONENTS) return components(fold, scan);
    return wanted_value(fold, scan, want, 1);
}

static const void *shape_owner(const rf_fold *fold) {
    static const char owners[5]; // entity events, and events that can't be used
    if (fold->unusable != RF_OK) return &owners[4];
    return fold->rule ? (const void *)fold->rule : &owners[fold->kind];
}

static inline bool event_entry(rf_fold *fold, rf_scan *scan, event_object *object) {
    const rf_shape_key *expected;
    rf_draft *draft;
    rf_scan_space(scan);
    expected = expected_key(&object->keys, scan);
    if (expected)
        draft = draft_of(fold, expected->target);
    else if (!event_key(fold, scan, object, &draft))
        return false;
    return event_value(fold, scan, draft);
}

static bool more_entries(rf_scan *scan) {
    rf_scan_space(scan);
    if (scan->at >= scan->end || *scan->at != ',') return false;
    scan->at++;
    return true;
}

// The event's entries, from behind its opening bracket. A name that comes first has been read already (name_end).
static bool event_entries(rf_fold *fold, rf_scan *scan, event_object *object, const char *name_end) {
    bool first = name_end && scan->at == object->name_at;
    object->keys = open_keys(fold, shape_owner(fold));
    if (first) {
        rf_str key = {scan->at + 1, scan->at[6] == '_' ? 10 : 5};
        if (!add_key(fold, scan, key, scan->at)) return false;
        scan->at = name_end;
    }
    if (!first && !event_entry(fold, scan, object)) return false;
    while (more_entries(scan))
        if (!event_entry(fold, scan, object)) return false;
    if (!expect(scan, '}')) return false;
    close_keys(fold, &object->keys);
    return true;
}

static bool event_object_at(rf_fold *fold, rf_scan *scan) {
    event_object object = {0};
    const char *start, *name_end;
    scan->at++;
    rf_scan_space(scan);
    if (scan->at < scan->end && *scan->at == '}') {
        scan->at++;
        rf_draft_begin(fold, (rf_str){0}, RF_NAME_IN_LIST);
        return true;
    }
    start = scan->at;
    object.name_at = find_name(start, scan->end);
    name_end = begin_event(fold, scan, object.name_at);
    if (!event_entries(fold, scan, &object, name_end)) return false;
    if (!object.again_at) return true;
    // The name's key was written with escapes.
    object = (event_object){.name_at = object.again_at};
    scan->at = start;
    begin_event(fold, scan, object.name_at);
    return event_entries(fold, scan, &object, NULL);
}

// One value of the text, which should be an event. false: it can't be read, the scan says why.
static bool read_event(rf_fold *fold, rf_scan *scan, bool *is_object) {
    rf_key_set_reset(&fold->keys);
    rf_arena_reset(&fold->arena);
    *is_object = *scan->at == '{';
    if (*is_object) return event_object_at(fold, scan);
    rf_draft_reset(fold);
    return skip_value(fold, scan, 0);
}

static rf_status finish_event(rf_fold *fold, bool is_object) {
    return is_object ? rf_event_end(fold) : rf_event_unreadable(fold, RF_NOT_AN_EVENT);
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

// Behind a value there may be white space up to the end of its line.
static bool end_of_line(rf_scan *scan) {
    while (scan->at < scan->end && (*scan->at == ' ' || *scan->at == '\t' || *scan->at == '\r')) scan->at++;
    return scan->at == scan->end || *scan->at == '\n' || fail_here(scan);
}

static rf_status next_line(rf_fold *fold, rf_json_batch *batch, rf_scan *scan) {
    const char *start;
    bool is_object;
    rf_status status;
    rf_scan_space(scan);
    if (scan->at == scan->end) {
        batch->done = true;
        return RF_OK;
    }
    start = scan->at;
    if (read_event(fold, scan, &is_object) && end_of_line(scan)) {
        status = finish_event(fold, is_object);
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
    bool first = batch->mode == MODE_ARRAY_FIRST, is_object;
    rf_scan_space(scan);
    if (scan->at < scan->end && *scan->at == ']') return end_array(fold, batch, scan);
    if (!first && !expect(scan, ',')) goto broken;
    batch->mode = MODE_ARRAY;
    rf_scan_space(scan);
    if (scan->at >= scan->end) {
        fail_here(scan);
        goto broken;
    }
    if (!read_event(fold, scan, &is_object)) goto broken;
    return finish_event(fold, is_object);
broken:
    batch->done = true;
    return unreadable(fold, scan);
}

// ---- the batch ----------------------------------------------------------------------------------

rf_status rf_fold_json(rf_fold *fold, rf_json_batch *batch, size_t max_events) {
    const char *begin = batch->text.data ? batch->text.data : "";
    rf_scan scan = {.begin = begin, .at = begin + batch->at, .end = begin + batch->text.len};
    rf_status status = RF_OK;
    if (batch->mode == MODE_UNKNOWN) {
        rf_scan_space(&scan);
        batch->mode = scan.at < scan.end && *scan.at == '[' ? MODE_ARRAY_FIRST : MODE_LINES;
        scan.at += batch->mode == MODE_ARRAY_FIRST;
    }
    for (size_t i = 0; i < max_events && !batch->done && status == RF_OK; i++) {
        scan.status = RF_OK;
        status = batch->mode == MODE_LINES ? next_line(fold, batch, &scan) : next_element(fold, batch, &scan);
    }
    batch->at = (size_t)(scan.at - begin);
    return status;
}
