#include "event_terms.h"

#include <string.h>

#define EXACT_INTEGERS (INT64_C(1) << 53)

void nif_events_start(nif_events *events, ErlNifEnv *env, rf_fold *fold, const rf_world *world) {
    events->env = env;
    events->fold = fold;
    events->schema = rf_world_schema(world);
    events->rules = rf_world_rules(world);
    events->empty_list = enif_make_list(env, 0);
    events->work = NIF_WORK;
    events->may_stop = nif_on_normal_scheduler();
    events->stopped = false;
    for (uint32_t i = 0; i < NIF_SEEN; i++) events->seen[i].term = 0;
    nif_shapes_start(&events->payloads);
    nif_shapes_start(&events->components);
    for (uint32_t i = 0; i < NIF_KINDS; i++) events->kinds[i].name = (rf_str){0};
    events->pending.events_len = events->pending.components_len = events->pending.numbers_len = 0;
}

static bool give_up(nif_events *events) {
    events->stopped = true;
    return false;
}

static inline bool spend(nif_events *events, int64_t work) {
    events->work -= work;
    return events->work >= 0 || !events->may_stop || give_up(events);
}

// The bytes of a name or key; false if it is not a binary.
static inline bool read_name(nif_events *events, ERL_NIF_TERM term, rf_str *out) {
    nif_seen *seen = &events->seen[(term >> 3) % NIF_SEEN];
    if (seen->term != term) {
        if (!nif_bytes(events->env, term, &seen->text)) return false;
        seen->term = term;
    }
    *out = seen->text;
    return true;
}

// --- values ----------------------------------------------------------------------------------------

// These return false where nothing more of the value is to be put: it is bad, or pointless, or events->stopped.

static bool put_bad(nif_events *events, rf_status reason) {
    rf_put_bad(events->fold, reason);
    return false;
}

static bool put_value(nif_events *events, ERL_NIF_TERM term, uint32_t depth);

static bool put_list(nif_events *events, ERL_NIF_TERM list, uint32_t depth) {
    ERL_NIF_TERM head;
    if (!rf_put_open_list(events->fold)) return false;
    while (enif_get_list_cell(events->env, list, &head, &list))
        if (!put_value(events, head, depth)) return false;
    if (!enif_is_empty_list(events->env, list)) return put_bad(events, RF_UNSUPPORTED_VALUE);
    return rf_put_close(events->fold);
}

static bool put_entry(nif_events *events, ERL_NIF_TERM key, ERL_NIF_TERM value, uint32_t depth) {
    rf_str text;
    if (!nif_bytes(events->env, key, &text)) return put_bad(events, RF_UNSUPPORTED_VALUE);
    return spend(events, 1 + (int64_t)(text.len / NIF_WORK_BYTES)) && rf_put_key(events->fold, text) &&
           put_value(events, value, depth);
}

static bool put_map(nif_events *events, ERL_NIF_TERM map, uint32_t depth) {
    ErlNifMapIterator entries;
    ERL_NIF_TERM key, value;
    bool ok = true;
    if (!rf_put_open_map(events->fold)) return false;
    if (!enif_map_iterator_create(events->env, map, &entries, ERL_NIF_MAP_ITERATOR_FIRST)) return false;
    while (ok && enif_map_iterator_get_pair(events->env, &entries, &key, &value)) {
        ok = put_entry(events, key, value, depth);
        enif_map_iterator_next(events->env, &entries);
    }
    enif_map_iterator_destroy(events->env, &entries);
    return ok && rf_put_close(events->fold);
}

static bool put_atom(nif_events *events, ERL_NIF_TERM term) {
    if (enif_is_identical(term, nif_atom.nil))
        rf_put_null(events->fold);
    else if (enif_is_identical(term, nif_atom.true_) || enif_is_identical(term, nif_atom.false_))
        rf_put_bool(events->fold, enif_is_identical(term, nif_atom.true_));
    else
        return put_bad(events, RF_UNSUPPORTED_VALUE);
    return true;
}

