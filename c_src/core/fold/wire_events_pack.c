// wire_events_pack.c: converts events from JSON text to frames: the same bytes as Roomfold.Wire.encode_events.
//
// An event is read completely before any of it is written, so that an invalid one leaves nothing behind.
#include "base/error.h"
#include "event_members.h"
#include "json/json_term.h"
#include "schema/schema_state.h"
#include "schema/value.h"
#include "frame/wire_numbers.h"
#include "frame/wire_out.h"
#include "text_table.h"
#include <roomfold/wire.h>
#include <stdlib.h>

// Longer strings are not shared between events.
#define SHARED_TEXT 64

// A key or component to be written.
typedef struct field {
    uint64_t number; // of the key's text
    size_t at, len;  // of its value, in `values`
} field;

struct rf_packer {
    rf_allocator allocator;
    rf_schema *schema;
    // The frame so far.
    rf_text_table texts;
    rf_wire_out events;
    uint64_t first, running; // seqs
    size_t count;
    rf_buf frame;
    // The current event.
    rf_members members;
    rf_buf undeclared; // rf_member: undeclared components
    rf_buf fields;     // of struct field
    rf_wire_out out;   // values of fields
};

// An event that has been read.
typedef struct event {
    rf_str name;
    uint64_t seq; // 0: none
    rf_str id, components;
    bool entity;
    uint8_t op;
} event;

rf_status rf_packer_new(rf_allocator allocator, rf_schema *schema, uint64_t hash_seed, rf_packer **out) {
    rf_packer *packer = rf_alloc_zero(allocator, sizeof *packer);
    *out = packer;
    if (!packer) return RF_NO_MEMORY;
    packer->allocator = allocator;
    packer->schema = rf_schema_retain(schema);
    rf_text_table_init(&packer->texts, allocator, hash_seed);
    rf_members_init(&packer->members, allocator);
    rf_buf *const bufs[] = {&packer->events.buf, &packer->frame, &packer->undeclared, &packer->fields,
                            &packer->out.buf};
    for (size_t i = 0; i < sizeof bufs / sizeof *bufs; i++) rf_buf_init(bufs[i], allocator);
    return RF_OK;
}

void rf_packer_free(rf_packer *packer) {
    if (!packer) return;
    rf_buf *const bufs[] = {&packer->events.buf, &packer->frame, &packer->undeclared, &packer->fields,
                            &packer->out.buf};
    for (size_t i = 0; i < sizeof bufs / sizeof *bufs; i++) rf_buf_free(bufs[i]);
    rf_text_table_free(&packer->texts);
    rf_members_free(&packer->members);
    rf_schema_release(packer->schema);
    rf_free(packer->allocator, packer);
}

size_t rf_packer_count(const rf_packer *packer) {
    return packer->count;
}

size_t rf_packer_bytes(const rf_packer *packer) {
    return packer->texts.out.buf.len + packer->events.buf.len;
}

static bool text_value(const rf_member *item, rf_str *out) {
    rf_term head;
    if (!item) return false;
    head = rf_term_head(item->value);
    *out = head.as.string;
    return head.kind == RF_TERM_STRING;
}

static bool entity_op(rf_str name, uint8_t *op) {
    static const rf_str names[] = {{"create", 6}, {"update", 6}, {"delete", 6}};
    for (uint8_t i = 0; i < 3; i++) {
        if (!rf_str_eq(name, names[i])) continue;
        *op = i;
        return true;
    }
    return false;
}

// Interprets the event's own keys (docs/event-model.md).
static rf_status interpret(const rf_packer *packer, event *out) {
    const rf_member *entity = rf_members_find(&packer->members, RF_LIT("event")),
                    *domain = rf_members_find(&packer->members, RF_LIT("event_name"));
    const rf_member *seq = rf_members_find(&packer->members, RF_LIT("seq")),
                    *components = rf_members_find(&packer->members, RF_LIT("components"));
    rf_term head = {.kind = RF_TERM_NULL};
    *out = (event){0};
    if (!entity == !domain || !text_value(entity ? entity : domain, &out->name) || out->name.len < 1 ||
        out->name.len > RF_NAME_MAX)
        return RF_INVALID_NAME;
    if (entity_op(out->name, &out->op) != (entity != NULL)) return RF_UNKNOWN_EVENT;
    if (seq) head = rf_term_head(seq->value);
    if (head.kind == RF_TERM_INT && head.as.integer >= 1 && (uint64_t)head.as.integer <= RF_SEQ_MAX)
        out->seq = (uint64_t)head.as.integer;
    if (components) out->components = components->value;
    out->entity = entity && text_value(rf_members_find(&packer->members, RF_LIT("entity_id")), &out->id) &&
                  out->id.len >= 1 && out->id.len <= RF_NAME_MAX && (!seq || out->seq > 0) &&
                  (out->op == RF_WIRE_OP_DELETE ? !components
                                                : components && rf_term_head(components->value).kind == RF_TERM_MAP);
    // The components of an entity event are written one by one, otherwise their map is a field.
    return out->entity || packer->members.too_deep_at == 0 ? RF_OK : RF_TOO_DEEP;
}

