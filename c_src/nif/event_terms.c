#include "event_terms.h"

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
    events->group.turn = 0;
    events->group.lists[0].count = events->group.lists[1].count = 0;
}

bool nif_integer(ErlNifEnv *env, ERL_NIF_TERM term, double *out) {
    ErlNifSInt64 integer;
    if (!enif_get_int64(env, term, &integer)) return false;
    *out = (double)integer;
    return integer >= -RF_EXACT_INTEGER_MAX && integer <= RF_EXACT_INTEGER_MAX;
}

static bool give_up(nif_events *events) {
    events->stopped = true;
    return false;
}

static inline bool spend(nif_events *events, int64_t work) {
    events->work -= work;
    return events->work >= 0 || !events->may_stop || give_up(events);
}

// --- values ----------------------------------------------------------------------------------------

// These return false if nothing more of the value should be put: it is bad or not wanted, or events->stopped is set.

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
        rf_put_bad(events->fold, RF_NUMBER_OUT_OF_RANGE); // the value that contains it can still be checked
    return true;
}

static bool put_binary(nif_events *events, ERL_NIF_TERM term) {
    rf_str text;
    if (!nif_bytes(events->env, term, &text)) return put_bad(events, RF_UNSUPPORTED_VALUE);
    if (!spend(events, (int64_t)(text.len / NIF_WORK_BYTES))) return false;
    rf_put_string(events->fold, text);
    return true;
}

// depth: levels of lists and maps around the value. The core limits them too; this check protects the C stack.
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

// Reads a proper list of exactly `count` numbers; false for anything else.
static inline bool read_numbers(nif_events *events, ERL_NIF_TERM list, uint32_t count, double *out) {
    ERL_NIF_TERM head;
    for (uint32_t i = 0; i < count; i++)
        if (!enif_get_list_cell(events->env, list, &head, &list) || !nif_number(events->env, head, &out[i]))
            return false;
    events->work -= count;
    return list == events->empty_list;
}

// The fast path for vectors. If it returns false, nothing has been put.
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

// A component whose name is not a binary is put with an empty name, which the core reports.
static void put_component(nif_events *events, ERL_NIF_TERM key, ERL_NIF_TERM value) {
    rf_str name;
    if (!nif_events_name(events, key, &name)) name = (rf_str){"", 0};
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
        if (!nif_events_name(events, key, &text)) return false;
        if (!spend(events, 1 + (int64_t)(text.len / NIF_WORK_BYTES))) return true;
        put_field(events, text, value);
        enif_map_iterator_next(events->env, entries);
    }
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

static rf_status fold_one(nif_events *events, ERL_NIF_TERM event) {
    const ERL_NIF_TERM *parts;
    int arity;
    rf_str name;
    if (!enif_get_tuple(events->env, event, &arity, &parts) || arity != 2 || !nif_events_name(events, parts[0], &name))
        return rf_event_unreadable(events->fold, RF_NOT_AN_EVENT);
    return fold_any(events, name, parts[1]);
}

// How many consecutive plain events start at `first`.
static uint32_t plain_from(const nif_group *group, uint32_t first) {
    uint32_t i = first;
    while (i < group->count && group->plain[i]) i++;
    return i - first;
}

rf_status nif_events_fold_list(nif_events *events, ERL_NIF_TERM *list, uint32_t *done) {
    nif_group *group = &events->group;
    const ERL_NIF_TERM *terms;
    rf_status status = RF_OK;
    *done = 0;
    nif_group_read(events, *list);
    terms = group->lists[group->turn].events;
    while (*done < group->count && status == RF_OK) {
        uint32_t plain = plain_from(group, *done);
        status =
            plain > 0 ? rf_event_entities(events->fold, &group->events[*done], plain) : fold_one(events, terms[*done]);
        if (events->stopped) break;
        events->work -= 8 * plain;
        *done += plain > 0 ? plain : 1;
    }
    *list = nif_group_leave(events, *list, *done);
    return status;
}

static rf_str op_name(rf_entity_op op) {
    return op == RF_ENTITY_CREATE   ? (rf_str){"create", 6}
           : op == RF_ENTITY_UPDATE ? (rf_str){"update", 6}
                                    : (rf_str){"delete", 6};
}

rf_status nif_events_fold_entity(nif_events *events, rf_entity_op op, rf_str id, ERL_NIF_TERM components) {
    if (nif_group_read_entity(events, op, id, components)) {
        events->work -= 8;
        return rf_event_entities(events->fold, events->group.events, 1);
    }
    rf_event_begin(events->fold, op_name(op));
    if (rf_event_field(events->fold, (rf_str){"entity_id", 9}).kind == RF_WANT_STRING) rf_put_string(events->fold, id);
    if (rf_event_field(events->fold, (rf_str){"components", 10}).kind == RF_WANT_COMPONENTS)
        put_components(events, components);
    return events->stopped ? RF_OK : rf_event_end(events->fold);
}