static bool put_integer(nif_events *events, ERL_NIF_TERM term) {
    ErlNifSInt64 integer;
    if (enif_get_int64(events->env, term, &integer))
        rf_put_int(events->fold, integer);
    else
        rf_put_bad(events->fold, RF_NUMBER_OUT_OF_RANGE); // what it stands in can still be judged
    return true;
}

static bool put_binary(nif_events *events, ERL_NIF_TERM term) {
    rf_str text;
    if (!nif_bytes(events->env, term, &text)) return put_bad(events, RF_UNSUPPORTED_VALUE);
    if (!spend(events, (int64_t)(text.len / NIF_WORK_BYTES))) return false;
    rf_put_string(events->fold, text);
    return true;
}

// depth: levels of lists and maps around the value. The core refuses too many as well; this one guards our stack.
static bool put_value(nif_events *events, ERL_NIF_TERM term, uint32_t depth) {
    double number;
    if (!spend(events, 1)) return false;
    if (depth > RF_DEPTH_MAX) return put_bad(events, RF_TOO_DEEP);
    switch (enif_term_type(events->env, term)) {
    case ERL_NIF_TERM_TYPE_ATOM:
        return put_atom(events, term);
    case ERL_NIF_TERM_TYPE_INTEGER:
        return put_integer(events, term);
    case ERL_NIF_TERM_TYPE_BITSTRING:
        return put_binary(events, term);
    case ERL_NIF_TERM_TYPE_LIST:
        return put_list(events, term, depth + 1);
    case ERL_NIF_TERM_TYPE_MAP:
        return put_map(events, term, depth + 1);
    case ERL_NIF_TERM_TYPE_FLOAT:
        enif_get_double(events->env, term, &number);
        rf_put_float(events->fold, number);
        return true;
    default:
        return put_bad(events, RF_UNSUPPORTED_VALUE);
    }
}

static inline bool read_number(nif_events *events, ERL_NIF_TERM term, double *out) {
    ErlNifSInt64 integer;
    if (enif_get_double(events->env, term, out)) return true;
    if (!enif_get_int64(events->env, term, &integer)) return false;
    *out = (double)integer;
    return integer >= -EXACT_INTEGERS && integer <= EXACT_INTEGERS;
}

// Reads a proper list of so many numbers; false for anything else.
static inline bool read_numbers(nif_events *events, ERL_NIF_TERM list, uint32_t count, double *out) {
    ERL_NIF_TERM head;
    for (uint32_t i = 0; i < count; i++)
        if (!enif_get_list_cell(events->env, list, &head, &list) || !read_number(events, head, &out[i])) return false;
    events->work -= count;
    return list == events->empty_list;
}

// The fast way for vectors; where it returns false it has put nothing.
static bool put_numbers(nif_events *events, ERL_NIF_TERM list, uint32_t count) {
    double numbers[RF_NUMBERS_MAX];
    if (!read_numbers(events, list, count, numbers)) return false;
    rf_put_numbers(events->fold, numbers);
    return true;
}

static void put_wanted(nif_events *events, ERL_NIF_TERM term, rf_want want) {
    if (want.kind == RF_WANT_NOTHING) return;
    if (want.kind == RF_WANT_NUMBERS && put_numbers(events, term, want.count)) return;
    put_value(events, term, 0);
}

// --- events ----------------------------------------------------------------------------------------

// A component whose name is no binary is put as one with an empty name, which the core reports.
static void put_component(nif_events *events, ERL_NIF_TERM key, ERL_NIF_TERM value) {
    rf_str name;
    if (!read_name(events, key, &name)) name = (rf_str){"", 0};
    if (!spend(events, 1 + (int64_t)(name.len / NIF_WORK_BYTES))) return;
    put_wanted(events, value, rf_event_component(events->fold, name));
}

