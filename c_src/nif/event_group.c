#include "event_terms.h"

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

// ---- the steps --------------------------------------------------------------------------------------

// One event more of those that come after this group. A list is followed cell by cell, so this is done now and then
// while this group is read.
static inline void look_ahead(nif_events *events, nif_ahead *next) {
    ERL_NIF_TERM event, tail;
    if (next->count == NIF_GROUP || !enif_get_list_cell(events->env, events->group.ahead, &event, &tail)) return;
    next->lists[next->count] = events->group.ahead;
    next->events[next->count++] = event;
    events->group.ahead = tail;
    nif_prefetch_both(event);
    NIF_PREFETCH(tail);
}

static inline void read_tuple(nif_events *events, ERL_NIF_TERM event, nif_reading *out) {
    const ERL_NIF_TERM *parts;
    int arity;
    out->plain = enif_get_tuple(events->env, event, &arity, &parts) && arity == 2;
    if (!out->plain) return;
    out->name = parts[0];
    out->payload = parts[1];
    nif_prefetch_both(out->name);
    nif_prefetch_both(out->payload);
}

// A component's value: the next of the event's.
static inline rf_numbers add_part(nif_events *events, uint32_t i, int meaning, ERL_NIF_TERM value) {
    nif_group *group = &events->group;
    const uint32_t numbers = (uint32_t)(meaning - MEANS_NUMBERS), count = numbers % COUNTS;
    const uint32_t first = group->numbers_len;
    nif_part *part = group->part_end++;
    part->rest = count > 1 ? value : events->empty_list;
    part->event = i;
    part->cells = count > 1 ? count : 0;
    part->count = count;
    part->first = first;
    group->terms[first] = value;
    group->numbers_len = first + count;
    if (part->cells > group->cells) group->cells = part->cells;
    return (rf_numbers){(int)(numbers / COUNTS), &group->numbers[first]};
}

