#include "event_terms.h"

// --- values: these return false if nothing more of the value should be put --------------------------

static bool put_bad(rf_fold *fold, rf_status reason) {
    rf_put_bad(fold, reason);
    return false;
}

static bool put_value(rf_fold *fold, port_reader *reader, uint32_t depth);

static bool put_list(rf_fold *fold, port_reader *reader, uint32_t depth) {
    int count;
    port_read_list(reader, &count);
    if (!rf_put_open_list(fold)) return false;
    for (int i = 0; i < count; i++)
        if (!put_value(fold, reader, depth)) return false;
    // Only a list with elements has a tail.
    if (count > 0 && !port_read_tail(reader)) return put_bad(fold, RF_UNSUPPORTED_VALUE);
    return rf_put_close(fold);
}

static bool put_bytes(rf_fold *fold, port_reader *reader) {
    rf_str bytes;
    port_read_bytes(reader, &bytes);
    if (!rf_put_open_list(fold)) return false;
    for (size_t i = 0; i < bytes.len; i++) rf_put_int(fold, (uint8_t)bytes.data[i]);
    return rf_put_close(fold);
}

static bool put_map(rf_fold *fold, port_reader *reader, uint32_t depth) {
    rf_str key;
    int count;
    port_read_map(reader, &count);
    if (!rf_put_open_map(fold)) return false;
    for (int i = 0; i < count; i++) {
        if (!port_read_binary(reader, &key)) return put_bad(fold, RF_UNSUPPORTED_VALUE);
        if (!rf_put_key(fold, key) || !put_value(fold, reader, depth)) return false;
    }
    return rf_put_close(fold);
}

static bool put_atom(rf_fold *fold, port_reader *reader) {
    bool value;
    if (port_read_this_atom(reader, "nil"))
        rf_put_null(fold);
    else if (port_read_bool(reader, &value))
        rf_put_bool(fold, value);
    else
        return put_bad(fold, RF_UNSUPPORTED_VALUE);
    return true;
}

static bool put_integer(rf_fold *fold, port_reader *reader) {
    int64_t integer;
    if (port_read_int(reader, &integer)) {
        rf_put_int(fold, integer);
    } else {
        rf_put_bad(fold, RF_NUMBER_OUT_OF_RANGE); // the value that contains it can still be checked
        port_skip(reader);
    }
    return true;
}

// depth: levels of lists and maps around the value. The core limits them too; this check protects the C stack.
static bool put_value(rf_fold *fold, port_reader *reader, uint32_t depth) {
    double number;
    rf_str text;
    if (depth > RF_DEPTH_MAX) return put_bad(fold, RF_TOO_DEEP);
    switch (port_type_of(reader)) {
    case PORT_ATOM:
        return put_atom(fold, reader);
    case PORT_INTEGER:
        return put_integer(fold, reader);
    case PORT_BINARY:
        port_read_binary(reader, &text);
        rf_put_string(fold, text);
        return true;
    case PORT_LIST:
        return put_list(fold, reader, depth + 1);
    case PORT_BYTES:
        return put_bytes(fold, reader);
    case PORT_MAP:
        return put_map(fold, reader, depth + 1);
    case PORT_FLOAT:
        if (!port_read_float(reader, &number)) return put_bad(fold, RF_NUMBER_OUT_OF_RANGE);
        rf_put_float(fold, number);
        return true;
    case PORT_TUPLE:
    case PORT_OTHER:
        break;
    }
    return put_bad(fold, RF_UNSUPPORTED_VALUE);
}

static bool read_number(port_reader *reader, double *out) {
    int64_t integer;
    if (port_read_float(reader, out)) return true;
    if (!port_read_int(reader, &integer)) return false;
    *out = (double)integer;
    return integer >= -RF_EXACT_INTEGER_MAX && integer <= RF_EXACT_INTEGER_MAX;
}

// Reads a proper list of exactly `count` numbers; false for anything else.
static bool read_numbers(port_reader reader, int count, double *out) {
    rf_str bytes;
    int found;
    if (port_read_bytes(&reader, &bytes)) {
        for (size_t i = 0; i < bytes.len && bytes.len == (size_t)count; i++) out[i] = (uint8_t)bytes.data[i];
        return bytes.len == (size_t)count;
    }
    if (!port_read_list(&reader, &found) || found != count) return false;
    for (int i = 0; i < count; i++)
        if (!read_number(&reader, &out[i])) return false;
    return port_read_tail(&reader);
}

// Puts the value as wanted, and moves past it.
static void put_wanted(rf_fold *fold, port_reader *reader, rf_want want) {
    port_reader value = *reader;
    double numbers[RF_NUMBERS_MAX];
    port_skip(reader);
    if (want.kind == RF_WANT_NOTHING) return;
    if (want.kind == RF_WANT_NUMBERS && read_numbers(value, want.count, numbers))
        rf_put_numbers(fold, numbers);
    else
        put_value(fold, &value, 0);
}

// --- events ----------------------------------------------------------------------------------------

// A component whose name is not a binary is put with an empty name, which the core reports.
static void put_components(rf_fold *fold, port_reader reader) {
    rf_str name;
    int count;
    if (!port_read_map(&reader, &count)) {
        put_value(fold, &reader, 0);
        return;
    }
    rf_event_components(fold);
    for (int i = 0; i < count; i++) {
        if (!port_read_binary(&reader, &name)) {
            name = (rf_str){"", 0};
            port_skip(&reader);
        }
        put_wanted(fold, &reader, rf_event_component(fold, name));
    }
}

static void put_field(rf_fold *fold, rf_str key, port_reader *reader) {
    rf_want want = rf_event_field(fold, key);
    if (want.kind != RF_WANT_COMPONENTS) {
        put_wanted(fold, reader, want);
    } else {
        put_components(fold, *reader);
        port_skip(reader);
    }
}

// Returns false if a key is not a binary.
static bool put_payload(rf_fold *fold, port_reader *reader, int count) {
    rf_str key;
    for (int i = 0; i < count; i++) {
        if (!port_read_binary(reader, &key)) return false;
        put_field(fold, key, reader);
    }
    return true;
}

rf_status port_event_fold(rf_fold *fold, port_reader *reader) {
    port_reader event = *reader;
    rf_str name;
    int count;
    port_skip(reader);
    if (!port_read_tuple(&event, 2) || !port_read_binary(&event, &name) || !port_read_map(&event, &count))
        return rf_event_unreadable(fold, RF_NOT_AN_EVENT);
    rf_event_begin(fold, name);
    return put_payload(fold, &event, count) ? rf_event_end(fold) : rf_event_unreadable(fold, RF_NOT_AN_EVENT);
}

static rf_str op_name(rf_entity_op op) {
    return op == RF_ENTITY_CREATE   ? (rf_str){"create", 6}
           : op == RF_ENTITY_UPDATE ? (rf_str){"update", 6}
                                    : (rf_str){"delete", 6};
}

rf_status port_event_fold_entity(rf_fold *fold, rf_entity_op op, rf_str id, port_reader components) {
    rf_event_begin(fold, op_name(op));
    if (rf_event_field(fold, (rf_str){"entity_id", 9}).kind == RF_WANT_STRING) rf_put_string(fold, id);
    if (op != RF_ENTITY_DELETE && rf_event_field(fold, (rf_str){"components", 10}).kind == RF_WANT_COMPONENTS)
        put_components(fold, components);
    return rf_event_end(fold);
}