static void put_components(nif_events *events, ERL_NIF_TERM term) {
    ErlNifMapIterator entries;
    ERL_NIF_TERM key, value;
    if (!enif_map_iterator_create(events->env, term, &entries, ERL_NIF_MAP_ITERATOR_FIRST)) {
        put_value(events, term, 0);
        return;
    }
    rf_event_components(events->fold);
    while (!events->stopped && enif_map_iterator_get_pair(events->env, &entries, &key, &value)) {
        put_component(events, key, value);
        enif_map_iterator_next(events->env, &entries);
    }
    enif_map_iterator_destroy(events->env, &entries);
}

static void put_field(nif_events *events, rf_str key, ERL_NIF_TERM value) {
    rf_want want = rf_event_field(events->fold, key);
    if (want.kind == RF_WANT_COMPONENTS)
        put_components(events, value);
    else
        put_wanted(events, value, want);
}

// Returns false if a key is not a binary.
static bool put_payload(nif_events *events, ErlNifMapIterator *entries) {
    ERL_NIF_TERM key, value;
    while (!events->stopped && enif_map_iterator_get_pair(events->env, entries, &key, &value)) {
        rf_str text;
        if (!read_name(events, key, &text)) return false;
        if (!spend(events, 1 + (int64_t)(text.len / NIF_WORK_BYTES))) return true;
        put_field(events, text, value);
        enif_map_iterator_next(events->env, entries);
    }
    return true;
}

// --- entity events of nothing but numbers: most of all -----------------------------------------------

// What a key means. From MEANS_NUMBERS on: a component and how many numbers it takes.
enum { MEANS_ID, MEANS_COMPONENTS, MEANS_SEQ, MEANS_NOTHING, MEANS_NUMBERS };

#define COUNTS (2 * RF_NUMBERS_MAX)

static inline bool is(rf_str text, const char *name, size_t len) {
    return text.len == len && memcmp(text.data, name, len) == 0;
}

static int payload_meaning(const void *context, rf_str key) {
    (void)context;
    if (is(key, "entity_id", 9)) return MEANS_ID;
    if (is(key, "components", 10)) return MEANS_COMPONENTS;
    return is(key, "seq", 3) ? MEANS_SEQ : MEANS_NOTHING;
}

static int numbers_meaning(const rf_schema *schema, int component) {
    return MEANS_NUMBERS + component * COUNTS + rf_schema_at(schema, (size_t)component)->count;
}

static int component_meaning(const void *context, rf_str key) {
    const rf_schema *schema = context;
    int column = rf_schema_find(schema, key);
    const rf_component_def *def = column >= 0 ? rf_schema_at(schema, (size_t)column) : NULL;
    return def && def->type <= RF_TYPE_F64 ? numbers_meaning(schema, column) : -1;
}

typedef struct domain_context {
    const nif_events *events;
    rf_str event;
} domain_context;

// "seq" is the event's own, even where a rule reads a field of that name.
static int domain_meaning(const void *context, rf_str key) {
    const domain_context *it = context;
    int component;
    if (is(key, "seq", 3)) return MEANS_SEQ;
    if (!rf_rules_numbers_field(it->events->rules, it->event, key, &component)) return MEANS_NOTHING;
    return component < 0 ? MEANS_ID : numbers_meaning(it->events->schema, component);
}

// Reads a component to the end of what is pending; false if it has to be looked at more closely.
static inline bool read_component(nif_events *events, ERL_NIF_TERM value, int meaning, rf_entity_event *out) {
    nif_pending *pending = &events->pending;
    uint32_t count = (uint32_t)(meaning - MEANS_NUMBERS) % COUNTS;
    double *numbers = &pending->numbers[pending->numbers_len];
    if (NIF_PENDING_NUMBERS - pending->numbers_len < count) return false;
    if (count == 1 ? !read_number(events, value, numbers) : !read_numbers(events, value, count, numbers)) return false;
    pending->components[pending->components_len + out->count++] =
        (rf_numbers){(meaning - MEANS_NUMBERS) / (int)COUNTS, numbers};
    pending->numbers_len += count;
    return true;
}

