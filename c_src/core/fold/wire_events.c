// wire_events.c: folds a frame of events that has been checked.
#include "wire_events.h"

#include "draft.h"
#include "json/json_term.h"

// A frame that is being read. It has been checked, so nothing in it can be wrong.
typedef struct reader {
    rf_fold *fold;
    rf_packed_batch *batch;
    rf_packed_state *state;
    rf_wire_in in;
} reader;

static const rf_str op_names[] = {{"create", 6}, {"update", 6}, {"delete", 6}};

static rf_str text_of(const reader *r, const rf_packed_text *text) {
    return (rf_str){(const char *)r->in.data + text->at, text->len};
}

static rf_str get_text(reader *r) {
    return text_of(r, &r->state->texts[rf_wire_get_varint(&r->in)]);
}

// ---- values -----------------------------------------------------------------------------------------

// Copies a list or a map unchanged, since it is in canonical form.
static void put_nested(rf_fold *fold, rf_str term) {
    rf_draft *draft = fold->current;
    if (!draft) return;
    if (term.len > fold->world->max_value_bytes) {
        draft->nested = true;
        rf_draft_give_up(fold, RF_TOO_LARGE);
        return;
    }
    rf_buf_bytes(&fold->builder.out, term.data, term.len);
    if (fold->builder.out.failed) {
        rf_draft_give_up(fold, RF_NO_MEMORY);
        return;
    }
    draft->state = RF_DRAFT_TERM;
    draft->nested = true;
    draft->len = term.len;
}

static void put_term(rf_fold *fold, rf_str term) {
    rf_term head = rf_term_head(term);
    switch (head.kind) {
    case RF_TERM_NULL:
        rf_draft_null(fold);
        break;
    case RF_TERM_FALSE:
    case RF_TERM_TRUE:
        rf_draft_bool(fold, head.kind == RF_TERM_TRUE);
        break;
    case RF_TERM_INT:
        rf_draft_int(fold, head.as.integer);
        break;
    case RF_TERM_FLOAT:
        rf_draft_float(fold, head.as.number);
        break;
    case RF_TERM_STRING:
        rf_draft_string(fold, head.as.string);
        break;
    case RF_TERM_LIST:
    case RF_TERM_MAP:
    case RF_TERM_END:
        put_nested(fold, term);
        break;
    }
}

static void put_field_value(reader *r) {
    if (*rf_wire_here(&r->in) == RF_WIRE_TAG_TEXT) {
        r->in.at += 8;
        rf_draft_string(r->fold, get_text(r));
    } else {
        put_term(r->fold, rf_wire_get_term(&r->in));
    }
}

// Puts the components of an entity event that is encoded with a name and fields.
static void put_components(rf_fold *fold, rf_str map) {
    rf_term_reader entries;
    rf_term head;
    rf_event_components(fold);
    rf_term_read(&entries, map);
    head = rf_term_next(&entries);
    for (uint64_t i = 0; i < head.as.count; i++) {
        rf_str name = rf_term_key(&entries);
        rf_draft_component_at(fold, name, rf_schema_lookup(fold->world->schema, name));
        put_term(fold, rf_term_skip(&entries));
    }
}

static void put_fields(reader *r) {
    uint64_t count = rf_wire_get_varint(&r->in);
    for (uint64_t i = 0; i < count; i++) {
        rf_want want = rf_event_field(r->fold, get_text(r));
        rf_str value;
        if (want.kind != RF_WANT_COMPONENTS || *rf_wire_here(&r->in) != RF_TAG_MAP) {
            put_field_value(r);
            continue;
        }
        value = rf_wire_get_term(&r->in);
        put_components(r->fold, value);
    }
}

static void put_numbers(reader *r, const rf_component_def *def) {
    double numbers[RF_NUMBERS_MAX];
    for (unsigned i = 0; i < def->count; i++) {
        if (def->type == RF_TYPE_F64) {
            numbers[i] = rf_wire_get_f64(&r->in);
        } else {
            uint32_t bits = rf_load32(rf_wire_here(&r->in));
            float narrow;
            memcpy(&narrow, &bits, sizeof narrow);
            numbers[i] = (double)narrow;
            r->in.at += 32;
        }
    }
    rf_draft_numbers(r->fold, numbers);
}

static void put_value(reader *r, int column) {
    const rf_component_def *def = &r->fold->world->schema->defs[column];
    rf_draft_component_at(r->fold, def->name, column);
    switch (def->type) {
    case RF_TYPE_F32:
    case RF_TYPE_F64:
        put_numbers(r, def);
        break;
    case RF_TYPE_I64:
        rf_draft_int(r->fold, rf_zigzag_decode(rf_wire_get_varint(&r->in)));
        break;
    case RF_TYPE_BOOL:
        rf_draft_bool(r->fold, rf_wire_get_u8(&r->in) != 0);
        break;
    case RF_TYPE_STRING:
        rf_draft_string(r->fold, rf_wire_get_bytes(&r->in));
        break;
    case RF_TYPE_TERM:
        put_term(r->fold, rf_wire_get_term(&r->in));
        break;
    }
}

// ---- events -----------------------------------------------------------------------------------------

