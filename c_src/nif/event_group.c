#include "event_terms.h"

// What a key means. MEANS_NUMBERS and above encode a component and how many numbers it has.
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

// "seq" is always the event's own seq, even if a rule reads a field of that name.
static int domain_meaning(const void *context, rf_str key) {
    const domain_context *it = context;
    int component;
    if (is(key, "seq", 3)) return MEANS_SEQ;
    if (!rf_rules_numbers_field(it->events->rules, it->event, key, &component)) return MEANS_NOTHING;
    return component < 0 ? MEANS_ID : numbers_meaning(it->events->schema, component);
}

// ---- looking ahead ----------------------------------------------------------------------------------

// Prefetches an event's terms. They usually follow its tuple in memory (in a copied message) or the previous event of
// the list (after a garbage collection).
static inline void ask_for(ERL_NIF_TERM event) {
    for (ERL_NIF_TERM i = 0; i < NIF_EVENT_LINES; i++) NIF_PREFETCH(event + i * NIF_LINE);
}

// Prefetches one more event of the next group.
static inline void look_ahead(nif_events *events, nif_ahead *next) {
    ERL_NIF_TERM *event = &next->events[next->count];
    if (!enif_get_list_cell(events->env, events->group.ahead, event, &events->group.ahead)) return;
    ask_for(*event);
    next->count++;
}

// ---- an event ---------------------------------------------------------------------------------------

// Reads a proper list of exactly `count` numbers; false for anything else. Inlined with a constant count where speed
// matters.
static inline bool read_list(ErlNifEnv *env, ERL_NIF_TERM list, uint32_t count, double *out, ERL_NIF_TERM empty) {
    for (uint32_t i = 0; i < count; i++) {
        ERL_NIF_TERM head;
        if (!enif_get_list_cell(env, list, &head, &list)) return false;
        if (!nif_number(env, head, &out[i])) return false;
    }
    return list == empty;
}

static inline bool read_value(ErlNifEnv *env, ERL_NIF_TERM value, uint32_t count, double *out, ERL_NIF_TERM empty) {
    switch (count) {
    case 1:
        return nif_number(env, value, out);
    case 3:
        return read_list(env, value, 3, out, empty);
    case 4:
        return read_list(env, value, 4, out, empty);
    default:
        return read_list(env, value, count, out, empty);
    }
}

// Reads the value of the event's next component.
static inline bool read_numbers(nif_events *events, int meaning, ERL_NIF_TERM value) {
    const uint32_t which = (uint32_t)(meaning - MEANS_NUMBERS), count = which % COUNTS;
    double *numbers = events->group.numbers_end;
    *events->group.components_end++ = (rf_numbers){(int)(which / COUNTS), numbers};
    events->group.numbers_end = numbers + count;
    return read_value(events->env, value, count, numbers, events->empty_list);
}

static inline bool read_components(nif_events *events, ERL_NIF_TERM map) {
    ErlNifEnv *const env = events->env;
    ErlNifMapIterator entries;
    ERL_NIF_TERM name, value;
    nif_key *key, *end;
    bool ok = nif_shape_start(&events->components, env, map, &entries, &key, &end);
    if (!ok) return false;
    while (enif_map_iterator_get_pair(env, &entries, &name, &value)) {
        int meaning = nif_key_meaning(key, env, name, component_meaning, events->schema);
        ok = meaning >= 0 && read_numbers(events, meaning, value);
        if (!ok || ++key == end) break;
        enif_map_iterator_next(env, &entries);
    }
    enif_map_iterator_destroy(env, &entries);
    return ok;
}

// The contents of an event's payload.
typedef struct payload {
    ERL_NIF_TERM id, components; // 0: absent
    rf_entity_event *event;
} payload;

static inline bool read_seq(nif_events *events, ERL_NIF_TERM value, uint64_t *out) {
    ErlNifUInt64 seq;
    if (!enif_get_uint64(events->env, value, &seq)) return false;
    *out = seq;
    return seq != 0;
}

static inline bool read_field(nif_events *events, payload *out, int meaning, ERL_NIF_TERM value) {
    switch (meaning) {
    case MEANS_ID:
        out->id = value;
        return true;
    case MEANS_COMPONENTS:
        out->components = value;
        return true;
    case MEANS_SEQ:
        return read_seq(events, value, &out->event->seq);
    case MEANS_NOTHING:
        return true;
    default:
        return meaning >= 0 && read_numbers(events, meaning, value);
    }
}

