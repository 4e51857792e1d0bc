#include "term_convert.h"

#include <string.h>

int port_compare(rf_str a, rf_str b) {
    size_t shorter = a.len < b.len ? a.len : b.len;
    int order = shorter > 0 ? memcmp(a.data, b.data, shorter) : 0;
    return order != 0 ? order : (a.len > b.len) - (a.len < b.len);
}

// --- terms: nested at most RF_DEPTH_MAX levels deep by the core --------------------------------------

static void put_term(port_answer *out, rf_term_reader *reader);

static void put_list(port_answer *out, rf_term_reader *reader, uint64_t count) {
    size_t mark = port_begin(out);
    for (uint64_t i = 0; i < count; i++) put_term(out, reader);
    port_end_list(out, mark, count);
}

static void put_map(port_answer *out, rf_term_reader *reader, uint64_t count) {
    size_t mark = port_begin(out);
    for (uint64_t i = 0; i < count; i++) {
        port_put_binary(out, rf_term_key(reader));
        put_term(out, reader);
    }
    port_end_map(out, mark, count);
}

static void put_term(port_answer *out, rf_term_reader *reader) {
    rf_term term = rf_term_next(reader);
    switch (term.kind) {
    case RF_TERM_INT:
        port_put_int(out, term.as.integer);
        return;
    case RF_TERM_FLOAT:
        port_put_float(out, term.as.number);
        return;
    case RF_TERM_STRING:
        port_put_binary(out, term.as.string);
        return;
    case RF_TERM_LIST:
        put_list(out, reader, term.as.count);
        return;
    case RF_TERM_MAP:
        put_map(out, reader, term.as.count);
        return;
    case RF_TERM_FALSE:
    case RF_TERM_TRUE:
        port_put_bool(out, term.kind == RF_TERM_TRUE);
        return;
    case RF_TERM_NULL:
    case RF_TERM_END:
        break;
    }
    port_put_atom(out, "nil");
}

// --- components ------------------------------------------------------------------------------------

static double number_at(const rf_component *component, uint32_t i) {
    return component->type == RF_TYPE_F32 ? (double)component->as.f32[i] : component->as.f64[i];
}

static void put_numbers(port_answer *out, const rf_component *component) {
    size_t mark;
    if (component->count == 1) {
        port_put_float(out, number_at(component, 0));
        return;
    }
    mark = port_begin(out);
    for (uint32_t i = 0; i < component->count; i++) port_put_float(out, number_at(component, i));
    port_end_list(out, mark, component->count);
}

void port_put_value(port_answer *out, const rf_component *component) {
    rf_term_reader reader;
    if (component->removed) {
        port_put_atom(out, "nil");
        return;
    }
    switch (component->type) {
    case RF_TYPE_F32:
    case RF_TYPE_F64:
        put_numbers(out, component);
        return;
    case RF_TYPE_I64:
        port_put_int(out, component->as.i64);
        return;
    case RF_TYPE_BOOL:
        port_put_bool(out, component->as.boolean);
        return;
    case RF_TYPE_STRING:
        port_put_binary(out, component->as.string);
        return;
    case RF_TYPE_TERM:
        break;
    }
    rf_term_read(&reader, component->as.term);
    put_term(out, &reader);
}

size_t port_put_entries(port_answer *out, rf_component_iter components) {
    rf_component component;
    size_t count = 0;
    for (; rf_component_next(&components, &component); count++) {
        port_put_binary(out, component.name);
        port_put_value(out, &component);
    }
    return count;
}

void port_put_components(port_answer *out, rf_component_iter components) {
    size_t mark = port_begin(out);
    port_end_map(out, mark, port_put_entries(out, components));
}