// ---- writing an event -------------------------------------------------------------------------------

static int by_number(const void *left, const void *right) {
    const field *a = left, *b = right;
    return (a->number > b->number) - (a->number < b->number);
}

static void field_value(rf_packer *packer, rf_str value) {
    rf_term head = rf_term_head(value);
    if (head.kind == RF_TERM_STRING && head.as.string.len <= SHARED_TEXT) {
        rf_wire_u8(&packer->out, RF_WIRE_TAG_TEXT);
        rf_wire_varint(&packer->out, rf_text_table_add(&packer->texts, head.as.string));
    } else {
        rf_buf_bytes(&packer->out.buf, value.data, value.len);
    }
}

static void add_field(rf_packer *packer, rf_str key, rf_str value) {
    field item = {.number = rf_text_table_add(&packer->texts, key), .at = packer->out.buf.len};
    field_value(packer, value);
    item.len = packer->out.buf.len - item.at;
    rf_buf_bytes(&packer->fields, &item, sizeof item);
}

static void start_fields(rf_packer *packer) {
    packer->out.buf.len = packer->fields.len = 0;
}

// Writes the fields: their count, then the fields in the order of their keys' numbers.
static void write_fields(rf_packer *packer) {
    size_t count = packer->fields.len / sizeof(field);
    field *fields = (field *)(void *)packer->fields.data;
    if (count > 1) qsort(fields, count, sizeof *fields, by_number);
    rf_wire_varint(&packer->events, count);
    for (size_t i = 0; i < count; i++) {
        rf_wire_varint(&packer->events, fields[i].number);
        rf_buf_bytes(&packer->events.buf, packer->out.buf.data + fields[i].at, fields[i].len);
    }
}

static void write_value(rf_packer *packer, const rf_component_def *def, rf_str image) {
    rf_wire_out *out = &packer->events;
    uint8_t bytes[8];
    uint32_t bits;
    int64_t integer;
    double number;
    switch (def->type) {
    case RF_TYPE_F32:
        for (unsigned i = 0; i < def->count; i++) {
            memcpy(&bits, image.data + i * sizeof bits, sizeof bits);
            rf_store32(bytes, bits);
            rf_buf_bytes(&out->buf, bytes, sizeof bits);
        }
        break;
    case RF_TYPE_F64:
        for (unsigned i = 0; i < def->count; i++) {
            memcpy(&number, image.data + i * sizeof number, sizeof number);
            rf_wire_f64(out, number);
        }
        break;
    case RF_TYPE_I64:
        memcpy(&integer, image.data, sizeof integer);
        rf_wire_varint(out, rf_zigzag_encode(integer));
        break;
    case RF_TYPE_STRING:
        rf_wire_bytes(out, image);
        break;
    case RF_TYPE_BOOL:
    case RF_TYPE_TERM:
        rf_buf_bytes(&out->buf, image.data, image.len);
        break;
    }
}

// Puts the values of declared components into `values`; the others become fields.
static uint64_t split(rf_packer *packer, rf_str components, rf_str values[RF_SCHEMA_MAX]) {
    uint64_t mask = 0;
    rf_term_reader reader;
    rf_term head;
    packer->undeclared.len = 0;
    rf_term_read(&reader, components);
    head = rf_term_next(&reader);
    for (uint64_t i = 0; i < head.as.count; i++) {
        rf_member item = {.key = rf_term_key(&reader)};
        uint8_t fixed[RF_VALUE_FIXED];
        rf_str image;
        int column = rf_schema_lookup(packer->schema, item.key);
        item.value = rf_term_skip(&reader);
        if (column >= 0 && rf_term_head(item.value).kind != RF_TERM_NULL &&
            rf_value_from_term(&packer->schema->defs[column], item.value, UINT32_MAX, fixed, &image) == RF_OK) {
            mask |= UINT64_C(1) << column;
            values[column] = item.value;
        } else {
            rf_buf_bytes(&packer->undeclared, &item, sizeof item);
        }
    }
    return mask;
}

static void write_components(rf_packer *packer, rf_str components, bool *undeclared) {
    rf_str values[RF_SCHEMA_MAX];
    uint64_t mask = split(packer, components, values);
    size_t count;
    const rf_member *items = rf_members_of(&packer->undeclared, &count);
    rf_wire_varint(&packer->events, mask);
    for (size_t i = 0; i < packer->schema->count; i++) {
        const rf_component_def *def = &packer->schema->defs[i];
        uint8_t fixed[RF_VALUE_FIXED];
        rf_str image = {0};
        if (!(mask >> i & 1)) continue;
        rf_value_from_term(def, values[i], UINT32_MAX, fixed, &image);
        write_value(packer, def, image);
    }
    *undeclared = count > 0;
    start_fields(packer);
    for (size_t i = 0; i < count; i++) add_field(packer, items[i].key, items[i].value);
    if (count > 0) write_fields(packer);
}