// The values of a payload, by their meanings.
static inline void sort_values(nif_events *events, uint32_t i, const nif_shape *shape) {
    nif_group *group = &events->group;
    nif_reading *reading = &group->readings[i];
    ErlNifUInt64 seq = 0;
    for (uint32_t j = 0; j < reading->entries.count; j++) {
        ERL_NIF_TERM value = reading->entries.values[j];
        switch (shape->keys[j].meaning) {
        case MEANS_ID:
            reading->has_id = true;
            reading->id = value;
            break;
        case MEANS_COMPONENTS:
            reading->has_components = true;
            reading->components = value;
            break;
        case MEANS_SEQ:
            if (!enif_get_uint64(events->env, value, &seq) || seq == 0) reading->plain = false;
            group->events[i].seq = seq;
            break;
        case MEANS_NOTHING:
            break;
        default:
            group->components[i][group->events[i].count++] = add_part(events, i, shape->keys[j].meaning, value);
            break;
        }
    }
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

// What the payload of a domain event means; NULL: it does more than set numbers.
static const nif_shape *domain_shape(nif_events *events, const nif_reading *reading) {
    domain_context context = {events, reading->text};
    nif_kind *kind;
    if (!events->rules || reading->text.len - 1 >= RF_NAME_MAX) return NULL;
    kind = kind_of(events, reading->text);
    if (!kind->plain) return NULL;
    return nif_shapes_of(&kind->payloads, events->env, &reading->entries, domain_meaning, &context);
}

// Finds out what an event is, and what it is about.
static inline void sort_payload(nif_events *events, uint32_t i) {
    nif_reading *reading = &events->group.readings[i];
    rf_entity_event *event = &events->group.events[i];
    const nif_shape *shape;
    *event = (rf_entity_event){.op = RF_ENTITY_UPDATE, .numbers = events->group.components[i]};
    reading->has_id = reading->has_components = false;
    reading->known = entity_op(reading->text, &event->op);
    shape = reading->known ? nif_shapes_of(&events->payloads, events->env, &reading->entries, payload_meaning, NULL)
                           : domain_shape(events, reading);
    reading->plain = shape != NULL;
    if (!shape) return;
    sort_values(events, i, shape);
    if (event->op == RF_ENTITY_DELETE) reading->has_components = false;
    if (!reading->has_id || (reading->known && event->op != RF_ENTITY_DELETE && !reading->has_components))
        reading->plain = false;
    if (reading->plain && reading->has_components)
        reading->plain = nif_entries_read(events->env, reading->components, &reading->entries);
}

static inline void sort_components(nif_events *events, uint32_t i) {
    nif_reading *reading = &events->group.readings[i];
    const nif_shape *shape =
        nif_shapes_of(&events->components, events->env, &reading->entries, component_meaning, events->schema);
    rf_numbers *component = events->group.components[i];
    reading->plain = shape != NULL;
    if (!shape) return;
    for (uint32_t j = 0; j < reading->entries.count; j++)
        component[j] = add_part(events, i, shape->keys[j].meaning, reading->entries.values[j]);
    events->group.events[i].count = reading->entries.count;
}

// The id of a domain event must be one, since a report names the field it stood in.
static inline bool read_id(nif_events *events, const nif_reading *reading, rf_str *out) {
    if (!nif_bytes(events->env, reading->id, out)) return false;
    return reading->known || (out->len - 1 < RF_NAME_MAX && rf_utf8_valid(*out));
}

// What stands where a number should.
static void spoil(nif_events *events, nif_part *part) {
    for (uint32_t k = 0; k < part->count; k++) events->group.terms[part->first + k] = events->empty_list;
    part->rest = events->empty_list;
    part->cells = 0;
}

// The element k of each list that has one.
static inline void step_lists(nif_events *events, uint32_t k) {
    ErlNifEnv *const env = events->env;
    ERL_NIF_TERM *const terms = events->group.terms + k;
    const nif_part *end = events->group.part_end;
    for (nif_part *part = events->group.parts; part < end; part++) {
        ERL_NIF_TERM head, tail;
        if (part->cells <= k) continue;
        if (enif_get_list_cell(env, part->rest, &head, &tail)) {
            NIF_PREFETCH(head);
            NIF_PREFETCH(tail);
            terms[part->first] = head;
            part->rest = tail;
        } else {
            spoil(events, part);
        }
    }
}

static inline bool all_numbers(nif_events *events, uint32_t from, uint32_t count) {
    ErlNifEnv *const env = events->env;
    const ERL_NIF_TERM *term = events->group.terms + from, *end = term + count;
    for (double *number = events->group.numbers + from; term < end; term++, number++)
        if (!nif_number(env, *term, number)) return false;
    return true;
}

static void read_parts(nif_events *events) {
    nif_group *group = &events->group;
    const nif_part *end = group->part_end;
    for (uint32_t k = 0; k < group->cells; k++) step_lists(events, k);
    for (nif_part *part = group->parts; part < end; part++)
        if (part->rest != events->empty_list) spoil(events, part);
    events->work -= group->numbers_len;
    if (all_numbers(events, 0, group->numbers_len)) return;
    for (const nif_part *part = group->parts; part < end; part++)
        if (!all_numbers(events, part->first, part->count)) group->readings[part->event].plain = false;
}

static void read_payloads(nif_events *events, nif_ahead *next) {
    nif_group *group = &events->group;
    for (uint32_t i = 0; i < group->count; i++) {
        nif_reading *reading = &group->readings[i];
        if (i % 4 == 0) look_ahead(events, next);
        if (reading->plain)
            reading->plain = nif_events_name(events, reading->name, &reading->text) &&
                             nif_entries_read(events->env, reading->payload, &reading->entries);
    }
    for (uint32_t i = 0; i < group->count; i++) {
        if (i % 4 == 0) look_ahead(events, next);
        if (group->readings[i].plain) sort_payload(events, i);
    }
}

static void read_components(nif_events *events, nif_ahead *next) {
    nif_group *group = &events->group;
    for (uint32_t i = 0; i < group->count; i++) {
        nif_reading *reading = &group->readings[i];
        if (i % 4 == 0) look_ahead(events, next);
        if (!reading->plain) continue;
        reading->plain = read_id(events, reading, &group->events[i].id);
        if (reading->plain && reading->has_components) sort_components(events, i);
    }
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
    group->numbers_len = group->cells = next->count = 0;
    group->part_end = group->parts;
    for (uint32_t i = 0; i < group->count; i++) {
        if (i % 4 == 0) look_ahead(events, next);
        read_tuple(events, now->events[i], &group->readings[i]);
    }
    read_payloads(events, next);
    read_components(events, next);
    read_parts(events);
    for (uint32_t i = next->count; i < NIF_GROUP; i++) look_ahead(events, next);
}

ERL_NIF_TERM nif_group_leave(nif_events *events, uint32_t done) {
    nif_group *group = &events->group;
    nif_ahead *now = &group->lists[group->turn], *next = &group->lists[1 - group->turn];
    bool whole = done == now->count;
    ERL_NIF_TERM list = !whole ? now->lists[done] : next->count > 0 ? next->lists[0] : group->ahead;
    now->count = 0;
    if (whole)
        group->turn = 1 - group->turn;
    else
        next->count = 0;
    return list;
}

bool nif_group_read_entity(nif_events *events, rf_entity_op op, rf_str id, ERL_NIF_TERM components) {
    nif_group *group = &events->group;
    nif_reading *reading = &group->readings[0];
    group->numbers_len = group->cells = 0;
    group->part_end = group->parts;
    group->events[0] = (rf_entity_event){.op = op, .id = id, .numbers = group->components[0]};
    reading->plain = true;
    if (op == RF_ENTITY_DELETE) return true;
    if (!nif_entries_read(events->env, components, &reading->entries)) return false;
    sort_components(events, 0);
    if (reading->plain) read_parts(events);
    return reading->plain;
}