static uint64_t take_seq(reader *r, uint8_t tag) {
    uint64_t seq = r->batch->seq;
    switch (tag >> 2 & 3) {
    case RF_WIRE_SEQ_GIVEN:
        seq = rf_wire_get_varint(&r->in);
        break;
    case RF_WIRE_SEQ_NONE:
        seq = 0;
        break;
    default:
        break;
    }
    r->batch->seq = seq > 0 ? seq + 1 : 0;
    return seq;
}

static void put_seq(rf_fold *fold, uint64_t seq) {
    if (seq == 0) return;
    fold->seq.state = RF_DRAFT_INT;
    fold->seq.integer = (int64_t)seq;
}

// Puts the id of the entity that the event is about. False: its handle's entity is gone.
static bool put_entity(reader *r, uint64_t entity) {
    rf_fold *fold = r->fold;
    fold->id.state = RF_DRAFT_STRING;
    if (entity < r->state->text_count) {
        fold->id.bytes = text_of(r, &r->state->texts[entity]);
    } else {
        uint32_t handle = rf_packed_find(r->fold->world, r->state, r->in.data, entity);
        if (handle == RF_NO_HANDLE) return false;
        fold->id.bytes = rf_entity_id_str(&rf_world_slot(fold->world, handle)->id);
    }
    return true;
}

static rf_status fold_entity(reader *r, uint8_t tag, uint64_t seq) {
    rf_fold *fold = r->fold;
    uint64_t entity = rf_wire_get_varint(&r->in), mask, count;
    bool there = put_entity(r, entity);
    put_seq(fold, seq);
    if ((tag & 3) != RF_WIRE_OP_DELETE) {
        fold->has_components = true;
        mask = rf_wire_get_varint(&r->in);
        for (int i = 0; mask != 0; i++, mask >>= 1)
            if (mask & 1) put_value(r, i);
    }
    if (tag & RF_WIRE_TAG_OTHERS) {
        count = rf_wire_get_varint(&r->in);
        for (uint64_t i = 0; i < count; i++) {
            rf_str name = get_text(r);
            rf_draft_component_at(fold, name, rf_schema_lookup(fold->world->schema, name));
            put_field_value(r);
        }
    }
    if (tag & RF_WIRE_TAG_FIELDS) put_fields(r);
    return there ? rf_fold_apply(fold) : rf_fold_orphan(fold);
}

static rf_status fold_event(reader *r) {
    rf_fold *fold = r->fold;
    uint8_t tag = rf_wire_get_u8(&r->in);
    uint64_t seq = take_seq(r, tag);
    rf_status status;
    rf_arena_reset(&fold->arena);
    if ((tag & 3) == RF_WIRE_OP_NAMED) {
        rf_draft_begin(fold, get_text(r), RF_NAME_IN_LIST);
        put_seq(fold, seq);
        put_fields(r);
        status = rf_fold_apply(fold);
    } else {
        rf_draft_begin(fold, op_names[tag & 3], RF_NAME_IN_LIST);
        status = fold_entity(r, tag, seq);
    }
    if (status == RF_OK) fold->index++;
    return status;
}

static rf_status begin(rf_fold *fold, rf_packed_batch *batch, rf_error *error) {
    rf_wire_in in = rf_wire_read(batch->frame);
    rf_packed_state *state = fold->packed;
    if (!state) state = fold->packed = rf_alloc(fold->allocator, sizeof *state);
    if (!state) return rf_error_set(error, RF_NO_MEMORY, RF_NOWHERE, (rf_str){0});
    *state = (rf_packed_state){0};
    if (!rf_packed_check(&in, fold->world, batch, state, fold->allocator)) {
        rf_free(fold->allocator, state->texts);
        state->texts = NULL;
        return rf_wire_error(&in, error);
    }
    batch->checked = true;
    return RF_OK;
}

rf_status rf_fold_packed(rf_fold *fold, rf_packed_batch *batch, size_t max_events, rf_error *error) {
    reader r = {.fold = fold, .batch = batch};
    rf_status status = RF_OK;
    if (!batch->checked) status = begin(fold, batch, error);
    if (status != RF_OK) return status;
    r.state = fold->packed;
    r.in = rf_wire_read(batch->frame);
    r.in.at = (uint64_t)batch->at * 8;
    if (max_events > batch->events - batch->index) max_events = (size_t)(batch->events - batch->index);
    while (max_events > 0) {
        size_t done = 0;
        status = rf_packed_plain(fold, batch, &r.in, max_events, &done);
        if (status != RF_OK) return rf_error_set(error, status, RF_NOWHERE, (rf_str){0});
        max_events -= done;
        batch->index += done;
        if (max_events == 0) break;
        status = fold_event(&r);
        if (status != RF_OK) return rf_error_set(error, status, RF_NOWHERE, (rf_str){0});
        max_events--;
        batch->index++;
    }
    batch->at = (size_t)(r.in.at / 8);
    batch->done = batch->index == batch->events;
    if (batch->done) {
        rf_free(fold->allocator, fold->packed->texts);
        fold->packed->texts = NULL;
    }
    return RF_OK;
}