static bool read_components(nif_events *events, ERL_NIF_TERM map, rf_entity_event *out) {
    ERL_NIF_TERM values[NIF_SHAPE_KEYS];
    const nif_shape *shape =
        nif_shapes_read(&events->components, events->env, map, component_meaning, events->schema, values);
    if (!shape) return false;
    for (uint32_t i = 0; i < shape->count; i++)
        if (!read_component(events, values[i], shape->meanings[i], out)) return false;
    return true;
}

// The values of a payload, by their meanings.
static bool read_values(nif_events *events, const nif_shape *shape, const ERL_NIF_TERM *values, rf_entity_event *out) {
    ErlNifUInt64 seq = 0;
    bool has_id = false;
    for (uint32_t i = 0; i < shape->count; i++) {
        switch (shape->meanings[i]) {
        case MEANS_ID:
            has_id = nif_bytes(events->env, values[i], &out->id);
            break;
        case MEANS_COMPONENTS:
            if (out->op != RF_ENTITY_DELETE && !read_components(events, values[i], out)) return false;
            break;
        case MEANS_SEQ:
            if (!enif_get_uint64(events->env, values[i], &seq) || seq == 0) return false;
            break;
        case MEANS_NOTHING:
            break;
        default:
            if (!read_component(events, values[i], shape->meanings[i], out)) return false;
            break;
        }
    }
    out->seq = seq;
    return has_id;
}

// An entity event, or one that updates as it says.
static bool read_plain(nif_events *events, nif_shapes *shapes, nif_meaning *meaning, const void *context,
                       ERL_NIF_TERM payload, rf_entity_event *out) {
    ERL_NIF_TERM values[NIF_SHAPE_KEYS];
    uint32_t numbers_len = events->pending.numbers_len;
    const nif_shape *shape = nif_shapes_read(shapes, events->env, payload, meaning, context, values);
    out->numbers = &events->pending.components[events->pending.components_len];
    out->count = 0;
    if (shape && read_values(events, shape, values, out)) return true;
    events->pending.numbers_len = numbers_len;
    return false;
}

static bool has_components(const rf_entity_event *event) {
    return event->op == RF_ENTITY_DELETE || event->count > 0;
}

static bool read_entity_event(nif_events *events, ERL_NIF_TERM payload, rf_entity_event *out) {
    return read_plain(events, &events->payloads, payload_meaning, NULL, payload, out) && has_components(out);
}

static nif_kind *kind_of(nif_events *events, rf_str name) {
    const uint8_t *bytes = (const uint8_t *)name.data;
    nif_kind *kind = &events->kinds[(name.len + bytes[0] * 3u + bytes[name.len - 1]) % NIF_KINDS];
    if (!kind->name.data || !is(kind->name, name.data, name.len)) {
        kind->name = name;
        kind->plain = rf_rules_only_numbers(events->rules, name);
        nif_shapes_start(&kind->payloads);
    }
    return kind;
}

// Its id must be one, since a report names the field it stood in.
static bool read_domain_event(nif_events *events, rf_str name, ERL_NIF_TERM payload, rf_entity_event *out) {
    domain_context context = {events, name};
    nif_kind *kind;
    if (!events->rules || name.len - 1 >= RF_NAME_MAX) return false;
    kind = kind_of(events, name);
    out->op = RF_ENTITY_UPDATE;
    return kind->plain && read_plain(events, &kind->payloads, domain_meaning, &context, payload, out) &&
           out->id.len - 1 < RF_NAME_MAX && rf_utf8_valid(out->id);
}