// Collects all keys except those with their own encoding; false: there are none.
static bool gather_fields(rf_packer *packer, const event *of) {
    size_t count;
    const rf_member *items = rf_members_of(&packer->members.list, &count);
    start_fields(packer);
    for (size_t i = 0; i < count; i++) {
        rf_str key = items[i].key;
        if (rf_str_eq(key, RF_LIT("event")) || rf_str_eq(key, RF_LIT("event_name"))) continue;
        if (of->seq > 0 && rf_str_eq(key, RF_LIT("seq"))) continue;
        if (of->entity && (rf_str_eq(key, RF_LIT("entity_id")) || rf_str_eq(key, RF_LIT("components")))) continue;
        add_field(packer, key, items[i].value);
    }
    return packer->fields.len > 0;
}

static void write_tag(rf_packer *packer, uint8_t op, uint64_t seq) {
    unsigned mode = RF_WIRE_SEQ_NEXT;
    if (seq == 0 && packer->running != 0) mode = RF_WIRE_SEQ_NONE;
    if (seq != 0 && seq != packer->running) mode = RF_WIRE_SEQ_GIVEN;
    rf_wire_u8(&packer->events, (uint8_t)(op | mode << 2));
    if (mode == RF_WIRE_SEQ_GIVEN) rf_wire_varint(&packer->events, seq);
    packer->running = seq == 0 ? 0 : seq + 1;
}

static void write_event(rf_packer *packer, const event *of) {
    size_t tag;
    bool undeclared = false;
    if (packer->count == 0) packer->first = packer->running = of->seq;
    tag = packer->events.buf.len;
    write_tag(packer, of->entity ? of->op : RF_WIRE_OP_NAMED, of->seq);
    if (!of->entity) {
        rf_wire_varint(&packer->events, rf_text_table_add(&packer->texts, of->name));
        gather_fields(packer, of);
        write_fields(packer);
        return;
    }
    rf_wire_varint(&packer->events, rf_text_table_add(&packer->texts, of->id));
    if (of->op != RF_WIRE_OP_DELETE) write_components(packer, of->components, &undeclared);
    if (undeclared && !packer->events.buf.failed) packer->events.buf.data[tag] |= RF_WIRE_TAG_OTHERS;
    if (!gather_fields(packer, of)) return;
    write_fields(packer);
    if (!packer->events.buf.failed) packer->events.buf.data[tag] |= RF_WIRE_TAG_FIELDS;
}

static bool out_of_memory(rf_packer *packer) {
    return rf_text_table_failed(&packer->texts) || packer->events.buf.failed || packer->undeclared.failed ||
           packer->fields.failed || packer->out.buf.failed;
}

rf_status rf_packer_add(rf_packer *packer, rf_str text, rf_error *error) {
    size_t before = packer->events.buf.len;
    uint64_t running = packer->running, first = packer->first;
    event of;
    rf_status status = rf_members_read(&packer->members, text, error);
    if (status != RF_OK) return status;
    status = interpret(packer, &of);
    if (status != RF_OK)
        return rf_error_set(error, status, status == RF_TOO_DEEP ? packer->members.too_deep_at : 0, (rf_str){0});
    if (rf_packer_bytes(packer) + text.len > UINT32_MAX / 4) return rf_error_set(error, RF_TOO_LARGE, 0, (rf_str){0});
    write_event(packer, &of);
    if (!out_of_memory(packer)) {
        packer->count++;
        return RF_OK;
    }
    // Unused texts do no harm if they are complete.
    rf_text_table_recover(&packer->texts);
    packer->events.buf.failed = packer->undeclared.failed = packer->fields.failed = packer->out.buf.failed = false;
    packer->events.buf.len = before;
    packer->running = running;
    packer->first = first;
    return rf_error_set(error, RF_NO_MEMORY, RF_NOWHERE, (rf_str){0});
}

rf_status rf_packer_frame(rf_packer *packer, rf_str *frame) {
    rf_wire_out out = {.buf = packer->frame};
    bool failed;
    out.buf.len = 0;
    out.buf.failed = false;
    rf_wire_u8(&out, RF_WIRE_HEAD(RF_WIRE_EVENTS));
    rf_wire_varint(&out, 0); // no handles
    rf_wire_varint(&out, packer->first);
    rf_wire_u8(&out, packer->schema->tag);
    rf_wire_varint(&out, packer->texts.count);
    rf_buf_bytes(&out.buf, packer->texts.out.buf.data, packer->texts.out.buf.len);
    rf_wire_varint(&out, packer->count);
    rf_buf_bytes(&out.buf, packer->events.buf.data, packer->events.buf.len);
    failed = out.buf.failed;
    out.buf.failed = false;
    packer->frame = out.buf;
    if (failed) return RF_NO_MEMORY;
    *frame = (rf_str){(const char *)out.buf.data, out.buf.len};
    rf_text_table_clear(&packer->texts);
    packer->events.buf.len = 0;
    packer->count = 0;
    packer->first = packer->running = 0;
    return RF_OK;
}