static inline bool read_payload(nif_events *events, payload *out, nif_shapes *shapes, ERL_NIF_TERM map,
                                nif_meaning *meaning, const void *context) {
    ErlNifEnv *const env = events->env;
    ErlNifMapIterator entries;
    ERL_NIF_TERM name, value;
    nif_key *key, *end;
    bool ok = nif_shape_start(shapes, env, map, &entries, &key, &end);
    if (!ok) return false;
    while (enif_map_iterator_get_pair(env, &entries, &name, &value)) {
        ok = read_field(events, out, nif_key_meaning(key, env, name, meaning, context), value);
        if (!ok || ++key == end) break;
        enif_map_iterator_next(env, &entries);
    }
    enif_map_iterator_destroy(env, &entries);
    return ok;
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

static inline bool read_entity(nif_events *events, rf_entity_event *event, ERL_NIF_TERM map) {
    payload it = {.event = event};
    if (!read_payload(events, &it, &events->payloads, map, payload_meaning, NULL)) return false;
    if (it.id == 0 || !nif_bytes(events->env, it.id, &event->id)) return false;
    return event->op == RF_ENTITY_DELETE || (it.components != 0 && read_components(events, it.components));
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

// An invalid id is left to the slow path, since the report names its field.
static bool read_domain(nif_events *events, rf_entity_event *event, rf_str name, ERL_NIF_TERM map) {
    domain_context context = {events, name};
    payload it = {.event = event};
    nif_kind *kind;
    if (!events->rules || name.len - 1 >= RF_NAME_MAX) return false;
    kind = kind_of(events, name);
    return kind->plain && read_payload(events, &it, &kind->payloads, map, domain_meaning, &context) && it.id != 0 &&
           nif_bytes(events->env, it.id, &event->id) && event->id.len - 1 < RF_NAME_MAX && rf_utf8_valid(event->id);
}

static void group_start(nif_group *group) {
    group->components_end = group->components;
    group->numbers_end = group->numbers;
}

// False if it cannot be read this way.
static inline bool read_event(nif_events *events, uint32_t i, ERL_NIF_TERM term) {
    rf_entity_event *event = &events->group.events[i];
    const ERL_NIF_TERM *parts;
    int arity;
    rf_str name;
    if (!enif_get_tuple(events->env, term, &arity, &parts) || arity != 2) return false;
    if (!nif_events_name(events, parts[0], &name)) return false;
    *event = (rf_entity_event){.op = RF_ENTITY_UPDATE, .numbers = events->group.components_end};
    if (!(entity_op(name, &event->op) ? read_entity(events, event, parts[1])
                                      : read_domain(events, event, name, parts[1])))
        return false;
    event->count = (size_t)(events->group.components_end - event->numbers);
    return true;
}

// -----------------------------------------------------------------------------------------------------

void nif_group_read(nif_events *events, ERL_NIF_TERM list) {
    nif_group *group = &events->group;
    nif_ahead *now = &group->lists[group->turn], *next = &group->lists[1 - group->turn];
    if (now->count == 0) {
        group->ahead = list;
        for (uint32_t i = 0; i < NIF_GROUP; i++) look_ahead(events, now);
    }
    group->count = now->count;
    next->count = 0;
    next->list = group->ahead;
    group_start(group);
    for (uint32_t i = 0; i < NIF_GROUP; i++) {
        look_ahead(events, next);
        if (i < group->count) group->plain[i] = read_event(events, i, now->events[i]);
    }
    events->work -= group->numbers_end - group->numbers;
}

ERL_NIF_TERM nif_group_leave(nif_events *events, ERL_NIF_TERM list, uint32_t done) {
    nif_group *group = &events->group;
    nif_ahead *now = &group->lists[group->turn], *next = &group->lists[1 - group->turn];
    if (done == now->count) {
        now->count = 0;
        group->turn = 1 - group->turn;
        return next->list;
    }
    now->count = next->count = 0;
    for (uint32_t i = 0; i < done; i++) {
        ERL_NIF_TERM event;
        enif_get_list_cell(events->env, list, &event, &list);
    }
    return list;
}

bool nif_group_read_entity(nif_events *events, rf_entity_op op, rf_str id, ERL_NIF_TERM components) {
    nif_group *group = &events->group;
    bool plain;
    group_start(group);
    group->events[0] = (rf_entity_event){.op = op, .id = id, .numbers = group->components};
    plain = op == RF_ENTITY_DELETE || read_components(events, components);
    group->events[0].count = (size_t)(group->components_end - group->components);
    events->work -= group->numbers_end - group->numbers;
    return plain;
}