rf_status nif_events_flush(nif_events *events) {
    nif_pending *pending = &events->pending;
    size_t count = pending->events_len;
    pending->events_len = pending->components_len = pending->numbers_len = 0;
    return count > 0 ? rf_event_entities(events->fold, pending->events, count) : RF_OK;
}

// Makes an event that has been read to the end of what is pending a part of it.
static inline rf_status add_pending(nif_events *events, const rf_entity_event *event) {
    nif_pending *pending = &events->pending;
    events->work -= 8;
    pending->events_len++;
    pending->components_len += (uint32_t)event->count;
    // Room for one more is always kept.
    if (pending->events_len == NIF_PENDING || pending->components_len > NIF_PENDING_COMPONENTS - NIF_SHAPE_KEYS)
        return nif_events_flush(events);
    return RF_OK;
}

static inline bool entity_op(rf_str name, rf_entity_op *out) {
    if (is(name, "update", 6))
        *out = RF_ENTITY_UPDATE;
    else if (is(name, "create", 6))
        *out = RF_ENTITY_CREATE;
    else if (is(name, "delete", 6))
        *out = RF_ENTITY_DELETE;
    else
        return false;
    return true;
}

// -----------------------------------------------------------------------------------------------------

static rf_status fold_any(nif_events *events, rf_str name, ERL_NIF_TERM payload) {
    ErlNifMapIterator entries;
    bool ok;
    if (!enif_map_iterator_create(events->env, payload, &entries, ERL_NIF_MAP_ITERATOR_FIRST))
        return rf_event_unreadable(events->fold, RF_NOT_AN_EVENT);
    rf_event_begin(events->fold, name);
    ok = put_payload(events, &entries);
    enif_map_iterator_destroy(events->env, &entries);
    if (events->stopped) return RF_OK;
    return ok ? rf_event_end(events->fold) : rf_event_unreadable(events->fold, RF_NOT_AN_EVENT);
}

rf_status nif_events_fold(nif_events *events, ERL_NIF_TERM event) {
    rf_entity_event *plain = &events->pending.events[events->pending.events_len];
    const ERL_NIF_TERM *parts;
    int arity;
    rf_str name = {0};
    rf_status status;
    bool readable =
        enif_get_tuple(events->env, event, &arity, &parts) && arity == 2 && read_name(events, parts[0], &name);
    if (readable && (entity_op(name, &plain->op) ? read_entity_event(events, parts[1], plain)
                                                 : read_domain_event(events, name, parts[1], plain)))
        return add_pending(events, plain);
    status = nif_events_flush(events);
    if (status != RF_OK) return status;
    return readable ? fold_any(events, name, parts[1]) : rf_event_unreadable(events->fold, RF_NOT_AN_EVENT);
}

static rf_str op_name(rf_entity_op op) {
    return op == RF_ENTITY_CREATE   ? (rf_str){"create", 6}
           : op == RF_ENTITY_UPDATE ? (rf_str){"update", 6}
                                    : (rf_str){"delete", 6};
}

rf_status nif_events_fold_entity(nif_events *events, rf_entity_op op, rf_str id, ERL_NIF_TERM components) {
    rf_entity_event *plain = &events->pending.events[events->pending.events_len];
    rf_status status;
    *plain =
        (rf_entity_event){.op = op, .id = id, .numbers = &events->pending.components[events->pending.components_len]};
    if (op == RF_ENTITY_DELETE || read_components(events, components, plain)) return add_pending(events, plain);
    status = nif_events_flush(events);
    if (status != RF_OK) return status;
    rf_event_begin(events->fold, op_name(op));
    if (rf_event_field(events->fold, (rf_str){"entity_id", 9}).kind == RF_WANT_STRING) rf_put_string(events->fold, id);
    if (rf_event_field(events->fold, (rf_str){"components", 10}).kind == RF_WANT_COMPONENTS)
        put_components(events, components);
    return events->stopped ? RF_OK : rf_event_end(events->fold);
}
